/** The storage contract for rechecks: who acquires the lease, and what the outcome of a recheck changes. */

import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  type CreateStorage,
  type DeclareTest,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  inactive,
  listActiveRevocations,
  redemption,
  reused,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

const adasIdentity = { sealedRefreshToken: 'sealed-1' };

/** Refreshes a stable grant, and returns the lease of the recheck that is due. */
const leaseAt = async (
  storage: BrokerStorage,
  now: number,
  overrides: Parameters<typeof grantRefresh>[2] = {},
) => {
  const outcome = await storage.refresh(grantRefresh(0, now, overrides));
  expect(outcome.kind).toBe('refreshed');
  return outcome.kind === 'refreshed' ? outcome.recheck : undefined;
};

/** Returns the token of the lease only. */
const dueTokenAt = async (...args: Parameters<typeof leaseAt>) => {
  const lease = await leaseAt(...args);
  if (lease === undefined) return undefined;
  const { isUnresolved: _, startedAt: __, ...token } = lease;
  return token;
};

const resolvedLease = (startedAt: number) => ({ ...adasUpstreamToken, isUnresolved: false, startedAt });
const unresolvedLease = (startedAt: number) => ({ ...adasUpstreamToken, isUnresolved: true, startedAt });

const createStorageWithToken = async (
  createStorage: CreateStorage,
  overrides: Parameters<typeof signInAndRedeem>[1] = {},
): Promise<BrokerStorage> => {
  const storage = await createStorage();
  await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasIdentity, ...overrides });
  return storage;
};

export const recheckContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  leaseContract(it, createStorage);
  resultContract(it, createStorage);
  unresolvedRecheckContract(it, createStorage);
  dropContract(it, createStorage);
  identityRevocationContract(it, createStorage);
};

const leaseContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  for (const refreshPolicy of ['stable', 'rotating'] as const)
    it(`returns a due recheck and its upstream token to the first refresh of a ${refreshPolicy} grant`, async () => {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      expect(await dueTokenAt(storage, t0 + 100)).toEqual(adasUpstreamToken);
    });

  it('returns the recheck to only one of 50 concurrent refreshes', async () => {
    for (const refreshPolicy of ['stable', 'rotating'] as const) {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      const tokens = await Promise.all(fiftyIndexes.map(() => dueTokenAt(storage, t0 + 100)));
      expect(tokens.filter((recheck) => recheck !== undefined)).toEqual([adasUpstreamToken]);
    }
  });

  it('returns the recheck to one grant of an identity, and to no other until the lease expires', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { refreshPolicy: 'stable', grantId: 'grant-2' });
    const otherGrant = { grantId: 'grant-2' };
    expect(await dueTokenAt(storage, t0 + 100, otherGrant)).toEqual(adasUpstreamToken);
    expect(await dueTokenAt(storage, t0 + 159)).toBeUndefined();
    expect(await dueTokenAt(storage, t0 + 159, otherGrant)).toBeUndefined();
    expect(await dueTokenAt(storage, t0 + 160)).toEqual(adasUpstreamToken);
  });

  it('returns no recheck if no sign-in had an upstream token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    expect(await dueTokenAt(storage, t0 + 100)).toBeUndefined();
  });

  it('rechecks the identity of the sign-in, not another identity of the same user', async () => {
    const storage = await createStorageWithToken(createStorage, {
      user: { kind: 'resolved', id: 'their-7' },
    });
    await signInAndRedeem(storage, {
      refreshPolicy: 'stable',
      grantId: 'grant-2',
      identity: { provider: 'github', sealedRefreshToken: 'sealed-2' },
      user: { kind: 'resolved', id: 'their-7' },
    });
    expect(await dueTokenAt(storage, t0 + 100, { grantId: 'grant-2' })).toEqual({
      provider: 'github',
      subject: 'ada',
      sealedRefreshToken: 'sealed-2',
    });
    expect(await dueTokenAt(storage, t0 + 100)).toEqual(adasUpstreamToken);
  });

  it('acquires no lease for a refresh that is refused', async () => {
    const storage = await createStorageWithToken(createStorage, { refreshPolicy: 'rotating' });
    for (const [generation, overrides] of [
      [7, {}],
      [0, { clientId: 'claude' }],
      [0, { grantId: 'nobody' }],
    ] as const)
      expect(await storage.refresh(grantRefresh(generation, t0 + 50, overrides))).toEqual(inactive);
    expect(await dueTokenAt(storage, t0 + 50)).toEqual(adasUpstreamToken);
    expect(await storage.refresh(grantRefresh(0, t0 + 500, { lateRefresh: 'revoke' }))).toEqual(reused);
    await signInAndRedeem(storage, { refreshPolicy: 'stable', grantId: 'grant-2' });
    expect(await dueTokenAt(storage, t0 + 500, { grantId: 'grant-2' })).toEqual(adasUpstreamToken);
  });
};

const resultContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('rechecks an identity only after the last result has expired', async () => {
    const storage = await createStorageWithToken(createStorage);
    await dueTokenAt(storage, t0 + 100);
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 700 });
    expect(await dueTokenAt(storage, t0 + 699)).toBeUndefined();
    expect(await dueTokenAt(storage, t0 + 700)).toEqual(adasUpstreamToken);
  });

  it('uses the replaced upstream token for the next recheck', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 700,
      sealedRefreshToken: 'sealed-2',
    });
    const next = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    expect(await dueTokenAt(storage, t0 + 700)).toEqual(next);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 9999,
      sealedRefreshToken: 'sealed-3',
    });
    expect(await dueTokenAt(storage, t0 + 800)).toEqual(next);
  });

  it('ignores a result for a token that a sign-in has replaced meanwhile', async () => {
    const storage = await createStorageWithToken(createStorage);
    await dueTokenAt(storage, t0 + 100);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 101 }));
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 9999,
      sealedRefreshToken: 'sealed-3',
    });
    expect(await dueTokenAt(storage, t0 + 160)).toEqual({ ...adasUpstreamToken, ...identity });
  });

  it('records nothing for an unknown identity, or for one of another provider', async () => {
    const storage = await createStorageWithToken(createStorage);
    for (const otherIdentity of [{ subject: 'eve' }, { provider: 'github' }])
      await storage.recordRecheck({
        usedToken: { ...adasUpstreamToken, ...otherIdentity },
        recheckAfter: t0 + 9999,
      });
    expect(await dueTokenAt(storage, t0 + 100)).toEqual(adasUpstreamToken);
  });
};

const unresolvedRecheckContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('reports that an earlier recheck started and its outcome was never stored', async () => {
    const storage = await createStorageWithToken(createStorage);
    expect(await leaseAt(storage, t0 + 100)).toEqual(resolvedLease(t0 + 100));
    expect(await leaseAt(storage, t0 + 160)).toEqual(unresolvedLease(t0 + 160));
    expect(await leaseAt(storage, t0 + 30 * day)).toEqual(unresolvedLease(t0 + 30 * day));
  });

  it('reports this for rechecks of sessions as well', async () => {
    const storage = await createStorageWithToken(createStorage);
    const leaseRequest = { provider: 'google', subject: 'ada', recheckLeaseDuration: 60 };
    expect(await storage.acquireRecheckLease({ ...leaseRequest, now: t0 + 100 })).toEqual({
      kind: 'acquired',
      lease: resolvedLease(t0 + 100),
    });
    expect(await leaseAt(storage, t0 + 160)).toEqual(unresolvedLease(t0 + 160));
    expect(await storage.acquireRecheckLease({ ...leaseRequest, now: t0 + 220 })).toEqual({
      kind: 'acquired',
      lease: unresolvedLease(t0 + 220),
    });
  });

  for (const [label, resolve] of [
    [
      'a recorded outcome',
      (storage: BrokerStorage) =>
        storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 150 }),
    ],
    [
      'resolveRecheck, because the provider can’t have replaced the token',
      (storage: BrokerStorage) => storage.resolveRecheck(adasUpstreamToken),
    ],
    [
      'a token that is stored later',
      (storage: BrokerStorage) => storage.storeUpstreamToken(adasUpstreamToken),
    ],
    [
      'a sign-in with a token',
      (storage: BrokerStorage) =>
        storage.recordSignIn(signIn({ grantId: 'grant-2', identity: adasIdentity, now: t0 + 101 })),
    ],
  ] as const)
    it(`resolves an unresolved recheck: ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await leaseAt(storage, t0 + 100);
      await resolve(storage);
      expect(await leaseAt(storage, t0 + 200)).toEqual(resolvedLease(t0 + 200));
    });

  for (const [label, change] of [
    [
      'a sign-in without a token',
      (storage: BrokerStorage) => storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 101 })),
    ],
    [
      'resolveRecheck of another token',
      (storage: BrokerStorage) =>
        storage.resolveRecheck({ ...adasUpstreamToken, sealedRefreshToken: 'sealed-9' }),
    ],
    [
      'another identity',
      (storage: BrokerStorage) => storage.resolveRecheck({ ...adasUpstreamToken, subject: 'eve' }),
    ],
    [
      'the same token resealed',
      (storage: BrokerStorage) =>
        storage.replaceUpstreamTokens({
          ...{ now: t0 + 9999, recheckLeaseDuration: 60 },
          tokens: [{ ...adasUpstreamToken, previous: 'sealed-1' }],
        }),
    ],
  ] as const)
    it(`does not resolve an unresolved recheck: ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await leaseAt(storage, t0 + 100);
      await change(storage);
      expect(await leaseAt(storage, t0 + 200)).toEqual(unresolvedLease(t0 + 200));
    });

  it('does not resolve an earlier recheck when a later one is resolved', async () => {
    const storage = await createStorageWithToken(createStorage);
    await leaseAt(storage, t0 + 100);
    await leaseAt(storage, t0 + 160);
    await storage.resolveRecheck(adasUpstreamToken);
    expect(await leaseAt(storage, t0 + 220)).toEqual(unresolvedLease(t0 + 220));
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 300 });
    await storage.resolveRecheck(adasUpstreamToken);
    expect(await leaseAt(storage, t0 + 300)).toEqual(resolvedLease(t0 + 300));
  });
};

const dropContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  const drop = {
    ...{ usedToken: adasUpstreamToken, startedAt: t0 + 97, now: t0 + 100, refreshableUntil: t0 + 10 * day },
    reason: 'inconclusive',
  };

  it('drops the upstream token, revokes no grant, and rejects refreshes from the given time on', async () => {
    for (const refreshPolicy of ['stable', 'rotating'] as const) {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      expect(await storage.dropUpstreamToken(drop)).toBe('dropped');
      expect(await listActiveRevocations(storage, t0 + 100)).toEqual([]);
      expect(await leaseAt(storage, t0 + 200)).toBeUndefined();
      const generation = refreshPolicy === 'stable' ? 0 : 1;
      const beforeLimit = grantRefresh(generation, t0 + 10 * day - 1);
      expect(await storage.isRefreshable(beforeLimit)).toBe(true);
      expect(await storage.refresh(beforeLimit)).toMatchObject({ kind: 'refreshed' });
      const atLimit = grantRefresh(refreshPolicy === 'stable' ? 0 : 2, t0 + 10 * day);
      expect(await storage.isRefreshable(atLimit)).toBe(false);
      expect(await storage.refresh(atLimit)).toEqual(inactive);
      expect(await storage.refresh(grantRefresh(0, t0 + 11 * day))).toEqual(inactive);
    }
  });

  it('also limits grants of the same identity that start later in a session, but no others', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, {
      ...{ grantId: 'grant-2', refreshPolicy: 'stable' },
      identity: { subject: 'bob' },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    await signInAndRedeem(storage, { grantId: 'session', clientId: 'account' });
    await storage.dropUpstreamToken(drop);
    const continued = signIn({ grantId: 'grant-3', refreshPolicy: 'stable', now: t0 + 200 });
    await storage.recordSignIn({ ...continued, session: 'session' });
    await storage.redeemCode(redemption({ grantId: 'grant-3', now: t0 + 201, codeExpiresAt: t0 + 260 }));
    const limit = t0 + 10 * day;
    expect(await storage.refresh(grantRefresh(0, limit, { grantId: 'grant-3' }))).toEqual(inactive);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, limit, { grantId: 'grant-2' })))).toBe(
      'continued 0',
    );
  });

  for (const [label, identity] of [
    ['with a token', adasIdentity],
    ['without one', {}],
  ] as const)
    it(`lifts the limit when the user signs in at the provider again, ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await storage.dropUpstreamToken(drop);
      await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 9 * day }));
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day)))).toBe('continued 0');
    });

  for (const signedInAt of [96, 97, 98])
    it(`does not limit someone who signed in since the recheck started: at ${signedInAt}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + signedInAt }));
      expect(await storage.dropUpstreamToken(drop)).toBe('dropped');
      const isLimited = signedInAt < 97;
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11 * day)))).toBe(
        isLimited ? 'inactive' : 'continued 0',
      );
    });

  it('lifts the limit when the user links the identity again', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { grantId: 'session', clientId: 'account' });
    await storage.dropUpstreamToken(drop);
    const link = { userId: 'user-1', session: 'session', now: t0 + day };
    expect(await storage.linkIdentity({ ...link, identity: { provider: 'google', subject: 'ada' } })).toBe(
      'linked',
    );
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day)))).toBe('continued 0');
  });

  it('changes nothing if another token is stored, or none', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0,
      sealedRefreshToken: 'sealed-2',
    });
    expect(await storage.dropUpstreamToken(drop)).toBe('superseded');
    const usedToken = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    expect(await dueTokenAt(storage, t0 + 100)).toEqual(usedToken);
    expect(await storage.dropUpstreamToken({ ...drop, usedToken })).toBe('dropped');
    expect(await storage.dropUpstreamToken({ ...drop, usedToken })).toBe('superseded');
  });
};

const identityRevocationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('revokes every grant of the identity, with one revocation for those that have an unexpired access token', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none', now: t0 + 10 });
    await signInAndRedeem(storage, {
      grantId: 'grant-3',
      clientId: 'claude',
      now: t0 - accessTokenLifetime - 10,
    });
    await storage.recordSignIn(signIn({ grantId: 'grant-4' }));
    const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;
    await signInAndRedeem(storage, { grantId: 'grant-5', ...bob });
    expect(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100)).toBe('revoked');
    expect(await listActiveRevocations(storage, t0 + 100)).toEqual([
      { kind: 'user', id: 'user-1', revokedAt: t0 + 11, expiresAt: t0 + 11 + accessTokenLifetime },
    ]);
    expect(await storage.isRevoked(token(), t0 + 100)).toBe(true);
    expect(await storage.refresh(grantRefresh(0, t0 + 100))).toEqual(inactive);
    expect(
      await storage.isRefreshable(grantRefresh(0, t0 + 100, { grantId: 'grant-3', clientId: 'claude' })),
    ).toBe(false);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, { grantId: 'grant-5' })))).toBe(
      'continued 1',
    );
  });

  it('keeps the user’s grants of another identity', async () => {
    const storage = await createStorageWithToken(createStorage, {
      user: { kind: 'resolved', id: 'their-7' },
    });
    const identity = { provider: 'github' };
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity,
      user: { kind: 'resolved', id: 'their-7' },
    });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
  });

  it('revokes a token that a server with a fast clock has issued', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.refresh(grantRefresh(0, t0 + 103));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    expect(await storage.isRevoked(token({ issuedAt: t0 + 103 }), t0 + 104)).toBe(true);
  });

  it('deletes the upstream token, and rechecks again after a sign-in that has one', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 200 });
    expect(await dueTokenAt(storage, t0 + 300, { grantId: 'grant-2' })).toBeUndefined();
    const identity = { sealedRefreshToken: 'sealed-2' };
    await storage.recordSignIn(signIn({ grantId: 'grant-3', identity, now: t0 + 400 }));
    expect(await dueTokenAt(storage, t0 + 500, { grantId: 'grant-2' })).toEqual({
      ...adasUpstreamToken,
      ...identity,
    });
  });

  it('changes nothing if another token or none is stored, or if the identity is unknown', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0,
      sealedRefreshToken: 'sealed-2',
    });
    const newer = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    for (const usedToken of [
      adasUpstreamToken,
      { ...newer, subject: 'eve' },
      { ...newer, provider: 'github' },
    ])
      expect(await storage.revokeGrantsOfIdentity(usedToken, 'revoked', t0 + 100)).toBe('superseded');
    expect(await listActiveRevocations(storage, t0 + 100)).toEqual([]);
    expect(await dueTokenAt(storage, t0 + 100)).toEqual(newer);
    expect(await storage.revokeGrantsOfIdentity(newer, 'revoked', t0 + 100)).toBe('revoked');
    expect(await storage.revokeGrantsOfIdentity(newer, 'revoked', t0 + 101)).toBe('superseded');
    expect(await listActiveRevocations(storage, t0 + 101)).toHaveLength(1);
  });

  it('revokes once if 50 calls run at the same time, and revokes what concurrent refreshes issued', async () => {
    const storage = await createStorageWithToken(createStorage);
    const refreshes = fiftyIndexes.slice(0, 20).map(() => storage.refresh(grantRefresh(0, t0 + 100)));
    const outcomes = await Promise.all(
      fiftyIndexes.map(() => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100)),
    );
    await Promise.all(refreshes);
    expect(outcomes.filter((outcome) => outcome === 'revoked')).toHaveLength(1);
    expect(await listActiveRevocations(storage, t0 + 100)).toHaveLength(1);
    expect(await storage.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 101)).toBe(true);
    expect(await storage.refresh(grantRefresh(0, t0 + 101))).toEqual(inactive);
  });

  it('does not change a grant that was revoked earlier', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.revoke(grant1, 'signed out', t0 + 50);
    expect(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100)).toBe('revoked');
    expect(await listActiveRevocations(storage, t0 + 100)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 50, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    expect(await storage.refresh(grantRefresh(0, t0 + 30 * day))).toEqual(inactive);
  });
};
