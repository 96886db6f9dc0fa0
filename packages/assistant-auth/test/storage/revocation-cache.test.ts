/** The revocation cache: what it reads, how long it is valid, and what it does in an outage. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerStorage,
  cleanupMargin,
  type RevocableToken,
  type Revocation,
  StorageUnavailable,
} from '../../src/index.ts';
import { createRevocationCache } from '../../src/storage/revocation-cache.ts';
import { createControlledStorage, grantTokens } from './controlled-storage.ts';

const start = 1_800_000_000;

const ada: RevocableToken = { grantId: 'grant-a', userId: 'ada', clientId: 'gpt', issuedAt: start };
const bob: RevocableToken = { grantId: 'grant-b', userId: 'bob', clientId: 'app', issuedAt: start };

/** A revocation cache over storage where Ada and Bob have tokens, and its clock. */
const createCache = async (changes: Partial<BrokerStorage> = {}) => {
  const controlled = createControlledStorage(changes);
  let now = start;
  await grantTokens(controlled.storage, ada);
  await grantTokens(controlled.storage, bob);
  return {
    ...controlled,
    cache: createRevocationCache(controlled.storage, () => now),
    setClock(seconds: number) {
      now = start + seconds;
    },
    revoke: (kind: 'grant' | 'user' | 'client', id: string) =>
      controlled.storage.revoke({ kind, id }, 'test', now),
  };
};

describe('reading', () => {
  it('reads all active revocations once, then only new ones, at most every ten seconds', async () => {
    const { cache, revocationReads, setClock, revoke } = await createCache();
    for (const at of [0, 1, 9]) {
      setClock(at);
      expect(await cache.isRevoked(ada)).toBe(false);
    }
    await revoke('grant', 'grant-a');
    for (const at of [10, 19, 20, 30]) {
      setClock(at);
      await cache.isRevoked(bob);
    }
    expect(revocationReads).toEqual([
      { cursor: undefined, now: start - cleanupMargin, limit: 10_000 },
      { cursor: 0, now: start + 10 - cleanupMargin, limit: 10_000 },
      { cursor: 1, now: start + 20 - cleanupMargin, limit: 10_000 },
      { cursor: 1, now: start + 30 - cleanupMargin, limit: 10_000 },
    ]);
  });

  it('does not ask storage about a single token', async () => {
    const { cache, isRevokedCalls } = await createCache();
    for (let attempt = 0; attempt < 100; attempt++) await cache.isRevoked(ada);
    expect(isRevokedCalls).toEqual([]);
  });

  it('reads nothing before the first call', async () => {
    const { revocationReads } = await createCache();
    expect(revocationReads).toEqual([]);
  });

  it('refuses a revoked token after ten seconds at most', async () => {
    const { cache, setClock, revoke } = await createCache();
    await cache.isRevoked(ada);
    await revoke('grant', 'grant-a');
    setClock(9);
    expect(await cache.isRevoked(ada)).toBe(false);
    setClock(10);
    expect(await cache.isRevoked(ada)).toBe(true);
    expect(await cache.isRevoked(bob)).toBe(false);
  });

  it('knows revocations from before the isolate started', async () => {
    const { cache, revoke } = await createCache();
    await revoke('grant', 'grant-a');
    expect(await cache.isRevoked(ada)).toBe(true);
  });

  it('keeps a token revoked if later pages do not list it', async () => {
    const { cache, setClock, revoke } = await createCache();
    await revoke('grant', 'grant-a');
    for (let at = 0; at <= 1200; at += 10) {
      setClock(at);
      expect(await cache.isRevoked(ada)).toBe(true);
    }
  });
});

describe('a target', () => {
  it.each([
    ['grant', 'grant-a'],
    ['user', 'ada'],
    ['client', 'gpt'],
  ] as const)(
    'of kind %s revokes the tokens issued until then, and no later or other ones',
    async (kind, id) => {
      const { cache, setClock, revoke } = await createCache();
      setClock(5);
      await revoke(kind, id);
      expect(await cache.isRevoked(ada)).toBe(true);
      expect(await cache.isRevoked({ ...ada, issuedAt: start + 5 })).toBe(true);
      expect(await cache.isRevoked({ ...ada, issuedAt: start + 6 })).toBe(false);
      expect(await cache.isRevoked(bob)).toBe(false);
    },
  );

  it('of all clients revokes every token issued until then, and no later one', async () => {
    const { cache } = await createCache({
      readRevocations: async () => ({
        kind: 'page',
        cursor: 1,
        revocations: [{ kind: 'client', id: '', revokedAt: start + 5, expiresAt: start + 1800 }],
      }),
    });
    for (const token of [ada, bob]) {
      expect(await cache.isRevoked({ ...token, issuedAt: start + 5 })).toBe(true);
      expect(await cache.isRevoked({ ...token, issuedAt: start + 6 })).toBe(false);
    }
  });

  it('is not confused with another kind of the same ID', async () => {
    const { cache, storage, revoke } = await createCache();
    await grantTokens(storage, { grantId: 'bob', userId: 'gpt', clientId: 'ada', issuedAt: start });
    await revoke('grant', 'bob');
    expect(await cache.isRevoked(ada)).toBe(false);
    expect(await cache.isRevoked(bob)).toBe(false);
  });

  it.each(['constructor', '__proto__', 'toString'])('does not match a token with the ID %s', async (id) => {
    const { cache } = await createCache();
    expect(await cache.isRevoked({ grantId: id, userId: id, clientId: id, issuedAt: start })).toBe(false);
  });

  it('that was revoked twice counts from the later revocation, in either order', async () => {
    const buildRevocation = (revokedAt: number): Revocation => ({
      kind: 'user',
      id: 'ada',
      revokedAt,
      expiresAt: start + 1800,
    });
    const { cache } = await createCache({
      readRevocations: async () => ({
        kind: 'page',
        cursor: 2,
        revocations: [buildRevocation(start + 20), buildRevocation(start + 10)],
      }),
    });
    expect(await cache.isRevoked({ ...ada, issuedAt: start + 15 })).toBe(true);
    expect(await cache.isRevoked({ ...ada, issuedAt: start + 21 })).toBe(false);
  });
});

describe('an outage', () => {
  it('uses the last revocations for 60 seconds, and then refuses calls', async () => {
    const { cache, setClock, revoke, disconnect, reconnect } = await createCache();
    await revoke('grant', 'grant-a');
    await cache.isRevoked(bob);
    disconnect();
    for (const at of [10, 59, 60]) {
      setClock(at);
      expect(await cache.isRevoked(bob)).toBe(false);
      expect(await cache.isRevoked(ada)).toBe(true);
    }
    setClock(61);
    await expect(cache.isRevoked(bob)).rejects.toThrow(StorageUnavailable);
    await expect(cache.isRevoked(ada)).rejects.toThrow(StorageUnavailable);
    reconnect();
    expect(await cache.isRevoked(bob)).toBe(false);
    expect(await cache.isRevoked(ada)).toBe(true);
  });

  it('makes every call read again, so that its end is noticed immediately', async () => {
    const { cache, setClock, revoke, disconnect, reconnect } = await createCache();
    await cache.isRevoked(ada);
    await revoke('grant', 'grant-a');
    disconnect();
    setClock(10);
    expect(await cache.isRevoked(ada)).toBe(false);
    reconnect();
    expect(await cache.isRevoked(ada)).toBe(true);
  });

  it('does not extend the age of the last revocations', async () => {
    const { cache, setClock, disconnect } = await createCache();
    await cache.isRevoked(ada);
    disconnect();
    setClock(50);
    await cache.isRevoked(ada);
    setClock(100);
    await expect(cache.isRevoked(ada)).rejects.toThrow(StorageUnavailable);
  });

  it('refuses calls at once if no revocations were read before', async () => {
    const { cache, disconnect } = await createCache();
    disconnect();
    await expect(cache.isRevoked(ada)).rejects.toThrow(StorageUnavailable);
  });

  it('uses the old revocations if a full read is due', async () => {
    const { cache, setClock, disconnect } = await createCache();
    for (const at of [0, 595]) {
      setClock(at);
      await cache.isRevoked(ada);
    }
    disconnect();
    setClock(655);
    expect(await cache.isRevoked(ada)).toBe(false);
    setClock(656);
    await expect(cache.isRevoked(ada)).rejects.toThrow(StorageUnavailable);
  });

  it('does not include other failures: calls fail even if revocations were read before', async () => {
    const { cache, setClock, disconnect } = await createCache();
    await cache.isRevoked(ada);
    disconnect(new TypeError('no such column'));
    setClock(10);
    await expect(cache.isRevoked(ada)).rejects.toThrow(TypeError);
  });
});

describe('too many revocations', () => {
  const buildRevocations = (from: number, count: number): readonly Revocation[] =>
    Array.from({ length: count }, (_, index) => ({
      kind: 'grant',
      id: `grant-${from + index}`,
      revokedAt: start,
      expiresAt: start + 1800,
    }));

  it('are not cached: each call queries storage, and they are read again after ten minutes', async () => {
    let isTooMany = true;
    const memory = createControlledStorage().storage;
    const { cache, revocationReads, isRevokedCalls, setClock, revoke } = await createCache({
      ...memory,
      readRevocations: async (cursor, now, limit) =>
        isTooMany ? { kind: 'too-many' } : memory.readRevocations(cursor, now, limit),
    });
    await revoke('grant', 'grant-a');
    expect(await cache.isRevoked(ada)).toBe(true);
    expect(await cache.isRevoked(bob)).toBe(false);
    isTooMany = false;
    setClock(599);
    expect(await cache.isRevoked(ada)).toBe(true);
    expect(isRevokedCalls).toEqual([ada, bob, ada]);
    expect(revocationReads).toHaveLength(1);
    setClock(600);
    expect(await cache.isRevoked(ada)).toBe(true);
    expect(isRevokedCalls).toHaveLength(3);
    expect(revocationReads.map(({ cursor }) => cursor)).toEqual([undefined, undefined]);
  });

  it.each([
    ['10,000 are kept', 10_000, 0],
    ['10,001 are not', 10_001, 1],
  ])('are counted exactly: %s', async (_, count, lookupCount) => {
    const { cache, isRevokedCalls } = await createCache({
      readRevocations: async () => ({ kind: 'page', cursor: count, revocations: buildRevocations(0, count) }),
    });
    await cache.isRevoked(ada);
    expect(isRevokedCalls).toHaveLength(lookupCount);
  });

  it('are also noticed if they accumulate page by page', async () => {
    let pages = 0;
    const { cache, isRevokedCalls, setClock } = await createCache({
      readRevocations: async () => ({
        kind: 'page',
        cursor: ++pages * 6000,
        revocations: buildRevocations(pages * 6000, 6000),
      }),
    });
    await cache.isRevoked(ada);
    expect(isRevokedCalls).toHaveLength(0);
    setClock(10);
    await cache.isRevoked(ada);
    expect(isRevokedCalls).toEqual([ada]);
  });

  it('leave no revocations to use during an outage', async () => {
    const { cache, disconnect } = await createCache({ readRevocations: async () => ({ kind: 'too-many' }) });
    await cache.isRevoked(ada);
    disconnect();
    await expect(cache.isRevoked(ada)).rejects.toThrow(StorageUnavailable);
  });
});

describe('renewal', () => {
  it('reads everything again after ten minutes', async () => {
    const { cache, revocationReads, setClock } = await createCache();
    for (const at of [0, 590, 599, 600, 610]) {
      setClock(at);
      await cache.isRevoked(ada);
    }
    expect(revocationReads.map(({ cursor, now }) => [cursor, now - start + cleanupMargin])).toEqual([
      [undefined, 0],
      [0, 590],
      [undefined, 600],
      [0, 610],
    ]);
  });

  it('is not needed after a database was restored with lower sequence numbers', async () => {
    let currentStorage = createControlledStorage().storage;
    const { cache, setClock } = await createCache({
      readRevocations: (cursor, now, limit) => currentStorage.readRevocations(cursor, now, limit),
    });
    for (const grantId of ['one', 'two', 'three']) {
      await grantTokens(currentStorage, { ...bob, grantId });
      await currentStorage.revoke({ kind: 'grant', id: grantId }, 'test', start);
    }
    await cache.isRevoked(ada);
    currentStorage = createControlledStorage().storage;
    await grantTokens(currentStorage, ada);
    await currentStorage.revoke({ kind: 'grant', id: 'grant-a' }, 'test', start);
    setClock(9);
    expect(await cache.isRevoked(ada)).toBe(false);
    setClock(10);
    expect(await cache.isRevoked(ada)).toBe(true);
  });
});

describe('concurrent calls', () => {
  it('read separately and do not wait for one another', async () => {
    const { cache, revocationReads, holdNextRead } = await createCache();
    const release = holdNextRead();
    const first = cache.isRevoked(ada);
    expect(await cache.isRevoked(bob)).toBe(false);
    expect(revocationReads).toHaveLength(2);
    release();
    expect(await first).toBe(false);
  });

  it('use the result of the read that started later, whichever ends last', async () => {
    const { cache, revocationReads, holdNextRead, revoke } = await createCache();
    const release = holdNextRead();
    const first = cache.isRevoked(ada);
    await revoke('grant', 'grant-a');
    expect(await cache.isRevoked(ada)).toBe(true);
    release();
    expect(await first).toBe(true);
    expect(await cache.isRevoked(ada)).toBe(true);
    expect(revocationReads).toHaveLength(2);
  });
});

describe('a clock', () => {
  it('that was set back does not extend the age of the revocations', async () => {
    const { cache, setClock, revoke } = await createCache();
    setClock(3600);
    await cache.isRevoked(ada);
    setClock(0);
    await revoke('grant', 'grant-a');
    expect(await cache.isRevoked(ada)).toBe(true);
    setClock(9);
    await revoke('grant', 'grant-b');
    expect(await cache.isRevoked(bob)).toBe(false);
    setClock(10);
    expect(await cache.isRevoked(bob)).toBe(true);
  });

  it('that is a moment behind in another request causes no read', async () => {
    const { cache, revocationReads, setClock } = await createCache();
    setClock(2);
    await cache.isRevoked(ada);
    setClock(0);
    await cache.isRevoked(ada);
    expect(revocationReads).toHaveLength(1);
  });
});
