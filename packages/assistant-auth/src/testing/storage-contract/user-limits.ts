/** The storage contract for the limits of a user: sign-ins in a period, active grants, and revocations. */

import { accountClientId } from '../../oauth/identifiers.ts';
import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  type CreateStorage,
  countValues,
  type DeclareTest,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  listActiveRevocations,
  redemption,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { continueInSession, createSession, createStorageWithSession, useAccountSession } from './sessions.ts';

type Overrides = NonNullable<Parameters<typeof signIn>[0]>;

const userByIdentity = (newId: string) => ({ kind: 'by-identity', newId }) as const;
const publisherUser = { kind: 'resolved', id: 'their-7' } as const;
const bob = { identity: { subject: 'bob' }, user: userByIdentity('user-2') } as const;
const threeSignIns = { signIns: 3 };
const limited = (retryAfter: number) => ({ kind: 'limited', retryAfter });

/** Signs Ada in three times, a second apart. */
const signInThreeTimes = async (
  createStorage: CreateStorage,
  overrides: Overrides = {},
): Promise<BrokerStorage> => {
  const storage = await createStorage();
  for (const n of [0, 1, 2])
    await storage.recordSignIn(signIn({ grantId: `first-${n}`, now: t0 + n, ...overrides }));
  return storage;
};

const signInAgain = (storage: BrokerStorage, overrides: Overrides = {}) =>
  storage.recordSignIn(signIn({ grantId: 'again', now: t0 + 3, limits: threeSignIns, ...overrides }));

export const userLimitContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  signInLimitContract(it, createStorage);
  limitExceptionContract(it, createStorage);
  activeGrantLimitContract(it, createStorage);
  userRevocationContract(it, createStorage);
};

const signInLimitContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('records sign-ins within a period up to the limit', async () => {
    const storage = await createStorage();
    const outcomes: string[] = [];
    for (const n of [0, 1, 2, 3, 4])
      outcomes.push((await signInAgain(storage, { grantId: `grant-${n}`, now: t0 + n })).kind);
    expect(outcomes).toEqual(['recorded', 'recorded', 'recorded', 'limited', 'limited']);
  });

  it('returns how long to wait: until enough counted sign-ins are older than the period', async () => {
    const storage = await signInThreeTimes(createStorage);
    expect(await signInAgain(storage)).toEqual(limited(597));
    expect(await signInAgain(storage, { now: t0 + 599 })).toEqual(limited(1));
    expect(await signInAgain(storage, { now: t0 + 600 })).toMatchObject({ kind: 'recorded' });
    expect(await signInAgain(storage, { grantId: 'more', now: t0 + 600 })).toEqual(limited(1));
    expect(await signInAgain(storage, { grantId: 'more', now: t0 + 600, limits: { signIns: 2 } })).toEqual(
      limited(2),
    );
  });

  it('records only as many as the limit allows of 50 sign-ins at once', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(
      fiftyIndexes.map((n) => signInAgain(storage, { grantId: `grant-${n}` })),
    );
    expect(countValues(outcomes.map(({ kind }) => kind))).toEqual({ recorded: 3, limited: 47 });
  });

  it('counts all sign-ins of a user, with any identity and at any client', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ grantId: 'at-google', user: publisherUser }));
    await storage.recordSignIn(
      signIn({
        grantId: 'at-github',
        clientId: 'claude',
        user: publisherUser,
        identity: { provider: 'github' },
      }),
    );
    await createSession(storage, { user: publisherUser });
    const timing = { now: t0 + 5 };
    expect(await signInAgain(storage, { ...timing, identity: { provider: 'github' } })).toEqual(limited(595));
    expect(
      await signInAgain(storage, { ...timing, identity: { provider: 'new' }, user: publisherUser }),
    ).toEqual(limited(595));
    expect(await continueInSession(storage, t0 + 5)).toMatchObject({ kind: 'recorded' });
  });

  it('counts sign-ins that start in a session separately', async () => {
    const storage = await createStorageWithSession(createStorage);
    const continued = (grantId: string) => ({
      ...signIn({ grantId, now: t0 + 6, limits: { signIns: 1 } }),
      session: 'session-1',
    });
    expect(await storage.recordSignIn(continued('grant-2'))).toMatchObject({ kind: 'recorded' });
    expect(await storage.recordSignIn(continued('grant-3'))).toEqual(limited(600));
    // The session was a sign-in at the provider.
    expect(await signInAgain(storage, { now: t0 + 7, limits: { signIns: 1 } })).toEqual(limited(593));
    expect(await signInAgain(storage, { now: t0 + 7, limits: { signIns: 2 } })).toMatchObject({
      kind: 'recorded',
    });
    expect(await useAccountSession(storage, t0 + 7)).toBeDefined();
  });

  it('counts sign-ins whose grants have ended', async () => {
    const storage = await signInThreeTimes(createStorage);
    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3);
    expect(await signInAgain(storage)).toEqual(limited(597));
  });

  it('does not count sign-ins of other users', async () => {
    const storage = await signInThreeTimes(createStorage);
    expect(await signInAgain(storage, bob)).toMatchObject({ kind: 'recorded', userId: 'user-2' });
    expect(await signInAgain(storage, { grantId: 'more', user: publisherUser })).toMatchObject({
      userId: 'their-7',
    });
  });
};

const limitExceptionContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('writes nothing if the limit is reached', async () => {
    const storage = await signInThreeTimes(createStorage, { identity: adasUpstreamToken });
    const before = await storage.readAccount('user-1');
    const identity = { label: 'New', sealedRefreshToken: 'sealed-2' };
    expect(await signInAgain(storage, { identity })).toEqual(limited(597));
    expect(await storage.readGrantStatus('again')).toBe('unknown');
    expect(await storage.readAccount('user-1')).toEqual(before);
    expect(await storage.findUpstreamTokens({ prefixes: ['sealed-2'], limit: 10 })).toEqual([]);
  });

  it('does not move an identity to a user who has reached the limit', async () => {
    const storage = await signInThreeTimes(createStorage, { user: publisherUser });
    await storage.recordSignIn(signIn({ grantId: 'bobs', ...bob }));
    expect(await signInAgain(storage, { ...bob, user: publisherUser })).toEqual(limited(597));
    expect(await storage.findUser({ provider: 'google', subject: 'bob' })).toBe('user-2');
  });

  it('still reports a replayed transaction and an ended session if the limit is reached', async () => {
    const storage = await signInThreeTimes(createStorage);
    expect(await signInAgain(storage, { grantId: 'first-1' })).toEqual({ kind: 'replayed' });
    const continued = { ...signIn({ grantId: 'again', limits: threeSignIns }), session: 'session-1' };
    expect(await storage.recordSignIn(continued)).toEqual({ kind: 'session-ended' });
  });

  it('does not count sign-ins that were refused', async () => {
    const storage = await signInThreeTimes(createStorage);
    for (const n of fiftyIndexes) await signInAgain(storage, { grantId: `refused-${n}`, now: t0 + n });
    expect(await signInAgain(storage, { now: t0 + 600 })).toMatchObject({ kind: 'recorded' });
  });
};

const listActiveGrants = async (storage: BrokerStorage): Promise<readonly string[]> => {
  const { grants = [] } = (await storage.readAccount('user-1')) ?? {};
  return grants.flatMap(({ id, revokedAt }) => (revokedAt === undefined ? [id] : [])).toSorted();
};

const limits = { activeGrants: 3 };

const activeGrantLimitContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('ends the least recently used grant if a sign-in adds one too many', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    await storage.refresh(grantRefresh(0, t0 + 50, { grantId: 'grant-1' }));
    await signInAndRedeem(storage, { grantId: 'grant-4', now: t0 + 60, limits });
    expect(await listActiveGrants(storage)).toEqual(['grant-1', 'grant-3', 'grant-4']);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 70, { grantId: 'grant-2' })))).toBe(
      'inactive',
    );
    expect(await listActiveRevocations(storage, t0 + 70)).toEqual([
      { kind: 'grant', id: 'grant-2', revokedAt: t0 + 60, expiresAt: t0 + 3 + accessTokenLifetime },
    ]);
  });

  it('never ends the new grant', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}` });
    await storage.recordSignIn(signIn({ grantId: 'a', now: t0 - 10, limits: { activeGrants: 1 } }));
    expect(await listActiveGrants(storage)).toEqual(['a']);
  });

  it('neither counts nor ends sessions', async () => {
    const storage = await createStorageWithSession(createStorage);
    await createSession(storage, { grantId: 'session-2' });
    for (const n of [1, 2, 3])
      await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + 10 + n, limits });
    await createSession(storage, { grantId: 'session-3', now: t0 + 20, limits });
    expect(await listActiveGrants(storage)).toEqual([
      ...['grant-1', 'grant-2', 'grant-3'],
      ...['session-1', 'session-2', 'session-3'],
    ]);
  });

  it('does not count grants that have ended or expired, or grants of other users', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { grantId: 'expired', refreshPolicy: 'none' });
    const now = t0 + 5000;
    await signInAndRedeem(storage, { grantId: 'revoked', now });
    await storage.revoke({ kind: 'grant', id: 'revoked' }, 'signed out', now + 2);
    await signInAndRedeem(storage, { ...bob, grantId: 'bobs', now });
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now, limits });
    expect(await listActiveGrants(storage)).toEqual(['expired', 'grant-1', 'grant-2', 'grant-3']);
    expect((await storage.readAccount('user-2'))?.grants).toMatchObject([{ id: 'bobs' }]);
  });

  it('ends several grants if the limit was lowered, with a revocation for each', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3, 4, 5]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    await signInAndRedeem(storage, { grantId: 'grant-6', now: t0 + 60, limits });
    expect(await listActiveGrants(storage)).toEqual(['grant-4', 'grant-5', 'grant-6']);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      expect(await storage.isRevoked(token({ grantId }), t0 + 60)).toBe(true);
    expect(await storage.isRevoked(token({ grantId: 'grant-4' }), t0 + 60)).toBe(false);
    expect(await listActiveRevocations(storage, t0 + 60)).toHaveLength(3);
  });

  it('ends each grant only once if two sign-ins happen in the same second', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    for (const grantId of ['grant-4', 'grant-5'])
      await storage.recordSignIn(signIn({ grantId, now: t0 + 60, limits }));
    expect(await listActiveGrants(storage)).toEqual(['grant-3', 'grant-4', 'grant-5']);
    expect(await listActiveRevocations(storage, t0 + 60)).toHaveLength(2);
  });

  it('ends nothing for a sign-in that is not recorded', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    const oneGrant = { activeGrants: 1 };
    await storage.recordSignIn(signIn({ grantId: 'new', now: t0 + 9, limits: { ...oneGrant, signIns: 1 } }));
    await storage.recordSignIn({ ...signIn({ grantId: 'new', limits: oneGrant }), session: 'nobody' });
    await storage.recordSignIn(signIn({ grantId: 'grant-3', now: t0 + 9, limits: oneGrant }));
    expect(await listActiveGrants(storage)).toEqual(['grant-1', 'grant-2', 'grant-3']);
  });
};

type RevokingCall = readonly [name: string, revokeAll: (storage: BrokerStorage) => Promise<unknown>];

const now = t0 + 20;
const ada = { provider: 'google', subject: 'ada' } as const;
const cat = { provider: 'github', subject: '42' } as const;

/** Every method that can end several grants of a user. `unlinkIdentity` needs a second identity. */
const revokingCalls: readonly RevokingCall[] = [
  [
    'revokeGrants',
    (storage) =>
      storage.revokeGrants({
        userId: 'user-1',
        grantIds: ['grant-1', 'grant-2'],
        reason: 'disconnected',
        now,
      }),
  ],
  ['deleteUser', (storage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now })],
  ['unlinkIdentity', (storage) => storage.unlinkIdentity({ userId: 'user-1', ...ada, now })],
  ['revokeGrantsOfIdentity', (storage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now)],
  [
    'recordSecurityEvent',
    (storage) =>
      storage.recordSecurityEvent({
        ...{
          provider: 'google',
          jti: 'event-1',
          retainUntil: now + 600,
          signedInBefore: now,
          reason: 'a security event',
          now,
        },
        revocations: [{ target: { kind: 'identity', subject: 'ada' }, revocationScope: 'identity' }],
      }),
  ],
];

/** Ada has a session, a second identity, and two grants with unexpired access tokens. */
const createStorageWithTwoGrants = async (createStorage: CreateStorage): Promise<BrokerStorage> => {
  const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
  await storage.linkIdentity({ userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 2 });
  for (const n of [1, 2]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
  return storage;
};

/** Dated by the newest access token: no token that is issued later is revoked. */
const userRevocation = {
  kind: 'user',
  id: 'user-1',
  revokedAt: t0 + 3,
  expiresAt: t0 + 3 + accessTokenLifetime,
};

const userRevocationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  for (const [label, revokeAll] of revokingCalls)
    it(`appends one revocation for the user if all grants end: ${label}`, async () => {
      const storage = await createStorageWithTwoGrants(createStorage);
      await signInAndRedeem(storage, { ...bob, grantId: 'bobs' });
      await revokeAll(storage);
      expect(await listActiveRevocations(storage, now)).toEqual([userRevocation]);
      for (const grantId of ['grant-1', 'grant-2'])
        expect(await storage.isRevoked(token({ grantId }), now)).toBe(true);
      expect(await storage.isRevoked(token({ grantId: 'bobs', userId: 'user-2' }), now)).toBe(false);
      expect(await storage.isRevoked(token({ grantId: 'new', issuedAt: now }), now)).toBe(false);
    });

  for (const [label, revokeAll] of revokingCalls.filter(([name]) => name !== 'deleteUser'))
    it(`appends a revocation for each grant if another grant is still active: ${label}`, async () => {
      const storage = await createStorageWithTwoGrants(createStorage);
      await signInAndRedeem(storage, { grantId: 'left', identity: cat, user: userByIdentity('x') });
      await revokeAll(storage);
      const revocations = await listActiveRevocations(storage, now);
      expect(
        Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(),
      ).toEqual(['grant grant-1', 'grant grant-2']);
      expect(await storage.isRevoked(token({ grantId: 'left' }), now)).toBe(false);
    });

  it('appends a revocation for each grant if the code of another grant has not been redeemed yet', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    await storage.recordSignIn(signIn({ grantId: 'left', identity: cat, now: now - 1 }));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    expect(await listActiveRevocations(storage, now)).toHaveLength(2);
    await storage.redeemCode(redemption({ grantId: 'left', now, codeExpiresAt: now + 1 }));
    expect(await storage.isRevoked(token({ grantId: 'left', issuedAt: now }), now)).toBe(false);
  });

  it('appends one revocation for the user if all other grants have expired', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    const expired = { now: t0 - 2 * day, refreshPolicy: 'none' } as const;
    await signInAndRedeem(storage, { grantId: 'old', identity: cat, ...expired });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    expect(await listActiveRevocations(storage, now)).toEqual([userRevocation]);
  });

  it('appends a revocation for the grant, without the user ID, if only one grant needs one', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'old', now: t0 - 5000 });
    await createSession(storage, { clientId: accountClientId });
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    expect(await listActiveRevocations(storage, now)).toEqual([
      { ...grant1, revokedAt: now, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
  });

  for (const at of [now, now + 5])
    it(`appends a separate revocation for a grant with a token from the same second, or from a server with a fast clock: ${at}`, async () => {
      for (const [, revokeAll] of revokingCalls.filter(([name]) => name !== 'revokeGrants')) {
        const storage = await createStorageWithTwoGrants(createStorage);
        await signInAndRedeem(storage, { grantId: 'grant-3', now: t0 + 1 });
        await storage.refresh(grantRefresh(0, at, { grantId: 'grant-3' }));
        await revokeAll(storage);
        const revocations = await listActiveRevocations(storage, now);
        expect(
          Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(),
        ).toEqual(['grant grant-3', 'user user-1']);
        expect(await storage.isRevoked(token({ grantId: 'grant-3', issuedAt: at }), at)).toBe(true);
        expect(await storage.isRevoked(token({ grantId: 'new', issuedAt: at }), at)).toBe(false);
      }
    });

  it('replaces earlier revocations of a user who is deleted', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    for (const round of [0, 1, 2]) {
      const grantIds = [1, 2].map((n) => `grant-${round}-${n}`);
      for (const grantId of grantIds) await signInAndRedeem(storage, { grantId, now: t0 + round });
      await storage.revokeGrants({
        userId: 'user-1',
        grantIds,
        reason: 'disconnected',
        now: t0 + 10 + round,
      });
    }
    expect(await listActiveRevocations(storage, now)).toHaveLength(3);
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    expect(await listActiveRevocations(storage, now)).toEqual([
      { ...userRevocation, revokedAt: t0 + 3, expiresAt: t0 + 3 + accessTokenLifetime },
    ]);
  });

  it('replaces the revocations of grants that were revoked before if the user is deleted', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'grant-3', now: t0 + 3 });
    await signInAndRedeem(storage, { ...bob, grantId: 'bobs' });
    for (const id of ['grant-1', 'grant-2', 'bobs'])
      await storage.revoke({ kind: 'grant', id }, 'out', t0 + 9);
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    const revocations = await listActiveRevocations(storage, now);
    expect(
      Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(),
    ).toEqual(['grant bobs', 'user user-1']);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      expect(await storage.isRevoked(token({ grantId, issuedAt: t0 + 4 }), now)).toBe(true);
  });

  it('appends revocations separately for each user if an identity moved from one user to another', async () => {
    const storage = await createStorage();
    for (const n of [1, 2])
      await signInAndRedeem(storage, { grantId: `grant-${n}`, identity: adasUpstreamToken });
    await signInAndRedeem(storage, { grantId: 'grant-3', user: publisherUser });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    const revocations = await listActiveRevocations(storage, now);
    expect(
      Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(),
    ).toEqual(['grant grant-3', 'user user-1']);
  });
};
