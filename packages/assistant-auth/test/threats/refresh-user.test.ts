/** The option `refreshUser`: a user who is banned, a hook that fails, and what the hook is told. */
import { describe, expect, it, vi } from 'vitest';
import type { BrokerOptions, RefreshUser, ResolveUser } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, expectTokens, type TokenBody } from '../browser.ts';
import { app, gpt, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, highUserLimits } from '../deployment.ts';
import { expectInvalidToken, expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { continueToProvider } from '../flows.ts';
import { readCode } from '../repeated-callback.ts';
import { createSpyStorage } from '../spy-storage.ts';

const testClients: readonly (readonly [string, TestClient])[] = [
  ['ChatGPT', gpt],
  ['a public client', app],
  ['a confidential client', server],
];

const resolveUser: ResolveUser = async () => ({
  kind: 'accepted',
  userId: 'ada',
  claims: { role: 'editor' },
});
const banned: RefreshUser = async () => ({ kind: 'refused', reason: 'banned since Monday' });

const deployWith = (refreshUser: RefreshUser, changes: Partial<BrokerOptions> = {}): Deployment =>
  deploy({ resolveUser, refreshUser, ...changes });

const readRole = async (deployment: Deployment, { access_token }: TokenBody): Promise<unknown> => {
  const protection = await callApi(deployment, access_token);
  return protection.ok ? Object(protection.claims).role : protection.response.status;
};

const failed = {
  status: 503,
  error: 'temporarily_unavailable',
  error_description: 'The service is temporarily unavailable. Try again in a moment.',
};

describe.each(testClients)('%s', (_, testClient) => {
  it('F12.1 banned: the next refresh is refused, and every token of the grant stops working', async () => {
    const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted' }));
    const deployment = deployWith(refreshUser);
    const first = await obtainTokens(deployment, testClient);
    const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    expect(await readRole(deployment, second)).toBe('editor');
    refreshUser.mockImplementation(banned);
    await expectTokenError(await refresh(deployment, testClient, second.refresh_token), {
      ...invalidRefreshTokenError,
      status: testClient === gpt ? 401 : 400,
    });
    expect(deployment.log.at(-1)).toMatchObject({
      ...{ event: 'refused', reason: 'refresh-user.refused', cause: 'banned since Monday' },
    });
    deployment.advance(10);
    for (const { access_token } of [first, second]) await expectInvalidToken(deployment, access_token);
    refreshUser.mockImplementation(async () => ({ kind: 'accepted' }));
    expect((await refresh(deployment, testClient, second.refresh_token)).status).not.toBe(200);
  });

  it('F12.1 banned: a role that is taken away is gone after the next refresh, and stays away', async () => {
    const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted', claims: { role: 'reader' } }));
    const deployment = deployWith(refreshUser);
    const first = await obtainTokens(deployment, testClient);
    expect(await readRole(deployment, first)).toBe('editor');
    const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    expect(await readRole(deployment, second)).toBe('reader');
    refreshUser.mockImplementation(async () => ({ kind: 'accepted' }));
    const third = await expectTokens(await refresh(deployment, testClient, second.refresh_token));
    expect(await readRole(deployment, third)).toBe('reader');
    expect(refreshUser.mock.lastCall?.[0].claims).toEqual({ role: 'reader' });
  });

  // What a publisher's JavaScript can return is checked by no compiler.
  it.each<[string, RefreshUser]>([
    ['rejects', () => Promise.reject(new Error('the database is down'))],
    [
      'throws',
      () => {
        throw new Error('the database is down');
      },
    ],
    ['returns nothing', async () => JSON.parse('{}').nothing],
    ['returns null', async () => JSON.parse('null')],
    ['returns true', async () => JSON.parse('true')],
    ['returns an unknown kind', async () => JSON.parse('{"kind":"ok"}')],
    [
      'returns claims that are too large',
      async () => ({ kind: 'accepted', claims: { role: 'x'.repeat(600) } }),
    ],
    ['returns nested claims', async () => JSON.parse('{"kind":"accepted","claims":{"role":{}}}')],
    ['returns a list of claims', async () => JSON.parse('{"kind":"accepted","claims":[]}')],
    ['returns null as claims', async () => JSON.parse('{"kind":"accepted","claims":null}')],
  ])(
    'F12.2 failure: if the hook %s, the request gets 503, and the same token works afterwards',
    async (_name, fail) => {
      const refreshUser = vi.fn(fail);
      const storage = createSpyStorage();
      const deployment = deployWith(refreshUser, { storage });
      const first = await obtainTokens(deployment, testClient);
      const before = storage.calls.length;
      await expectTokenError(await refresh(deployment, testClient, first.refresh_token), failed);
      expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'refresh-user.failed' });
      expect(storage.calls.slice(before)).toEqual(['readRefreshable']);
      expect(await readRole(deployment, first)).toBe('editor');
      refreshUser.mockImplementation(async () => ({ kind: 'accepted' }));
      await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    },
  );

  it('F12.4 secrets: the hook is told the user, the identity, the client and the claims, and nothing else', async () => {
    const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted' }));
    const deployment = deployWith(refreshUser);
    const { refresh_token } = await obtainTokens(deployment, testClient);
    await refresh(deployment, testClient, refresh_token);
    expect(refreshUser.mock.calls).toEqual([
      [
        {
          ...{ userId: 'ada', provider: 'google', subject: 'subject-1' },
          clientId: new URLSearchParams(testClient.request).get('client_id'),
          claims: { role: 'editor' },
        },
      ],
    ]);
  });

  it('needs one storage round trip without the hook, and two with it', async () => {
    for (const refreshUser of [undefined, async () => ({ kind: 'accepted' }) as const]) {
      const storage = createSpyStorage();
      const deployment = deploy({ storage, ...(refreshUser && { refreshUser }) });
      const { refresh_token } = await obtainTokens(deployment, testClient);
      const before = storage.calls.length;
      await expectTokens(await refresh(deployment, testClient, refresh_token));
      expect(storage.calls.slice(before)).toEqual([
        ...(refreshUser === undefined ? [] : ['readRefreshable']),
        'refresh',
      ]);
    }
  });
});

it('F12.2 failure: if the grant was not found, but the refresh succeeds, no tokens are issued before the hook was asked', async () => {
  const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted' }));
  const storage = memoryStorage();
  const readRefreshable = vi.fn(storage.readRefreshable);
  const deployment = deployWith(refreshUser, { storage: { ...storage, readRefreshable } });
  const { refresh_token } = await obtainTokens(deployment, app);
  readRefreshable.mockResolvedValueOnce(undefined);
  await expectTokenError(await refresh(deployment, app, refresh_token), failed);
  expect(refreshUser).not.toHaveBeenCalled();
  await expectTokens(await refresh(deployment, app, refresh_token));
  expect(refreshUser).toHaveBeenCalledOnce();
});

it('F12.2 failure: a recheck that is due is made, even if no tokens are issued', async () => {
  const validateRefreshToken = vi.fn(async () => ({ kind: 'revoked' }) as const);
  const storage = memoryStorage();
  const readRefreshable = vi.fn(storage.readRefreshable);
  const deployment = deployWith(async () => ({ kind: 'accepted' }), {
    storage: { ...storage, readRefreshable },
    providers: [{ ...createProvider('google', 'Google'), validateRefreshToken }],
  });
  const { returnFromProvider } = await continueToProvider(deployment, app.request);
  const code = readCode(await returnFromProvider({ code: 'ada', refresh: 'theirs' }));
  const { refresh_token } = await expectTokens(await redeem(deployment, app, code));
  deployment.advance(601);
  readRefreshable.mockResolvedValueOnce(undefined);
  await expectTokenError(await refresh(deployment, app, refresh_token), invalidRefreshTokenError);
  expect(validateRefreshToken).toHaveBeenCalledOnce();
  expect(deployment.log.at(-1)).toMatchObject({ reason: 'refresh.upstream-revoked' });
});

describe('a replaced refresh token', () => {
  it('F12.3 reuse: does not call the hook, and revokes the grant, even if the hook would fail', async () => {
    const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted' }));
    const deployment = deployWith(refreshUser);
    const first = await obtainTokens(deployment, app);
    const second = await expectTokens(await refresh(deployment, app, first.refresh_token));
    const third = await expectTokens(await refresh(deployment, app, second.refresh_token));
    refreshUser.mockReset();
    refreshUser.mockRejectedValue(new Error('the database is down'));
    await expectTokenError(await refresh(deployment, app, first.refresh_token), invalidRefreshTokenError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'refresh.reused' });
    expect(refreshUser).not.toHaveBeenCalled();
    deployment.advance(10);
    await expectInvalidToken(deployment, third.access_token);
  });

  it('F12.3 reuse: a token of a revoked grant, an expired one and one of another client do not call the hook', async () => {
    const refreshUser = vi.fn<RefreshUser>(banned);
    const deployment = deployWith(refreshUser);
    const { access_token, refresh_token } = await obtainTokens(deployment, app);
    await refresh(deployment, server, refresh_token);
    expect((await callApi(deployment, access_token)).ok).toBe(true);
    await deployment.storage.revoke({ kind: 'user', id: 'ada' }, 'a test', deployment.now());
    await refresh(deployment, app, refresh_token);
    deployment.advance(31 * 86_400);
    await refresh(deployment, app, refresh_token);
    expect(refreshUser).not.toHaveBeenCalled();
  });

  it('F12.3 reuse: a retry within the grace period calls the hook', async () => {
    const refreshUser = vi.fn<RefreshUser>(async () => ({ kind: 'accepted' }));
    const deployment = deployWith(refreshUser);
    const first = await obtainTokens(deployment, app);
    await expectTokens(await refresh(deployment, app, first.refresh_token));
    refreshUser.mockImplementation(banned);
    await expectTokenError(await refresh(deployment, app, first.refresh_token), invalidRefreshTokenError);
  });

  it('F12.3 reuse: one that is replaced while the hook runs is a retry, and reuse is still detected', async () => {
    const deployment = deployWith(
      async () => {
        const { claims } = await deployment.storage.readAccount('ada').then((account) => ({
          claims: account?.grants[0]?.claims ?? {},
        }));
        return { kind: 'accepted', claims: { ...claims, role: 'reader' } };
      },
      { limits: highUserLimits },
    );
    const first = await obtainTokens(deployment, app);
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => refresh(deployment, app, first.refresh_token)),
    );
    const [one] = await Promise.all(responses.map(expectTokens));
    if (one === undefined) throw new Error('nobody got tokens');
    expect(await readRole(deployment, one)).toBe('reader');
    const next = await expectTokens(await refresh(deployment, app, one.refresh_token));
    await expectTokens(await refresh(deployment, app, next.refresh_token));
    await expectTokenError(await refresh(deployment, app, first.refresh_token), invalidRefreshTokenError);
  });
});

it('is not called at a sign-in, or when a code is redeemed', async () => {
  const refreshUser = vi.fn<RefreshUser>(banned);
  const deployment = deployWith(refreshUser);
  for (const testClient of [gpt, app, server]) await obtainTokens(deployment, testClient);
  expect(refreshUser).not.toHaveBeenCalled();
});
