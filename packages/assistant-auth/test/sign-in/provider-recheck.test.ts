/** Rechecks at a refresh: what the provider’s response, late response or missing response changes. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  type CompleteStorage,
  type IdentityProvider,
  type RecheckResult,
  StorageUnavailable,
  type StoredUpstreamToken,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, expectTokens, readRedirect, type TokenBody } from '../browser.ts';
import { gpt, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, highUserLimits, keys } from '../deployment.ts';
import { expectInvalidToken, expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { continueToProvider } from '../flows.ts';
import { createSpyStorage } from '../spy-storage.ts';

const active: RecheckResult = { kind: 'active' };
const revoked: RecheckResult = { kind: 'revoked' };
const unknown: RecheckResult = { kind: 'unknown', reason: 'out of order' };

/** A provider whose recheck result a test chooses, and the rechecks that it received. */
const createRecheckProvider = (id = 'google', recheckInterval = 600, singleUse?: boolean) => {
  const rechecks: { readonly refreshToken: string; readonly timeoutMs: number }[] = [];
  let result: RecheckResult | Promise<RecheckResult> = active;
  const provider: IdentityProvider = {
    ...createProvider(id, id),
    recheckInterval,
    ...(singleUse !== undefined && { singleUseRefreshTokens: singleUse }),
    validateRefreshToken: async (refreshToken, { timeoutMs }) => {
      rechecks.push({ refreshToken, timeoutMs });
      return result;
    },
  };
  return {
    provider,
    rechecks,
    setResult(newResult: RecheckResult | Promise<RecheckResult>) {
      result = newResult;
    },
  };
};

const deployWith = (
  changes: Partial<BrokerOptions> = {},
  { recheckInterval, singleUse }: { readonly recheckInterval?: number; readonly singleUse?: boolean } = {},
) => {
  const fakeProvider = createRecheckProvider('google', recheckInterval, singleUse);
  return { fakeProvider, deployment: deploy({ providers: [fakeProvider.provider], ...changes }) };
};

/** Signs a user in, with or without a refresh token from the provider. */
const signIn = async (
  deployment: Deployment,
  testClient: TestClient,
  {
    subject = 'ada',
    upstreamToken = 'their-1',
  }: { readonly subject?: string; readonly upstreamToken?: string | null } = {},
): Promise<TokenBody> => {
  const { returnFromProvider } = await continueToProvider(deployment, testClient.request);
  const redirect = readRedirect(
    await returnFromProvider({ code: subject, ...(upstreamToken !== null && { refresh: upstreamToken }) }),
  );
  return expectTokens(await redeem(deployment, testClient, redirect.searchParams.get('code') ?? ''));
};

/** Storage whose writes after a recheck fail a number of times, before or after the change is made. */
const createFailingStorage = (failures: number, when: 'before the write' | 'after the write') => {
  let remainingFailures = failures;
  const storage = memoryStorage();
  const mayFail =
    <Arguments extends readonly unknown[], Outcome>(write: (...args: Arguments) => Promise<Outcome>) =>
    async (...args: Arguments): Promise<Outcome> => {
      remainingFailures -= 1;
      const fails = remainingFailures >= 0;
      if (fails && when === 'before the write') throw new StorageUnavailable('no route');
      const outcome = await write(...args);
      if (fails) throw new StorageUnavailable('no response');
      return outcome;
    };
  const { recordRecheck, revokeGrantsOfIdentity } = storage;
  return {
    storage,
    recordRecheck: mayFail(recordRecheck),
    revokeGrantsOfIdentity: mayFail(revokeGrantsOfIdentity),
  };
};

const eventsOf = ({ log }: Deployment, event: string) => log.filter((entry) => entry.event === event);

const testClients: readonly (readonly [string, TestClient, 400 | 401])[] = [
  ['ChatGPT', gpt, 401],
  ['a client whose tokens rotate', server, 400],
];

describe.each(testClients)('at a refresh by %s', (_, testClient, status) => {
  it('sends the provider its own token, with a time limit', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    expect(fakeProvider.rechecks).toEqual([]);
    expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
    expect(fakeProvider.rechecks).toEqual([{ refreshToken: 'their-1', timeoutMs: 3000 }]);
  });

  it.each([
    ['every ten minutes', 600],
    ['Apple once a day', 86_400],
  ])('rechecks no more often than the provider’s interval: %s', async (_name, interval) => {
    const { fakeProvider, deployment } = deployWith({}, { recheckInterval: interval });
    let { refresh_token: token } = await signIn(deployment, testClient);
    for (const [seconds, count] of [
      [0, 1],
      [interval - 1, 1],
      [1, 2],
      [interval, 3],
    ] as const) {
      deployment.advance(seconds);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
      expect(fakeProvider.rechecks).toHaveLength(count);
    }
  });

  it('sends one request for 50 concurrent refreshes, and responds to all', async () => {
    const { fakeProvider, deployment } = deployWith({ limits: highUserLimits });
    const { refresh_token } = await signIn(deployment, testClient);
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => refresh(deployment, testClient, refresh_token)),
    );
    expect(responses.map(({ status: responseStatus }) => responseStatus)).toEqual(Array(50).fill(200));
    expect(fakeProvider.rechecks).toHaveLength(1);
  });

  it('B13.4 gone: revokes the grant, and refuses the next refresh in the same way', async () => {
    const { fakeProvider, deployment } = deployWith();
    const tokens = await signIn(deployment, testClient);
    fakeProvider.setResult(revoked);
    for (const reason of ['refresh.upstream-revoked', 'refresh.inactive']) {
      const response = await refresh(deployment, testClient, tokens.refresh_token);
      await expectTokenError(response, { ...invalidRefreshTokenError, status });
      expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
    }
    expect(fakeProvider.rechecks).toHaveLength(1);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('stores a replaced upstream token before it responds to the client', async () => {
    const storage = createSpyStorage();
    const { fakeProvider, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult({ kind: 'active', refreshToken: 'their-2' });
    const again = await expectTokens(await refresh(deployment, testClient, refresh_token));
    expect(storage.calls.slice(-2)).toEqual(['refresh', 'recordRecheck']);
    deployment.advance(600);
    await refresh(deployment, testClient, again.refresh_token);
    expect(fakeProvider.rechecks.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
  });

  it.each([
    [1, 'before the write'],
    [1, 'after the write'],
    [2, 'before the write'],
    [5, 'before the write'],
    [4, 'after the write'],
  ] as const)(
    'B18.3 failed write: a replaced token is stored unless all five attempts fail: %i failures %s',
    async (failures, when) => {
      const { storage, recordRecheck } = createFailingStorage(failures, when);
      const { fakeProvider, deployment } = deployWith({ storage: { ...storage, recordRecheck } });
      const { refresh_token } = await signIn(deployment, testClient);
      fakeProvider.setResult({ kind: 'active', refreshToken: 'their-2' });
      const again = await expectTokens(await refresh(deployment, testClient, refresh_token));
      await deployment.flushBackgroundWork();
      expect(eventsOf(deployment, 'write-failed')).toHaveLength(
        failures > 4 && when === 'before the write' ? 1 : 0,
      );
      if (failures > 4) return;
      deployment.advance(600);
      fakeProvider.setResult(active);
      expect((await refresh(deployment, testClient, again.refresh_token)).status).toBe(200);
      expect(fakeProvider.rechecks.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
    },
  );

  it('B18.3 failed write: no tokens are issued if a revocation could not be stored, and it is stored after the response', async () => {
    const { storage, revokeGrantsOfIdentity } = createFailingStorage(3, 'before the write');
    const { fakeProvider, deployment } = deployWith({ storage: { ...storage, revokeGrantsOfIdentity } });
    const tokens = await signIn(deployment, testClient);
    fakeProvider.setResult(revoked);
    const response = await refresh(deployment, testClient, tokens.refresh_token);
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: 'temporarily_unavailable' },
    ]);
    await deployment.flushBackgroundWork();
    await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(fakeProvider.rechecks).toHaveLength(1);
    deployment.advance(10);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('B18.3 failed write: no tokens are issued if it is not known whether a revocation was stored', async () => {
    const { storage, revokeGrantsOfIdentity } = createFailingStorage(1, 'after the write');
    const { fakeProvider, deployment } = deployWith({ storage: { ...storage, revokeGrantsOfIdentity } });
    const tokens = await signIn(deployment, testClient);
    fakeProvider.setResult(revoked);
    expect((await refresh(deployment, testClient, tokens.refresh_token)).status).toBe(503);
    await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('B18.3 failed write: the next recheck is a minute later if a revocation can’t be stored at all', async () => {
    const { storage, revokeGrantsOfIdentity } = createFailingStorage(5, 'before the write');
    const { fakeProvider, deployment } = deployWith(
      { storage: { ...storage, revokeGrantsOfIdentity } },
      { singleUse: false },
    );
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(revoked);
    expect((await refresh(deployment, testClient, refresh_token)).status).toBe(503);
    await deployment.flushBackgroundWork();
    expect(eventsOf(deployment, 'write-failed')).toHaveLength(1);
    deployment.advance(60);
    await expectTokenError(await refresh(deployment, testClient, refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.3 failed write: the deletion of an upstream token is retried, too', async () => {
    const memory = memoryStorage();
    let remainingFailures = 3;
    const dropUpstreamToken: BrokerStorage['dropUpstreamToken'] = async (drop) => {
      remainingFailures -= 1;
      if (remainingFailures >= 0) throw new StorageUnavailable('no route');
      return memory.dropUpstreamToken(drop);
    };
    const { fakeProvider, deployment } = deployWith({ storage: { ...memory, dropUpstreamToken } });
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    const { refresh_token: nextToken } = await expectTokens(
      await refresh(deployment, testClient, refresh_token),
    );
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    expect((await refresh(deployment, testClient, nextToken)).status).toBe(200);
    await deployment.flushBackgroundWork();
    expect(eventsOf(deployment, 'upstream-token-dropped')).toHaveLength(1);
    expect(eventsOf(deployment, 'write-failed')).toEqual([]);
  });

  it('an inconclusive recheck keeps the grant, is logged, and is repeated a minute later', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    expect(eventsOf(deployment, 'recheck-failed')).toEqual([
      {
        event: 'recheck-failed',
        provider: 'google',
        cause: 'out of order',
        endpoint: 'token',
        requestId: expect.any(String),
      },
    ]);
    deployment.advance(59);
    token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    expect(fakeProvider.rechecks).toHaveLength(1);
    deployment.advance(1);
    await refresh(deployment, testClient, token);
    expect(fakeProvider.rechecks).toHaveLength(2);
  });

  lostResponses(testClient, status);
});

/** A response of the provider that never arrived, or whose outcome was never stored. */
function lostResponses(testClient: TestClient, status: 400 | 401): void {
  it('B18.1 lost response: a token that is rejected afterwards revokes no grant, and is deleted', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    const first = await expectTokens(await refresh(deployment, testClient, refresh_token));
    deployment.advance(20 * 60);
    fakeProvider.setResult(revoked);
    const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    expect(await callApi(deployment, second.access_token)).toMatchObject({ ok: true });
    expect(eventsOf(deployment, 'upstream-token-dropped')).toMatchObject([
      { provider: 'google', cause: 'recheck inconclusive after a lost response', endpoint: 'token' },
    ]);
    deployment.advance(20 * 60);
    expect((await refresh(deployment, testClient, second.refresh_token)).status).toBe(200);
    expect(fakeProvider.rechecks).toHaveLength(2);
  });

  it.each([
    [
      'the process ended after the request',
      async (storage: CompleteStorage, due: StoredUpstreamToken) => void [storage, due],
    ],
    [
      'a recheck for a session was lost',
      async (storage: CompleteStorage, { provider, subject }: StoredUpstreamToken) =>
        storage.acquireRecheckLease({ provider, subject, now: 1_800_000_700, recheckLeaseDuration: 60 }),
    ],
  ])('B18.1 lost response: %s', async (_name, loseOutcome) => {
    const storage = memoryStorage();
    const { fakeProvider, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, testClient);
    const { promise } = Promise.withResolvers<RecheckResult>();
    fakeProvider.setResult(promise);
    void refresh(deployment, testClient, refresh_token);
    await expect.poll(() => fakeProvider.rechecks.length).toBe(1);
    await loseOutcome(storage, { provider: 'google', subject: 'ada', sealedRefreshToken: '' });
    deployment.advance(1000);
    fakeProvider.setResult(revoked);
    expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
    expect(eventsOf(deployment, 'upstream-token-dropped')).toHaveLength(1);
  });

  it('B18.1 lost response: after a recheck whose outcome was stored, rechecks are conclusive again', async () => {
    const { fakeProvider, deployment } = deployWith();
    let { refresh_token: token } = await signIn(deployment, testClient);
    for (const [result, seconds] of [
      [unknown, 60],
      [unknown, 60],
      [active, 600],
    ] as const) {
      fakeProvider.setResult(result);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
      deployment.advance(seconds);
    }
    fakeProvider.setResult(revoked);
    await expectTokenError(await refresh(deployment, testClient, token), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.1 lost response: a rejected request is not a lost response, so a rejected token ends the grant', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult({ kind: 'unknown', reason: 'invalid_client', isTokenUnchanged: true });
    const { refresh_token: nextToken } = await expectTokens(
      await refresh(deployment, testClient, refresh_token),
    );
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    await expectTokenError(await refresh(deployment, testClient, nextToken), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.1 lost response: a rejected token is conclusive if the used tokens of the provider stay valid', async () => {
    const { fakeProvider, deployment } = deployWith({}, { singleUse: false });
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    const { refresh_token: nextToken } = await expectTokens(
      await refresh(deployment, testClient, refresh_token),
    );
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    await expectTokenError(await refresh(deployment, testClient, nextToken), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(eventsOf(deployment, 'upstream-token-dropped')).toEqual([]);
  });

  it.each([
    ['30 days', undefined, 30 * 86_400],
    ['the configured time', { inconclusiveRecheck: 3600 }, 3600],
  ] as const)('B18.2 no upstream token: grants can be refreshed for %s', async (_name, lifetimes, limit) => {
    const { fakeProvider, deployment } = deployWith(lifetimes && { lifetimes });
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    deployment.advance(limit - 1);
    token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    deployment.advance(1);
    await expectTokenError(await refresh(deployment, testClient, token), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.2 no upstream token: someone who signs in during the recheck is not limited', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    const recheck = Promise.withResolvers<RecheckResult>();
    fakeProvider.setResult(recheck.promise);
    const refreshing = refresh(deployment, testClient, token);
    await expect.poll(() => fakeProvider.rechecks.length).toBe(2);
    await signIn(deployment, testClient, { upstreamToken: null });
    recheck.resolve(revoked);
    token = (await expectTokens(await refreshing)).refresh_token;
    for (const days of [20, 20]) {
      deployment.advance(days * 86_400);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    }
  });

  it('B18.2 no upstream token: a new sign-in lifts the limit of every grant', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    fakeProvider.setResult(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    deployment.advance(15 * 86_400);
    fakeProvider.setResult(active);
    await signIn(deployment, testClient, { upstreamToken: 'their-2' });
    for (const days of [10, 10]) {
      deployment.advance(days * 86_400);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    }
    expect(fakeProvider.rechecks.at(-1)).toMatchObject({ refreshToken: 'their-2' });
  });
}

describe('B18.4 disconnect: a client that disconnects does not avoid the recheck', () => {
  /** As on a real platform, background work continues only if registered before the client disconnects. */
  const backgroundWork: Promise<void>[] = [];

  it('while storage handles the refresh', async () => {
    const memory = memoryStorage();
    const committed = Promise.withResolvers<void>();
    const storageResponse = Promise.withResolvers<void>();
    const storage: BrokerStorage = {
      ...memory,
      async refresh(grantRefresh) {
        const outcome = await memory.refresh(grantRefresh);
        committed.resolve();
        await storageResponse.promise;
        return outcome;
      },
    };
    const { fakeProvider, deployment } = deployWith({
      storage,
      waitUntil: (work) => void backgroundWork.push(work),
    });
    const { refresh_token } = await signIn(deployment, server);
    fakeProvider.setResult(revoked);
    const before = backgroundWork.length;
    void refresh(deployment, server, refresh_token);
    await committed.promise;
    expect(backgroundWork).toHaveLength(before + 1);
    storageResponse.resolve();
    await Promise.all(backgroundWork);
    expect(fakeProvider.rechecks).toHaveLength(1);
    await expectTokenError(await refresh(deployment, server, refresh_token), invalidRefreshTokenError);
  });

  it('while the provider handles the request', async () => {
    const { fakeProvider, deployment } = deployWith({ waitUntil: (work) => void backgroundWork.push(work) });
    const { refresh_token } = await signIn(deployment, server);
    const recheck = Promise.withResolvers<RecheckResult>();
    fakeProvider.setResult(recheck.promise);
    void refresh(deployment, server, refresh_token);
    await expect.poll(() => fakeProvider.rechecks.length).toBe(1);
    recheck.resolve(revoked);
    await Promise.all(backgroundWork);
    await expectTokenError(await refresh(deployment, server, refresh_token), invalidRefreshTokenError);
  });
});

it('a waitUntil that throws changes no response', async () => {
  const { deployment } = deployWith({
    waitUntil: () => {
      throw new TypeError('no request');
    },
  });
  const { refresh_token } = await signIn(deployment, gpt);
  expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
  const cause = 'TypeError: no request';
  expect(eventsOf(deployment, 'wait-until-failed')).toMatchObject([
    { cause, endpoint: 'callback' },
    { cause, endpoint: 'token' },
  ]);
});

describe('a user whose account at the provider was removed', () => {
  it('loses every grant of that identity, immediately at a refresh and within ten seconds at the API', async () => {
    const { fakeProvider, deployment } = deployWith();
    const gptTokens = await signIn(deployment, gpt);
    const serverTokens = await signIn(deployment, server);
    const bobsTokens = await signIn(deployment, server, { subject: 'bob', upstreamToken: 'their-bob' });
    for (const { access_token } of [gptTokens, serverTokens, bobsTokens])
      expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });
    fakeProvider.setResult(revoked);
    await refresh(deployment, gpt, gptTokens.refresh_token);
    await expectTokenError(
      await refresh(deployment, server, serverTokens.refresh_token),
      invalidRefreshTokenError,
    );
    deployment.advance(10);
    for (const { access_token } of [gptTokens, serverTokens])
      await expectInvalidToken(deployment, access_token);
    expect(await callApi(deployment, bobsTokens.access_token)).toMatchObject({ ok: true });
    fakeProvider.setResult(active);
    expect((await refresh(deployment, server, bobsTokens.refresh_token)).status).toBe(200);
  });

  it('stays signed in if they signed in again during the recheck', async () => {
    const { fakeProvider, deployment } = deployWith();
    const before = await signIn(deployment, gpt);
    const { promise, resolve } = Promise.withResolvers<RecheckResult>();
    fakeProvider.setResult(promise);
    const pendingRefresh = refresh(deployment, gpt, before.refresh_token);
    const after = await signIn(deployment, server, { upstreamToken: 'their-2' });
    resolve(revoked);
    expect((await pendingRefresh).status).toBe(200);
    expect(await callApi(deployment, after.access_token)).toMatchObject({ ok: true });
    fakeProvider.setResult(active);
    deployment.advance(60);
    expect((await refresh(deployment, server, after.refresh_token)).status).toBe(200);
    expect(fakeProvider.rechecks.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
  });

  it('can sign in again', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    fakeProvider.setResult(revoked);
    await refresh(deployment, gpt, refresh_token);
    fakeProvider.setResult(active);
    const tokens = await signIn(deployment, gpt, { upstreamToken: 'their-2' });
    deployment.advance(60);
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
  });
});

describe('no recheck', () => {
  it('if the sign-in returned no upstream token', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt, { upstreamToken: null });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(fakeProvider.rechecks).toEqual([]);
    expect(eventsOf(deployment, 'recheck-failed')).toEqual([]);
  });

  it('for a refresh that is refused anyway', async () => {
    const { fakeProvider, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    expect((await refresh(deployment, gpt, refresh_token, { scope: 'admin' })).status).toBe(400);
    expect((await refresh(deployment, gpt, refresh_token, { client_secret: 'guess' })).status).toBe(401);
    expect(fakeProvider.rechecks).toEqual([]);
  });

  it('if the provider was removed from the configuration', async () => {
    const storage = memoryStorage();
    const { refresh_token } = await signIn(deployWith({ storage }).deployment, gpt);
    const after = deploy({ storage, providers: [createProvider('other', 'Other')] });
    expect((await refresh(after, gpt, refresh_token)).status).toBe(503);
    expect(eventsOf(after, 'recheck-failed')).toEqual([]);
  });

  it('while the provider is removed, and later rechecks are conclusive', async () => {
    const storage = memoryStorage();
    const { fakeProvider, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, gpt);
    const deploymentWithoutProvider = deploy({ storage, providers: [createProvider('other', 'Other')] });
    expect((await refresh(deploymentWithoutProvider, gpt, refresh_token)).status).toBe(503);
    deployment.advance(60);
    fakeProvider.setResult(revoked);
    await expectTokenError(await refresh(deployment, gpt, refresh_token), {
      ...invalidRefreshTokenError,
      status: 401,
    });
  });

  it('counts as lost if the token is unchanged, and the log says if that can’t be stored', async () => {
    const resolveRecheck: BrokerStorage['resolveRecheck'] = () =>
      Promise.reject(new StorageUnavailable('no route'));
    const { fakeProvider, deployment } = deployWith({ storage: { ...memoryStorage(), resolveRecheck } });
    const { refresh_token } = await signIn(deployment, gpt);
    fakeProvider.setResult({ kind: 'unknown', reason: 'invalid_client', isTokenUnchanged: true });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(eventsOf(deployment, 'write-failed')).toMatchObject([{ provider: 'google' }]);
  });

  it('with an upstream token whose sealing key was removed', async () => {
    const storage = memoryStorage();
    const [newer] = ['test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ'];
    await signIn(deployWith({ storage }).deployment, gpt);
    const rotated = deployWith({ storage, sealingKeys: `${newer} ${keys}` }).deployment;
    const { refresh_token } = await signIn(rotated, gpt, { upstreamToken: null });
    const { fakeProvider, deployment } = deployWith({ storage, sealingKeys: newer });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(fakeProvider.rechecks).toEqual([]);
    expect(eventsOf(deployment, 'recheck-failed')).toMatchObject([
      { provider: 'google', cause: 'the stored token could not be opened: unknown-key' },
    ]);
  });
});

it('no response or log line contains anything from the provider', async () => {
  const { fakeProvider, deployment } = deployWith();
  const subject = 'ada.lovelace';
  const { refresh_token } = await signIn(deployment, gpt, { subject });
  fakeProvider.setResult({ kind: 'active', refreshToken: 'their-2' });
  const acceptedBody = await (await refresh(deployment, gpt, refresh_token)).text();
  deployment.advance(600);
  fakeProvider.setResult(revoked);
  const refusedBody = await (await refresh(deployment, gpt, refresh_token)).text();
  for (const text of [acceptedBody, refusedBody, JSON.stringify(deployment.log)]) {
    expect(text).not.toContain('their-');
    expect(text).not.toContain(subject);
  }
});
