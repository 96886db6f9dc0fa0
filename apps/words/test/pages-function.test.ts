import { env } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { onRequest } from '../src/pages-function.ts';
import { deploy } from './deployment.ts';
import { deployed } from './environment.ts';
import { openSignInPage, returnFromProvider, submitConsent } from './flows.ts';

beforeAll(emptyD1);

const assets = { fetch: async () => new Response('a file') };

const metadata = () => new Request('https://words.example/.well-known/oauth-authorization-server');

it('names the invalid variable at every request, and works as soon as it is corrected', async () => {
  const whole = { ...deployed, DB: env.DB, ASSETS: assets };
  const { SEALING_KEYS: _, ...incomplete } = whole;
  for (let turn = 0; turn < 2; turn++) {
    expect(() => onRequest({ request: metadata(), env: incomplete })).toThrow(/^SEALING_KEYS is missing/);
  }
  expect(() => onRequest({ request: metadata(), env: { ...whole, DB: undefined } })).toThrow(
    /^DB must be bound/,
  );
  const response = await onRequest({ request: metadata(), env: whole });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ issuer: 'https://words.example' });
});

it('starts a cleanup after a request that writes, and after no other', async () => {
  const work: Promise<void>[] = [];
  const { call, advance } = deploy(env.DB, {
    cleanupInterval: 3600,
    waitUntil: (one) => void work.push(one),
  });
  const signInWithoutRedeeming = async (subject: string) =>
    returnFromProvider(
      call,
      await submitConsent(call, await openSignInPage(call), { choice: 'google' }),
      subject,
    );
  const grants = () => env.DB.prepare('SELECT count(*) AS n FROM grants').first('n');

  await signInWithoutRedeeming('first user');
  advance(3601);
  await openSignInPage(call);
  await Promise.all(work);
  expect(await grants()).toBe(1);
  await signInWithoutRedeeming('second user');
  await Promise.all(work);
  // `waitUntil` was called for each of the two callbacks, and for the cleanup after each.
  expect(work).toHaveLength(4);
  expect(await grants()).toBe(1);
  await signInWithoutRedeeming('third user');
  expect(work).toHaveLength(5);
  expect(await grants()).toBe(2);
});
