/** Tests how long the audit log is kept in the app's D1. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { deploy } from './deployment.ts';

beforeEach(emptyD1);

const day = 86_400;

const countRows = async (): Promise<number | null> =>
  env.DB.prepare("SELECT count(*) AS rows FROM audit WHERE event = 'signed-in'").first<number>('rows');

it.each([
  ['90 days by default', {}, 90 * day],
  ['the configured time', { auditRetention: day }, day],
] as const)('is kept for %s', async (_, configOverrides, retention) => {
  const deployment = deploy(env.DB, {}, configOverrides);
  await deployment.signIn('ada');
  deployment.advance(retention);
  await deployment.app.cleanup();
  expect(await countRows()).toBe(1);
  deployment.advance(1);
  await deployment.app.cleanup();
  expect(await countRows()).toBe(0);
});
