import { describe, expect, it } from 'vitest';
import { type SignIn, StorageUnavailable } from '../../../src/index.ts';
import { encodeBase64url } from '../../../src/oauth/secrets.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import {
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
  verifier,
} from '../../browser.ts';
import { app, gpt, redeem, refresh, server, type TestClient } from '../../clients.ts';
import { type Deployment, deploy, gptSecret, issuer, keys, serverSecret } from '../../deployment.ts';
import { continueToProvider } from '../../flows.ts';

const ada = 'subject-of-ada';
const wrong = 'wrong-secret-0123456789';

/** What must not be logged, by kind; filled on the way. */
const createForbidden = () => ({
  secret: [gptSecret, serverSecret, wrong, verifier, ...keys.split('.').slice(1)],
  token: ['provider-secret'],
  code: [ada],
  user: [ada, `${ada}@example.com`],
});
type Forbidden = ReturnType<typeof createForbidden>;

/** A deployment that keeps somebody out, and whose storage can fail to record. */
const createSystem = () => {
  const forbidden = createForbidden();
  const memory = memoryStorage();
  const outage = { now: false };
  const deployment = deploy({
    storage: {
      ...memory,
      recordSignIn: async (signIn: SignIn) => {
        if (outage.now) throw new StorageUnavailable('no route');
        const outcome = await memory.recordSignIn(signIn);
        if (outcome.kind === 'recorded') forbidden.user.push(outcome.userId);
        return outcome;
      },
    },
    resolveUser: async ({ subject }) =>
      subject === ada ? { kind: 'accepted' } : { kind: 'refused', reason: 'not on our list' },
  });
  return { forbidden, deployment, outage };
};

/** Signs in, comes back a second time and in another browser, and keeps every value on the way. */
const signInAs = async (
  deployment: Deployment,
  { secret, code: codes }: Forbidden,
  { request }: TestClient,
  subject = ada,
): Promise<string> => {
  const { browser, sent, state, returnFromProvider, callbackUrl } = await continueToProvider(
    deployment,
    request,
  );
  const before = new Map(browser.cookies);
  secret.push(state, new URLSearchParams(request).get('state') ?? '', ...before.values());
  secret.push(sent.searchParams.get('nonce') ?? '');
  const back = await returnFromProvider({ code: subject, refresh: 'provider-secret' });
  for (const [name, value] of before) browser.cookies.set(name, value);
  await returnFromProvider({ code: subject });
  await createTestBrowser(deployment).visit(callbackUrl({ code: subject }));
  const code = readRedirect(back).searchParams.get('code') ?? '';
  if (code !== '') codes.push(code);
  return code;
};

/** Everything that can go right or wrong with tokens, for one client. */
const useTokens = async (
  deployment: Deployment,
  forbidden: Forbidden,
  testClient: TestClient,
): Promise<void> => {
  const code = await signInAs(deployment, forbidden, testClient);
  await redeem(deployment, testClient, code, { client_secret: wrong });
  await redeem(deployment, testClient, code, { redirect_uri: issuer });
  await redeem(deployment, testClient, code, { code_verifier: wrong });
  const first = await expectTokens(await redeem(deployment, testClient, code));
  deployment.advance(11);
  await callApi(deployment, first.access_token);
  await callApi(deployment, `${first.access_token}A`);
  const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
  for (const issued of [first, second]) forbidden.token.push(issued.access_token, issued.refresh_token);
  await refresh(deployment, testClient, first.refresh_token, { client_secret: wrong });
  await refresh(deployment, testClient === gpt ? server : gpt, first.refresh_token);
  await redeem(deployment, testClient, code);
  deployment.advance(1800);
  await callApi(deployment, second.access_token);
  await refresh(deployment, testClient, second.refresh_token);
};

/** A text as it may hide in a log: plain, encoded for an address, or in base64. */
const disguises = (text: string): readonly string[] => [
  text,
  encodeURIComponent(text),
  encodeBase64url(new TextEncoder().encode(text)),
  btoa(text),
];

describe('W8', () => {
  it.each([
    ['W8.1 secret', 'secret'],
    ['W8.2 token', 'token'],
    ['W8.3 code', 'code'],
    ['W8.4 user', 'user'],
  ] as const)('%s: none stands in any line of the log, whatever happens', async (_, kind) => {
    const { deployment, forbidden, outage } = createSystem();
    for (const testClient of [gpt, app, server]) await useTokens(deployment, forbidden, testClient);
    await createTestBrowser(deployment).openSignInPage({ ...gptRequest, scope: wrong });
    await signInAs(deployment, forbidden, gpt, 'subject-of-bob');
    outage.now = true;
    await signInAs(deployment, forbidden, gpt);

    const text = deployment.log.map((line) => JSON.stringify(line)).join('\n');
    expect(forbidden[kind].length).toBeGreaterThan(3);
    for (const value of forbidden[kind]) {
      expect(value.length).toBeGreaterThan(8);
      for (const disguise of disguises(value)) expect(text).not.toContain(disguise);
    }
    const seen = new Set(deployment.log.map(({ event, reason }) => reason ?? event));
    expect([...seen].toSorted()).toEqual([
      'authentication.method',
      'authentication.secret',
      'code.pkce',
      'code.redirect',
      'code.replayed',
      'refresh.client',
      'refresh.inactive',
      'resolve-user.refused',
      'scope.unavailable',
      'signed-in',
      'storage.unavailable',
      'token.expired',
      'token.unreadable',
      'tokens-issued',
      'transaction.no-cookies',
      'transaction.replayed',
      'unrestricted-gpt',
    ]);
  });
});
