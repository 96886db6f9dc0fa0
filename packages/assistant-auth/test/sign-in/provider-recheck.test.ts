/** Rechecks at a refresh: what the provider’s response, late response or missing response changes. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
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
const removed: RecheckResult = { kind: 'revoked' };
const unknown: RecheckResult = { kind: 'unknown', reason: 'out of order' };

/** A provider whose recheck result a test chooses, and the rechecks that it received. */
const createOracle = (id = 'google', recheckInterval = 600, singleUse?: boolean) => {
  const asked: { readonly refreshToken: string; readonly timeouts: number }[] = [];
  let word: RecheckResult | Promise<RecheckResult> = active;
  const provider: IdentityProvider = {
    ...createProvider(id, id),
    recheckInterval,
    ...(singleUse !== undefined && { singleUseRefreshTokens: singleUse }),
    validateRefreshToken: async (refreshToken, { timeoutMs }) => {
      asked.push({ refreshToken, timeouts: timeoutMs });
      return word;
    },
  };
  return {
    provider,
    asked,
    says(next: RecheckResult | Promise<RecheckResult>) {
      word = next;
    },
  };
};

const deployWith = (
  changes: Partial<BrokerOptions> = {},
  { recheckInterval, singleUse }: { readonly recheckInterval?: number; readonly singleUse?: boolean } = {},
) => {
  const oracle = createOracle('google', recheckInterval, singleUse);
  return { oracle, deployment: deploy({ providers: [oracle.provider], ...changes }) };
};

/** Signs a user in, with or without a refresh token from the provider. */
const signIn = async (
  deployment: Deployment,
  testClient: TestClient,
  {
    subject = 'ada',
    theirs = 'their-1',
  }: { readonly subject?: string; readonly theirs?: string | null } = {},
): Promise<TokenBody> => {
  const { returnFromProvider } = await continueToProvider(deployment, testClient.request);
  const back = readRedirect(
    await returnFromProvider({ code: subject, ...(theirs !== null && { refresh: theirs }) }),
  );
  return expectTokens(await redeem(deployment, testClient, back.searchParams.get('code') ?? ''));
};

/** Storage whose writes after a recheck fail a number of times, before or after the change is made. */
const failingAt = (failures: number, when: 'before the write' | 'after the write') => {
  let left = failures;
  const storage = memoryStorage();
  const fragile =
    <Given extends readonly unknown[], Outcome>(write: (...given: Given) => Promise<Outcome>) =>
    async (...given: Given): Promise<Outcome> => {
      left -= 1;
      const fails = left >= 0;
      if (fails && when === 'before the write') throw new StorageUnavailable('no route');
      const outcome = await write(...given);
      if (fails) throw new StorageUnavailable('no response');
      return outcome;
    };
  const { recordRecheck, revokeGrantsOfIdentity } = storage;
  return {
    storage,
    recordRecheck: fragile(recordRecheck),
    revokeGrantsOfIdentity: fragile(revokeGrantsOfIdentity),
  };
};

const eventsOf = ({ log }: Deployment, event: string) => log.filter((entry) => entry.event === event);

const testClients: readonly (readonly [string, TestClient, 400 | 401])[] = [
  ['ChatGPT', gpt, 401],
  ['a client whose tokens rotate', server, 400],
];

describe.each(testClients)('at a refresh by %s', (_, testClient, status) => {
  it('sends the provider its own token, with a time limit', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    expect(oracle.asked).toEqual([]);
    expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([{ refreshToken: 'their-1', timeouts: 3000 }]);
  });

  it.each([
    ['every ten minutes', 600],
    ['Apple once a day', 86_400],
  ])('rechecks no more often than the provider’s interval: %s', async (_name, every) => {
    const { oracle, deployment } = deployWith({}, { recheckInterval: every });
    let { refresh_token: token } = await signIn(deployment, testClient);
    for (const [later, times] of [
      [0, 1],
      [every - 1, 1],
      [1, 2],
      [every, 3],
    ] as const) {
      deployment.advance(later);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
      expect(oracle.asked).toHaveLength(times);
    }
  });

  it('sends one request for 50 concurrent refreshes, and responds to all', async () => {
    const { oracle, deployment } = deployWith({ limits: highUserLimits });
    const { refresh_token } = await signIn(deployment, testClient);
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => refresh(deployment, testClient, refresh_token)),
    );
    expect(responses.map(({ status: answered }) => answered)).toEqual(Array(50).fill(200));
    expect(oracle.asked).toHaveLength(1);
  });

  it('B13.4 gone: revokes the grant, and refuses the next refresh in the same way', async () => {
    const { oracle, deployment } = deployWith();
    const tokens = await signIn(deployment, testClient);
    oracle.says(removed);
    for (const reason of ['refresh.upstream-revoked', 'refresh.inactive']) {
      const refused = await refresh(deployment, testClient, tokens.refresh_token);
      await expectTokenError(refused, { ...invalidRefreshTokenError, status });
      expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
    }
    expect(oracle.asked).toHaveLength(1);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('stores a replaced upstream token before it responds to the client', async () => {
    const storage = createSpyStorage();
    const { oracle, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says({ kind: 'active', refreshToken: 'their-2' });
    const again = await expectTokens(await refresh(deployment, testClient, refresh_token));
    expect(storage.calls.slice(-2)).toEqual(['refresh', 'recordRecheck']);
    deployment.advance(600);
    await refresh(deployment, testClient, again.refresh_token);
    expect(oracle.asked.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
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
      const { storage, recordRecheck } = failingAt(failures, when);
      const { oracle, deployment } = deployWith({ storage: { ...storage, recordRecheck } });
      const { refresh_token } = await signIn(deployment, testClient);
      oracle.says({ kind: 'active', refreshToken: 'their-2' });
      const again = await expectTokens(await refresh(deployment, testClient, refresh_token));
      await deployment.flushBackgroundWork();
      expect(eventsOf(deployment, 'write-failed')).toHaveLength(
        failures > 4 && when === 'before the write' ? 1 : 0,
      );
      if (failures > 4) return;
      deployment.advance(600);
      oracle.says(active);
      expect((await refresh(deployment, testClient, again.refresh_token)).status).toBe(200);
      expect(oracle.asked.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
    },
  );

  it('B18.3 failed write: no tokens are issued if a revocation could not be stored, and it is stored after the response', async () => {
    const { storage, revokeGrantsOfIdentity } = failingAt(3, 'before the write');
    const { oracle, deployment } = deployWith({ storage: { ...storage, revokeGrantsOfIdentity } });
    const tokens = await signIn(deployment, testClient);
    oracle.says(removed);
    const refused = await refresh(deployment, testClient, tokens.refresh_token);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
    await deployment.flushBackgroundWork();
    await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(oracle.asked).toHaveLength(1);
    deployment.advance(10);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('B18.3 failed write: no tokens are issued if it is not known whether a revocation was stored', async () => {
    const { storage, revokeGrantsOfIdentity } = failingAt(1, 'after the write');
    const { oracle, deployment } = deployWith({ storage: { ...storage, revokeGrantsOfIdentity } });
    const tokens = await signIn(deployment, testClient);
    oracle.says(removed);
    expect((await refresh(deployment, testClient, tokens.refresh_token)).status).toBe(503);
    await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), {
      ...invalidRefreshTokenError,
      status,
    });
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('B18.3 failed write: the next recheck is a minute later if a revocation can’t be stored at all', async () => {
    const { storage, revokeGrantsOfIdentity } = failingAt(5, 'before the write');
    const { oracle, deployment } = deployWith(
      { storage: { ...storage, revokeGrantsOfIdentity } },
      { singleUse: false },
    );
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(removed);
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
    let left = 3;
    const dropUpstreamToken: BrokerStorage['dropUpstreamToken'] = async (drop) => {
      left -= 1;
      if (left >= 0) throw new StorageUnavailable('no route');
      return memory.dropUpstreamToken(drop);
    };
    const { oracle, deployment } = deployWith({ storage: { ...memory, dropUpstreamToken } });
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    const { refresh_token: next } = await expectTokens(await refresh(deployment, testClient, refresh_token));
    deployment.advance(60);
    oracle.says(removed);
    expect((await refresh(deployment, testClient, next)).status).toBe(200);
    await deployment.flushBackgroundWork();
    expect(eventsOf(deployment, 'upstream-token-dropped')).toHaveLength(1);
    expect(eventsOf(deployment, 'write-failed')).toEqual([]);
  });

  it('an inconclusive recheck keeps the grant, is logged, and is repeated a minute later', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
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
    expect(oracle.asked).toHaveLength(1);
    deployment.advance(1);
    await refresh(deployment, testClient, token);
    expect(oracle.asked).toHaveLength(2);
  });

  lostResponses(testClient, status);
});

/** A response of the provider that never arrived, or whose outcome was never stored. */
function lostResponses(testClient: TestClient, status: 400 | 401): void {
  it('B18.1 lost response: a token that is rejected afterwards revokes no grant, and is deleted', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    const first = await expectTokens(await refresh(deployment, testClient, refresh_token));
    deployment.advance(20 * 60);
    oracle.says(removed);
    const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    expect(await callApi(deployment, second.access_token)).toMatchObject({ kind: 'granted' });
    expect(eventsOf(deployment, 'upstream-token-dropped')).toMatchObject([
      { provider: 'google', cause: 'recheck inconclusive after a lost response', endpoint: 'token' },
    ]);
    deployment.advance(20 * 60);
    expect((await refresh(deployment, testClient, second.refresh_token)).status).toBe(200);
    expect(oracle.asked).toHaveLength(2);
  });

  it.each([
    [
      'the process ended after the request',
      async (storage: BrokerStorage, due: StoredUpstreamToken) => void [storage, due],
    ],
    [
      'a recheck for a session was lost',
      async (storage: BrokerStorage, { provider, subject }: StoredUpstreamToken) =>
        storage.acquireRecheckLease({ provider, subject, now: 1_800_000_700, recheckLeaseDuration: 60 }),
    ],
  ])('B18.1 lost response: %s', async (_name, lose) => {
    const storage = memoryStorage();
    const { oracle, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, testClient);
    const { promise } = Promise.withResolvers<RecheckResult>();
    oracle.says(promise);
    void refresh(deployment, testClient, refresh_token);
    await expect.poll(() => oracle.asked.length).toBe(1);
    await lose(storage, { provider: 'google', subject: 'ada', sealedRefreshToken: '' });
    deployment.advance(1000);
    oracle.says(removed);
    expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
    expect(eventsOf(deployment, 'upstream-token-dropped')).toHaveLength(1);
  });

  it('B18.1 lost response: after a recheck whose outcome was stored, rechecks are conclusive again', async () => {
    const { oracle, deployment } = deployWith();
    let { refresh_token: token } = await signIn(deployment, testClient);
    for (const [word, later] of [
      [unknown, 60],
      [unknown, 60],
      [active, 600],
    ] as const) {
      oracle.says(word);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
      deployment.advance(later);
    }
    oracle.says(removed);
    await expectTokenError(await refresh(deployment, testClient, token), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.1 lost response: a rejected request is not a lost response, so a rejected token ends the grant', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says({ kind: 'unknown', reason: 'invalid_client', isTokenUnchanged: true });
    const { refresh_token: next } = await expectTokens(await refresh(deployment, testClient, refresh_token));
    deployment.advance(60);
    oracle.says(removed);
    await expectTokenError(await refresh(deployment, testClient, next), {
      ...invalidRefreshTokenError,
      status,
    });
  });

  it('B18.1 lost response: a rejected token is conclusive if the used tokens of the provider stay valid', async () => {
    const { oracle, deployment } = deployWith({}, { singleUse: false });
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    const { refresh_token: next } = await expectTokens(await refresh(deployment, testClient, refresh_token));
    deployment.advance(60);
    oracle.says(removed);
    await expectTokenError(await refresh(deployment, testClient, next), {
      ...invalidRefreshTokenError,
      status,
    });
    expect(eventsOf(deployment, 'upstream-token-dropped')).toEqual([]);
  });

  it.each([
    ['30 days', undefined, 30 * 86_400],
    ['the configured time', { inconclusiveRecheck: 3600 }, 3600],
  ] as const)('B18.2 no upstream token: grants can be refreshed for %s', async (_name, lifetimes, limit) => {
    const { oracle, deployment } = deployWith(lifetimes && { lifetimes });
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    oracle.says(removed);
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
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    const word = Promise.withResolvers<RecheckResult>();
    oracle.says(word.promise);
    const refreshing = refresh(deployment, testClient, token);
    await expect.poll(() => oracle.asked.length).toBe(2);
    await signIn(deployment, testClient, { theirs: null });
    word.resolve(removed);
    token = (await expectTokens(await refreshing)).refresh_token;
    for (const days of [20, 20]) {
      deployment.advance(days * 86_400);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    }
  });

  it('B18.2 no upstream token: a new sign-in lifts the limit of every grant', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, testClient);
    oracle.says(unknown);
    let token = (await expectTokens(await refresh(deployment, testClient, refresh_token))).refresh_token;
    deployment.advance(60);
    oracle.says(removed);
    token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    deployment.advance(15 * 86_400);
    oracle.says(active);
    await signIn(deployment, testClient, { theirs: 'their-2' });
    for (const days of [10, 10]) {
      deployment.advance(days * 86_400);
      token = (await expectTokens(await refresh(deployment, testClient, token))).refresh_token;
    }
    expect(oracle.asked.at(-1)).toMatchObject({ refreshToken: 'their-2' });
  });
}

describe('B18.4 disconnect: a client that disconnects does not avoid the recheck', () => {
  /** As on a real platform, background work continues only if registered before the client disconnects. */
  const kept: Promise<void>[] = [];

  it('while storage handles the refresh', async () => {
    const memory = memoryStorage();
    const committed = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const storage: BrokerStorage = {
      ...memory,
      async refresh(use) {
        const outcome = await memory.refresh(use);
        committed.resolve();
        await answered.promise;
        return outcome;
      },
    };
    const { oracle, deployment } = deployWith({ storage, waitUntil: (work) => void kept.push(work) });
    const { refresh_token } = await signIn(deployment, server);
    oracle.says(removed);
    const before = kept.length;
    void refresh(deployment, server, refresh_token);
    await committed.promise;
    expect(kept).toHaveLength(before + 1);
    answered.resolve();
    await Promise.all(kept);
    expect(oracle.asked).toHaveLength(1);
    await expectTokenError(await refresh(deployment, server, refresh_token), invalidRefreshTokenError);
  });

  it('while the provider handles the request', async () => {
    const { oracle, deployment } = deployWith({ waitUntil: (work) => void kept.push(work) });
    const { refresh_token } = await signIn(deployment, server);
    const word = Promise.withResolvers<RecheckResult>();
    oracle.says(word.promise);
    void refresh(deployment, server, refresh_token);
    await expect.poll(() => oracle.asked.length).toBe(1);
    word.resolve(removed);
    await Promise.all(kept);
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
    const { oracle, deployment } = deployWith();
    const atChatGpt = await signIn(deployment, gpt);
    const atServer = await signIn(deployment, server);
    const bobs = await signIn(deployment, server, { subject: 'bob', theirs: 'their-bob' });
    for (const { access_token } of [atChatGpt, atServer, bobs])
      expect(await callApi(deployment, access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(removed);
    await refresh(deployment, gpt, atChatGpt.refresh_token);
    await expectTokenError(
      await refresh(deployment, server, atServer.refresh_token),
      invalidRefreshTokenError,
    );
    deployment.advance(10);
    for (const { access_token } of [atChatGpt, atServer]) await expectInvalidToken(deployment, access_token);
    expect(await callApi(deployment, bobs.access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(active);
    expect((await refresh(deployment, server, bobs.refresh_token)).status).toBe(200);
  });

  it('stays signed in if they signed in again during the recheck', async () => {
    const { oracle, deployment } = deployWith();
    const before = await signIn(deployment, gpt);
    const { promise, resolve } = Promise.withResolvers<RecheckResult>();
    oracle.says(promise);
    const asking = refresh(deployment, gpt, before.refresh_token);
    const after = await signIn(deployment, server, { theirs: 'their-2' });
    resolve(removed);
    expect((await asking).status).toBe(200);
    expect(await callApi(deployment, after.access_token)).toMatchObject({ kind: 'granted' });
    oracle.says(active);
    deployment.advance(60);
    expect((await refresh(deployment, server, after.refresh_token)).status).toBe(200);
    expect(oracle.asked.map(({ refreshToken }) => refreshToken)).toEqual(['their-1', 'their-2']);
  });

  it('can sign in again', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    oracle.says(removed);
    await refresh(deployment, gpt, refresh_token);
    oracle.says(active);
    const back = await signIn(deployment, gpt, { theirs: 'their-2' });
    deployment.advance(60);
    expect((await refresh(deployment, gpt, back.refresh_token)).status).toBe(200);
  });
});

describe('no recheck', () => {
  it('if the sign-in returned no upstream token', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt, { theirs: null });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([]);
    expect(eventsOf(deployment, 'recheck-failed')).toEqual([]);
  });

  it('for a refresh that is refused anyway', async () => {
    const { oracle, deployment } = deployWith();
    const { refresh_token } = await signIn(deployment, gpt);
    expect((await refresh(deployment, gpt, refresh_token, { scope: 'admin' })).status).toBe(400);
    expect((await refresh(deployment, gpt, refresh_token, { client_secret: 'guess' })).status).toBe(401);
    expect(oracle.asked).toEqual([]);
  });

  it('if the provider was removed from the configuration', async () => {
    const storage = memoryStorage();
    const { refresh_token } = await signIn(deployWith({ storage }).deployment, gpt);
    const after = deploy({ storage, providers: [createProvider('other', 'Other')] });
    expect((await refresh(after, gpt, refresh_token)).status).toBe(200);
    expect(eventsOf(after, 'recheck-failed')).toMatchObject([
      { provider: 'google', cause: 'the provider is no longer configured' },
    ]);
  });

  it('while the provider is removed, and later rechecks are conclusive', async () => {
    const storage = memoryStorage();
    const { oracle, deployment } = deployWith({ storage });
    const { refresh_token } = await signIn(deployment, gpt);
    const without = deploy({ storage, providers: [createProvider('other', 'Other')] });
    expect((await refresh(without, gpt, refresh_token)).status).toBe(200);
    deployment.advance(60);
    oracle.says(removed);
    await expectTokenError(await refresh(deployment, gpt, refresh_token), {
      ...invalidRefreshTokenError,
      status: 401,
    });
  });

  it('counts as lost if the token is unchanged, and the log says if that can’t be stored', async () => {
    const resolveRecheck: BrokerStorage['resolveRecheck'] = () =>
      Promise.reject(new StorageUnavailable('no route'));
    const { oracle, deployment } = deployWith({ storage: { ...memoryStorage(), resolveRecheck } });
    const { refresh_token } = await signIn(deployment, gpt);
    oracle.says({ kind: 'unknown', reason: 'invalid_client', isTokenUnchanged: true });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(eventsOf(deployment, 'write-failed')).toMatchObject([{ provider: 'google' }]);
  });

  it('with an upstream token whose sealing key was removed', async () => {
    const storage = memoryStorage();
    const [newer] = ['test-2.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8'];
    await signIn(deployWith({ storage }).deployment, gpt);
    const rotated = deployWith({ storage, sealingKeys: `${newer} ${keys}` }).deployment;
    const { refresh_token } = await signIn(rotated, gpt, { theirs: null });
    const { oracle, deployment } = deployWith({ storage, sealingKeys: newer });
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(oracle.asked).toEqual([]);
    expect(eventsOf(deployment, 'recheck-failed')).toMatchObject([
      { provider: 'google', cause: 'the stored token: unknown-key' },
    ]);
  });
});

it('no response or log line contains anything from the provider', async () => {
  const { oracle, deployment } = deployWith();
  const subject = 'ada.lovelace';
  const { refresh_token } = await signIn(deployment, gpt, { subject });
  oracle.says({ kind: 'active', refreshToken: 'their-2' });
  const answered = await (await refresh(deployment, gpt, refresh_token)).text();
  deployment.advance(600);
  oracle.says(removed);
  const refused = await (await refresh(deployment, gpt, refresh_token)).text();
  for (const text of [answered, refused, JSON.stringify(deployment.log)]) {
    expect(text).not.toContain('their-');
    expect(text).not.toContain(subject);
  }
});
