import { describe, expect, test } from 'vitest';
import type { IdentityProvider, SignIn } from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import {
  appRequest,
  callApi,
  challenge,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
} from '../browser.ts';
import { gpt, obtainTokens, redeem, refresh } from '../clients.ts';
import { clients, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  continueToProvider,
  listCompletionCookies,
  listTransactionCookies,
} from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';
const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

/** Storage that keeps a copy of what it recorded. */
const recordingStorage = () => {
  const signIns: SignIn[] = [];
  const storage = memoryStorage();
  return {
    signIns,
    storage: {
      ...storage,
      recordSignIn: (signIn: SignIn) => {
        signIns.push(signIn);
        return storage.recordSignIn(signIn);
      },
    },
  };
};

describe('coming back from the provider', () => {
  test('records the sign-in, ends the login transaction and sends the client its code', async () => {
    const storage = createSpyStorage();
    const { deployment, browser, returnFromProvider } = await continueToProvider(deploy({ storage }));
    const response = await returnFromProvider({ code: 'ada' });
    const location = readRedirect(response);
    expect(response.status).toBe(303);
    expect(location.origin + location.pathname).toBe(gptRedirect);
    expect([...location.searchParams]).toEqual([
      ['code', expect.stringMatching(/^[\w-]+$/)],
      ['state', gptRequest.state],
      ['iss', issuer],
    ]);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/),
      expect.stringMatching(
        /^__Host-done-[\w-]{8}=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ]);
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    const [completed = ''] = listCompletionCookies(browser.cookies);
    expect(await sealers.completion.open(browser.cookies.get(completed) ?? '')).toMatchObject({
      kind: 'opened',
      value: {
        provider: 'google',
        purpose: { kind: 'authorize', clientId: 'gpt', redirectUri: gptRedirect },
      },
    });
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    expect(deployment.log.at(-1)).toEqual({
      event: 'signed-in',
      endpoint: 'callback',
      requestId: expect.stringMatching(/^[\w-]{22}$/),
      clientId: 'gpt',
      provider: 'google',
      redirectUri: gptRedirect,
    });
  });

  test('seals into the code what the token endpoint must compare, for a minute', async () => {
    const { deployment, returnFromProvider } = await continueToProvider(deploy(), {
      ...appRequest,
      resource: `${issuer}/other`,
    });
    const code = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('code') ?? '';
    expect(await sealers.code.open(code)).toEqual({
      kind: 'opened',
      value: {
        grantId: expect.stringMatching(/^[\w-]{22}$/),
        clientId: 'app',
        redirectUri: 'https://app.example/callback',
        resource: `${issuer}/other`,
        codeChallenge: challenge,
        expiresAt: deployment.now() + 60,
      },
    });
  });

  test('redeems the answer with the values that the login transaction started with', async () => {
    const provider = createSpyProvider();
    const { returnFromProvider } = await continueToProvider(deploy({ providers: [provider] }));
    await returnFromProvider({ code: 'ada' });
    expect(provider.tokenRequests).toEqual(provider.authorizationRequests);
  });

  test('finds the same user again for the same subject, and another for another provider’s', async () => {
    const deployment = deploy();
    const userOf = async (provider: string, subject: string) => {
      const { returnFromProvider } = await continueToProvider(deployment, gptRequest, provider);
      const code = readRedirect(await returnFromProvider({ code: subject })).searchParams.get('code') ?? '';
      const tokens = await expectTokens(await redeem(deployment, gpt, code));
      const protection = await callApi(deployment, tokens.access_token);
      return protection.kind === 'granted' ? protection.access.userId : undefined;
    };
    const ada = await userOf('google', 'ada');
    expect(ada).toMatch(/^[\w-]{22}$/);
    expect(await userOf('google', 'ada')).toBe(ada);
    expect(new Set([ada, await userOf('google', 'bob'), await userOf('other', 'ada')]).size).toBe(3);
  });
});

describe('a publisher who decides who may come in', () => {
  test('keeps somebody out: nothing is stored, and the client learns only that', async () => {
    const storage = createSpyStorage();
    const resolveUser = async () => ({ kind: 'refused', reason: 'hd is not example.org' }) as const;
    const { deployment, returnFromProvider } = await continueToProvider(deploy({ storage, resolveUser }));
    const location = readRedirect(await returnFromProvider({ code: 'ada' }));
    expect(Object.fromEntries(location.searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'This account may not sign in here.',
      state: gptRequest.state,
      iss: issuer,
    });
    expect(storage.calls).toEqual(['readGrantStatus']);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'resolve-user.refused',
      cause: 'hd is not example.org',
    });
  });

  test('names a user of theirs, whose facts come out of the guard, unchanged by a refresh', async () => {
    const claims = { plan: 'pro', seats: 3, beta: false };
    const deployment = deploy({
      resolveUser: async () => ({ kind: 'accepted', userId: 'their-42', claims }),
    });
    const first = await obtainTokens(deployment, gpt);
    const refreshed = await expectTokens(await refresh(deployment, gpt, first.refresh_token));
    for (const token of [first.access_token, refreshed.access_token])
      expect(await callApi(deployment, token)).toMatchObject({
        kind: 'granted',
        access: { userId: 'their-42', claims },
      });
  });

  test('says too much about somebody: our error, and nothing is stored', async () => {
    const storage = createSpyStorage();
    const resolveUser = async () => ({ kind: 'accepted', claims: { much: 'x'.repeat(600) } }) as const;
    const { returnFromProvider } = await continueToProvider(deploy({ storage, resolveUser }));
    expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('error')).toBe(
      'server_error',
    );
    expect(storage.calls).toEqual(['readGrantStatus']);
  });

  test('is asked about the client that asks', async () => {
    const asked: string[] = [];
    const { returnFromProvider } = await continueToProvider(
      deploy({
        resolveUser: async (identity, client) => {
          asked.push(`${identity.provider} ${identity.subject} ${client.id}`);
          return { kind: 'accepted' };
        },
      }),
    );
    await returnFromProvider({ code: 'ada' });
    expect(asked).toEqual(['google ada gpt']);
  });
});

test('the provider’s refresh token reaches storage sealed, bound to its row', async () => {
  const { signIns, storage } = recordingStorage();
  const { returnFromProvider } = await continueToProvider(deploy({ storage }));
  await returnFromProvider({ code: 'ada', refresh: 'provider-secret-1' });
  const [{ identity } = { identity: undefined }] = signIns;
  expect(JSON.stringify(signIns)).not.toContain('provider-secret-1');
  const sealed = identity?.sealedRefreshToken ?? '';
  const row = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
  expect(await sealers.upstreamToken.open(sealed, row('google\0ada'))).toEqual({
    kind: 'opened',
    value: row('provider-secret-1'),
  });
  expect((await sealers.upstreamToken.open(sealed, row('google\0bob'))).kind).toBe('failed');
});

describe('an address that is no way to sign in', () => {
  test.each([
    '/callback/nobody',
    '/callback/',
    '/callback/google/',
    '/callback/google/more',
    '/callback/Google',
    '/callback/goo%67le',
    '/callback//google',
    '/callback/__proto__',
  ])('is a page: %s', async (path) => {
    const { deployment, browser, returnFromProvider } = await continueToProvider();
    const response = await returnFromProvider({ code: 'ada' }, path);
    await expectErrorPage(response, deployment, 'There is no such way to sign in.', 404);
    expect(browser.cookies.size).toBe(2);
  });

  test('is a page when the state is repeated', async () => {
    const { deployment, browser, state } = await continueToProvider();
    const response = await browser.visit(`${issuer}/callback/google?code=ada&state=${state}&state=${state}`);
    await expectErrorPage(response, deployment, 'A parameter is given more than once.');
  });
});

describe('a login transaction whose client changed meanwhile', () => {
  const [gptClient, ...others] = clients;

  test.each([
    ['revoked', others, 'The app that sent you here is not registered with us.'],
    [
      'of another address',
      [{ ...gptClient, redirects: [{ kind: 'gpt', gptIds: ['g-another'] } as const] }],
      'The address to return to is not registered for this app.',
    ],
  ])('ends on a page, and asks the provider nothing: %s', async (_, left, message) => {
    const { browser, callbackUrl } = await continueToProvider();
    const cookie = buildCookieHeader(browser.cookies);
    const provider = createSpyProvider();
    const changed = deploy({ clients: left, providers: [provider] });
    const response = await createTestBrowser(changed, { cookie }).visit(callbackUrl({ code: 'ada' }));
    await expectErrorPage(response, changed, message);
    expect(provider.tokenRequests).toEqual([]);
  });

  test('ends on a page when the provider is no longer offered', async () => {
    const { browser, callbackUrl } = await continueToProvider();
    const cookie = buildCookieHeader(browser.cookies);
    const changed = deploy({ providers: [createProvider('other', 'Other')] });
    const response = await createTestBrowser(changed, { cookie }).visit(callbackUrl({ code: 'ada' }));
    await expectErrorPage(response, changed, 'There is no such way to sign in.', 404);
  });
});

test('a login transaction survives a new key, and ends with its old one', async () => {
  const { browser, callbackUrl } = await continueToProvider();
  const cookie = buildCookieHeader(browser.cookies);
  const newest = 'test-2.8PHy8_T19vf4-fr7_P3-_wABAgMEBQYHCAkKCwwNDg8';
  const answer = callbackUrl({ code: 'ada' });
  const rotated = deploy({ sealingKeys: `${newest} ${keys}` });
  expect(
    readRedirect(await createTestBrowser(rotated, { cookie }).visit(answer)).searchParams.has('code'),
  ).toBe(true);
  const burned = deploy({ sealingKeys: newest });
  await expectErrorPage(await createTestBrowser(burned, { cookie }).visit(answer), burned, stale);
  expect(burned.log.at(-1)).toMatchObject({ reason: 'transaction.unreadable', cause: 'unknown-key' });
});

test('a provider that fails in a way nobody foresaw is our error, and says nothing of itself', async () => {
  const failing: IdentityProvider = {
    ...createProvider('google', 'Google'),
    handleCallback: () => Promise.reject(new Error('client_secret=hunter2')),
  };
  const { returnFromProvider } = await continueToProvider(deploy({ providers: [failing] }));
  const response = await returnFromProvider({ code: 'ada' });
  expect(readRedirect(response).searchParams.get('error')).toBe('server_error');
  expect(JSON.stringify([...response.headers])).not.toContain('hunter2');
});
