import { env } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { onRequest } from '../src/pages-function.ts';
import { deploy } from './deployment.ts';
import { validVariables } from './environment.ts';
import { openSignInPage, returnFromProvider, submitConsent } from './flows.ts';

beforeAll(emptyD1);

const assets = { fetch: async () => new Response('a file') };

const createMetadataRequest = () =>
  new Request('https://words.example/.well-known/oauth-authorization-server');

it('names the invalid variable at every request, and works as soon as it is corrected', async () => {
  const completeEnvironment = { ...validVariables, DB: env.DB, ASSETS: assets };
  const { SEALING_KEYS: _, ...incompleteEnvironment } = completeEnvironment;
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(() => onRequest({ request: createMetadataRequest(), env: incompleteEnvironment })).toThrow(
      /^SEALING_KEYS is missing/,
    );
  }
  const { DAILY_SECRET: _secret, ...withoutSecret } = completeEnvironment;
  expect(() => onRequest({ request: createMetadataRequest(), env: withoutSecret })).toThrow(
    /^DAILY_SECRET is missing/,
  );
  const { CONTACT_EMAIL: _email, ...withoutContact } = completeEnvironment;
  expect(() => onRequest({ request: createMetadataRequest(), env: withoutContact })).toThrow(
    /^CONTACT_EMAIL is missing/,
  );
  expect(() =>
    onRequest({ request: createMetadataRequest(), env: { ...completeEnvironment, DB: undefined } }),
  ).toThrow(/^DB must be bound/);
  const response = await onRequest({ request: createMetadataRequest(), env: completeEnvironment });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ issuer: 'https://words.example' });
});

it('starts a cleanup after a request that writes, and after no other', async () => {
  const backgroundWork: Promise<void>[] = [];
  const { call, advance } = deploy(env.DB, {
    cleanupInterval: 3600,
    waitUntil: (promise) => void backgroundWork.push(promise),
  });
  const signInWithoutRedeeming = async (subject: string) =>
    returnFromProvider(
      call,
      await submitConsent(call, await openSignInPage(call), { choice: 'google' }),
      subject,
    );
  const countGrants = () => env.DB.prepare('SELECT count(*) AS n FROM grants').first('n');

  await signInWithoutRedeeming('first user');
  // An hour, and the margin of the cleanup.
  advance(3901);
  await openSignInPage(call);
  await Promise.all(backgroundWork);
  expect(await countGrants()).toBe(1);
  await signInWithoutRedeeming('second user');
  await Promise.all(backgroundWork);
  // `waitUntil` was called for each of the two callbacks, and for the cleanup after each.
  expect(backgroundWork).toHaveLength(4);
  expect(await countGrants()).toBe(1);
  await signInWithoutRedeeming('third user');
  expect(backgroundWork).toHaveLength(5);
  expect(await countGrants()).toBe(2);
});
