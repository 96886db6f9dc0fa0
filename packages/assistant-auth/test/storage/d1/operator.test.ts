import type { Ledger } from 'assistant-auth';
import { beforeEach, describe, expect, it } from 'vitest';
import { d1Ledger, d1Operator, type Operator } from '../../../src/storage/sqlite/d1.ts';
import {
  adasToken,
  begin,
  grant1,
  refreshUse,
  signIn,
  sweepAt,
  t0,
} from '../../ledger/ledger-contract/sample.ts';
import { beginSession } from '../../ledger/ledger-contract/sessions.ts';
import { emptyD1 } from './empty-d1.ts';

const hour = 3600;
const day = 24 * hour;
const all = { limit: 100, skip: 0 };

let ledger: Ledger;
let operator: Operator;
beforeEach(async () => {
  const db = await emptyD1();
  ledger = d1Ledger(db);
  operator = d1Operator(db);
});

it('tells the database’s time', async () => {
  const before = Math.floor(Date.now() / 1000);
  const now = await operator.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
});

/** Somebody else, who came later. */
const bob = {
  grantId: 'grant-b',
  now: t0 + day,
  user: { kind: 'ours', newId: 'user-b' },
  identity: { provider: 'github', subject: 'bob', label: 'Bob' },
} as const;

describe('users', () => {
  it('are listed, the newest first, a page at a time', async () => {
    await begin(ledger, { identity: { label: 'Ada L.' } });
    await begin(ledger, { grantId: 'grant-2', now: t0 + 9 });
    await begin(ledger, bob);
    await ledger.revoke(grant1, 'signed out', t0 + day);
    const users = [
      { id: 'user-b', createdAt: t0 + day, identities: 1, livingGrants: 1, lastSignInAt: t0 + day },
      { id: 'user-1', createdAt: t0, identities: 1, livingGrants: 1, lastSignInAt: t0 + 9 },
    ];
    expect(await operator.users(all, t0 + day + 2)).toEqual(users);
    expect(await operator.users({ limit: 1, skip: 1 }, t0 + day + 2)).toEqual([users[1]]);
  });

  it('have no living grants when theirs have expired', async () => {
    await begin(ledger);
    expect(await operator.users(all, t0 + 400 * day)).toMatchObject([{ livingGrants: 0 }]);
  });
});

describe('grants of a user', () => {
  it('are listed with their state, the newest first', async () => {
    await begin(ledger, { identity: { label: 'Ada L.' } });
    await begin(ledger, { grantId: 'grant-2', now: t0 + 1, refreshPolicy: 'none' });
    await begin(ledger, { grantId: 'grant-3', now: t0 + 2 });
    await ledger.recordSignIn(signIn({ grantId: 'grant-4', now: t0 + 3 }));
    await begin(ledger, bob);
    await ledger.revoke({ kind: 'grant', id: 'grant-3' }, 'signed out', t0 + 9);
    const known = {
      clientId: 'chatgpt',
      redirectUri: 'https://chat.example/callback',
      scopes: ['score:read', 'score:write'],
      provider: 'google',
    };
    expect(await operator.grants('user-1', t0 + day)).toEqual([
      { ...known, id: 'grant-4', createdAt: t0 + 3, state: 'waiting' },
      {
        ...known,
        id: 'grant-3',
        createdAt: t0 + 2,
        lastUsedAt: t0 + 3,
        state: 'revoked',
        reason: 'signed out',
      },
      { ...known, id: 'grant-2', createdAt: t0 + 1, lastUsedAt: t0 + 2, state: 'expired' },
      { ...known, id: 'grant-1', createdAt: t0, lastUsedAt: t0 + 1, state: 'living' },
    ]);
  });

  it('are told from those of nobody', async () => {
    await begin(ledger);
    expect(await operator.grants('user-9', t0)).toBeUndefined();
  });
});

describe('unwatched identities', () => {
  it('are those without a token on which living grants rest, the oldest first', async () => {
    await begin(ledger, { identity: adasToken });
    await begin(ledger, bob);
    await begin(ledger, { ...bob, grantId: 'grant-c' });
    const cyd = { identity: { subject: 'cyd' }, user: { kind: 'ours', newId: 'user-c' } } as const;
    await begin(ledger, { ...cyd, grantId: 'grant-d', now: t0 + hour });
    const dan = { identity: { subject: 'dan' }, user: { kind: 'ours', newId: 'user-d' } } as const;
    await begin(ledger, { ...dan, grantId: 'grant-e' });
    await ledger.revoke({ kind: 'user', id: 'user-d' }, 'signed out', t0 + 9);
    const unwatched = [
      { provider: 'google', userId: 'user-c', since: t0 + hour, livingGrants: 1 },
      { provider: 'github', userId: 'user-b', since: t0 + day, livingGrants: 2 },
    ];
    expect(await operator.unwatched(all, t0 + day + 2)).toEqual(unwatched);
    expect(await operator.unwatched({ limit: 1, skip: 1 }, t0 + day + 2)).toEqual([unwatched[1]]);
  });

  it('show until when their grants can be refreshed after an inconclusive recheck', async () => {
    await begin(ledger, { identity: adasToken });
    const drop = {
      asked: adasToken,
      startedAt: t0 + 9,
      now: t0 + 9,
      refreshableUntil: t0 + day,
      reason: 'inconclusive',
    };
    await ledger.dropUpstreamToken(drop);
    expect(await operator.unwatched(all, t0 + 10)).toEqual([
      { provider: 'google', userId: 'user-1', since: t0, livingGrants: 1, refreshableUntil: t0 + day },
    ]);
  });
});

describe('the audit', () => {
  it('is read from the newest row on, of one user or of all', async () => {
    await begin(ledger);
    await begin(ledger, bob);
    await ledger.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 2 * day);
    const ada = {
      at: t0,
      event: 'signed-in',
      actor: 'user',
      userId: 'user-1',
      clientId: 'chatgpt',
      provider: 'google',
    };
    const rows = [
      { at: t0 + 2 * day, event: 'revoked', actor: 'operator', reason: 'withdrawn', clientId: 'chatgpt' },
      { ...ada, at: t0 + day, userId: 'user-b', provider: 'github' },
      ada,
    ];
    expect(await operator.audit(all)).toEqual(rows);
    expect(await operator.audit({ limit: 1, skip: 1 })).toEqual([rows[1]]);
    expect(await operator.audit(all, 'user-1')).toEqual([ada]);
  });
});

describe('the use of keys', () => {
  const keys = [
    { id: 'new', beginnings: ['n'] },
    { id: 'old', beginnings: ['o', 'l'] },
  ];
  const ring = ['new', 'old'];
  const sweep = (now: number, sealingKey: string, openingKeys: readonly string[] = ring) =>
    ledger.sweep({ ...sweepAt(now), sealingKey, openingKeys });
  const useOf = async (id: string, now: number) => {
    const uses = await operator.keyUse({ keys, now });
    return uses.find((use) => use.id === id);
  };
  const rotated = t0 + 10 * day;
  const sealedUntil = rotated + hour;

  /** A key that has been in the ring since `t0`, and that nothing needs. */
  const unused = {
    storedTokens: 0,
    livingGrants: 0,
    promotableFrom: t0 + hour,
    isSealingPeriodUnknown: false,
  };

  /** `old` has sealed since `t0`, `new` since `rotated`. */
  const rotate = async () => {
    await sweep(t0, 'old');
    await sweep(rotated, 'new');
  };

  it('counts the stored tokens of each by how they begin', async () => {
    await begin(ledger, { identity: { sealedRefreshToken: 'o1' } });
    await begin(ledger, { ...bob, identity: { ...bob.identity, sealedRefreshToken: 'n1' } });
    expect(await operator.keyUse({ keys, now: t0 })).toMatchObject([
      { id: 'new', storedTokens: 1 },
      { id: 'old', storedTokens: 1 },
    ]);
    expect(await operator.keyUse({ keys: [], now: t0 })).toEqual([]);
  });

  it('does not know until when a key sealed before a sweep has seen the next', async () => {
    await sweep(t0, 'old');
    await begin(ledger);
    expect(await useOf('old', rotated)).toEqual({ ...unused, id: 'old' });
    expect(await useOf('new', rotated)).toEqual({ ...unused, id: 'new' });
  });

  it('knows it from the sweep on, with an hour for isolates of before', async () => {
    await rotate();
    expect(await useOf('old', rotated)).toEqual({ ...unused, id: 'old', sealedUntil });
    expect(await useOf('new', rotated)).toEqual({ ...unused, id: 'new' });
  });

  it.each([
    ['that came back, by the one after it came back', ['old', 'other', 'old', 'new'], rotated + 3],
    ['by the one right after it', ['old', 'other', 'new'], rotated + 1],
  ])('takes the time of a key %s', async (_, seen, since) => {
    for (const [at, key] of seen.entries()) await sweep(rotated + at, key);
    expect(await useOf('old', rotated + day)).toMatchObject({ sealedUntil: since + hour });
  });

  const policies = [
    ['stable', { refreshPolicy: 'stable' }, { livingGrants: 1, neededUntil: t0 + 1 + 180 * day }],
    ['rotating', { refreshPolicy: 'rotating' }, { livingGrants: 1, neededUntil: t0 + 1 + 30 * day }],
  ] as const;

  it.each(policies)('counts a %s grant from before, until its token dies', async (_, choice, needing) => {
    await begin(ledger, choice);
    await rotate();
    expect(await useOf('old', rotated)).toMatchObject(needing);
    const after = await useOf('old', needing.neededUntil);
    expect(after).toMatchObject({ livingGrants: 0 });
    expect(after).not.toHaveProperty('neededUntil');
  });

  it('counts a session as a grant whose cookie stays the same', async () => {
    await beginSession(ledger);
    const use = (now: number) =>
      ledger.useSession({ grantId: 'session-1', now, idleExpiresAt: t0 + 20 * day });
    await use(t0 + hour);
    await rotate();
    expect(await use(sealedUntil + 1)).toBeDefined();
    expect(await useOf('old', sealedUntil + 2)).toMatchObject({ livingGrants: 1 });
  });

  it('counts a stable grant although it was refreshed since', async () => {
    await begin(ledger, { refreshPolicy: 'stable' });
    await rotate();
    for (const later of [0, 1]) await ledger.refresh(refreshUse(0, sealedUntil + later));
    expect(await useOf('old', sealedUntil + 2)).toMatchObject({ livingGrants: 1 });
  });

  it('T16.6 previous refresh token: counts a rotating grant until its previous token was sealed with another key, too', async () => {
    await begin(ledger);
    await rotate();
    await ledger.refresh(refreshUse(0, sealedUntil));
    expect(await useOf('old', sealedUntil + 1)).toMatchObject({ livingGrants: 1 });
    // The response was lost: a late refresh with the same token starts a branch, and the token stays the previous one.
    const late = sealedUntil + hour;
    await ledger.refresh(refreshUse(0, late));
    expect(await useOf('old', late + 1)).toMatchObject({ livingGrants: 1 });
    expect(await ledger.isRefreshable(refreshUse(0, late + 2 * hour))).toBe(true);
    await ledger.refresh(refreshUse(2, late + hour));
    expect(await ledger.isRefreshable(refreshUse(0, late + 2 * hour))).toBe(false);
    expect(await useOf('old', late + 2 * hour)).toMatchObject({ livingGrants: 0 });
  });

  it('counts a grant without refresh token while its access token lives', async () => {
    await sweep(t0, 'old');
    await begin(ledger, { refreshPolicy: 'none' });
    await sweep(t0 + 60, 'new');
    expect(await useOf('old', t0 + 1800)).toMatchObject({ livingGrants: 1, neededUntil: t0 + 1801 });
    expect(await useOf('old', t0 + 1801)).toMatchObject({ livingGrants: 0 });
  });

  it('counts no grant that began since, was revoked, or has not begun', async () => {
    await begin(ledger);
    await ledger.recordSignIn(signIn({ grantId: 'grant-2' }));
    await rotate();
    await begin(ledger, { grantId: 'grant-3', now: sealedUntil });
    await ledger.revoke(grant1, 'signed out', rotated);
    expect(await useOf('old', sealedUntil)).toMatchObject({ livingGrants: 0 });
  });

  it('T16.4 unseen: gives no time for a key that no sweep has seen seal, whenever it was added', async () => {
    // Each time, it may have been promoted and rolled back between two sweeps.
    await sweep(t0, 'new');
    await begin(ledger, { now: t0 + 60 });
    await sweep(t0 + day, 'new');
    const unseen = { id: 'old', storedTokens: 0, livingGrants: 0, isSealingPeriodUnknown: true };
    expect(await useOf('old', rotated)).toEqual({ ...unseen, promotableFrom: t0 + hour });
    await sweep(t0 + 2 * day, 'new', ['new']);
    await sweep(t0 + 3 * day, 'new');
    expect(await useOf('old', rotated)).toEqual({ ...unseen, promotableFrom: t0 + 3 * day + hour });
    const keysOfRing = [{ id: 'next', beginnings: ['x'] }, ...keys.toReversed()];
    await sweep(rotated, 'next', ['next', ...ring]);
    const [, old, next] = await operator.keyUse({ keys: keysOfRing, now: rotated });
    expect(old).toMatchObject({ id: 'old', isSealingPeriodUnknown: true });
    expect(next).toMatchObject({ id: 'new', sealedUntil, isSealingPeriodUnknown: false });
  });

  it('gives the time of a key that was added later, if a sweep has seen it seal', async () => {
    await sweep(t0, 'new', ['new']);
    await sweep(t0 + day, 'old');
    await sweep(rotated, 'new');
    expect(await useOf('old', rotated)).toMatchObject({ sealedUntil, isSealingPeriodUnknown: false });
  });

  it('T16.3 promote: gives no time from which a key can be promoted until a sweep has found it in the ring', async () => {
    await sweep(t0, 'new', ['new']);
    expect(await useOf('old', t0)).not.toHaveProperty('promotableFrom');
    await sweep(t0 + 9, 'new');
    expect(await useOf('old', t0)).toHaveProperty('promotableFrom', t0 + 9 + hour);
  });
});
