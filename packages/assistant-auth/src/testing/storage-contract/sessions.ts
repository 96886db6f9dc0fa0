/** The storage contract for sessions. A session is a grant of the account page, and ends like any grant. */

import { accountClientId } from '../../oauth/identifiers.ts';
import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  adasUpstreamToken,
  buildCleanup,
  type CreateStorage,
  countValues,
  type DeclareTest,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

/** Storage where Ada has a session that started a second after `t0` and lasts 30 days at most. */
export const createStorageWithSession = async (
  createStorage: CreateStorage,
  identity: Parameters<typeof signIn>[0] = {},
): Promise<BrokerStorage> => {
  const storage = await createStorage();
  await createSession(storage, identity);
  return storage;
};

export const createSession = async (
  storage: BrokerStorage,
  overrides: Parameters<typeof signIn>[0] = {},
): Promise<void> => {
  const sessionSignIn = {
    grantId: 'session-1',
    clientId: accountClientId,
    refreshPolicy: 'stable',
    ...overrides,
  } as const;
  const { now, grant } = signIn(sessionSignIn);
  await storage.recordSignIn(signIn(sessionSignIn));
  await storage.redeemCode(
    redemption({
      grantId: grant.id,
      clientId: accountClientId,
      now: now + 1,
      codeExpiresAt: now + 60,
      accessExpiresAt: now + 1,
      refreshIdleExpiresAt: now + 1 + 7 * day,
      refreshAbsoluteExpiresAt: now + 1 + 30 * day,
    }),
  );
};

/** Uses the session as the account page does. */
export const useAccountSession = (storage: BrokerStorage, now: number, grantId = 'session-1') =>
  storage.useSession({ grantId, now, idleExpiresAt: now + 7 * day });

export const sessionContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns the user, and the provider and identity of the sign-in', async () => {
    const storageWithoutToken = await createStorageWithSession(createStorage);
    expect(await useAccountSession(storageWithoutToken, t0 + 2)).toEqual({
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', hasUpstreamToken: false },
    });
    const storageWithToken = await createStorageWithSession(createStorage, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    expect(await useAccountSession(storageWithToken, t0 + 2)).toEqual({
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', label: 'Ada L.', hasUpstreamToken: true },
    });
  });

  it('expires seven days after its last use, and after thirty days in any case', async () => {
    const storage = await createStorageWithSession(createStorage);
    const startedAt = t0 + 1;
    for (const days of [6.9, 13.8, 20.7, 27.6, 29.9])
      expect([days, (await useAccountSession(storage, startedAt + days * day))?.userId]).toEqual([
        days,
        'user-1',
      ]);
    expect(await useAccountSession(storage, startedAt + 30 * day)).toBeUndefined();
    const idleStorage = await createStorageWithSession(createStorage);
    expect(await useAccountSession(idleStorage, startedAt + 7 * day)).toBeUndefined();
    expect(await useAccountSession(idleStorage, startedAt + 7 * day - 1)).toBeDefined();
  });

  for (const [label, end] of [
    [
      'its revocation',
      (storage: BrokerStorage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2),
    ],
    [
      'the revocation of its user',
      (storage: BrokerStorage) => storage.revoke({ kind: 'user', id: 'user-1' }, 'out', t0 + 2),
    ],
    [
      'the revocation of its identity',
      (storage: BrokerStorage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 2),
    ],
    [
      'the deletion of its user',
      (storage: BrokerStorage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 2 }),
    ],
  ] as const)
    it(`ends with ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
      await end(storage);
      expect(await useAccountSession(storage, t0 + 3)).toBeUndefined();
    });

  it('ends if the publisher maps its identity to another user', async () => {
    const storage = await createStorageWithSession(createStorage);
    const publisherUser = { kind: 'resolved', id: 'their-7' } as const;
    await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 2, user: publisherUser }));
    expect(await useAccountSession(storage, t0 + 3)).toBeUndefined();
  });

  it('is not found for a grant of a client, or for a session that was not redeemed or is unknown', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    await storage.recordSignIn(signIn({ grantId: 'session-1', clientId: accountClientId }));
    for (const grantId of ['grant-1', 'session-1', 'nobody']) {
      expect(await useAccountSession(storage, t0 + 2, grantId)).toBeUndefined();
    }
  });

  it('cannot be refreshed with another client ID', async () => {
    const storage = await createStorageWithSession(createStorage);
    expect(await storage.refresh(grantRefresh(0, t0 + 2, { grantId: 'session-1' }))).toEqual(inactive);
  });

  it('leaves no revocation when it ends, because it has no access token', async () => {
    const storage = await createStorageWithSession(createStorage);
    await useAccountSession(storage, t0 + 2);
    await storage.revoke({ kind: 'grant', id: 'session-1' }, 'signed out', t0 + 3);
    expect(await storage.readRevocations(undefined, t0 + 3, 10)).toMatchObject({ revocations: [] });
  });

  it('is kept by the cleanup until it expires', async () => {
    const storage = await createStorageWithSession(createStorage);
    await storage.cleanUp(buildCleanup(t0 + 7 * day));
    expect(await useAccountSession(storage, t0 + 7 * day)).toBeDefined();
  });

  continuationContract(it, createStorage);
  recheckLeaseContract(it, createStorage);
};

/** Signs in to a client by continuing in the session. */
export const continueInSession = (storage: BrokerStorage, now: number, grantId = 'grant-2') =>
  storage.recordSignIn({
    ...signIn({ grantId, now, user: { kind: 'by-identity', newId: 'x' } }),
    session: 'session-1',
  });

const continuationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('lets its user sign in to a client as the same user', async () => {
    const storage = await createStorageWithSession(createStorage);
    expect(await continueInSession(storage, t0 + 5)).toEqual({
      kind: 'recorded',
      userId: 'user-1',
      hasUpstreamToken: false,
    });
    expect(await storage.redeemCode(redemption({ grantId: 'grant-2', now: t0 + 6 }))).toMatchObject({
      grant: { userId: 'user-1' },
    });
  });

  for (const [label, end] of [
    [
      'signed out',
      (storage: BrokerStorage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2),
    ],
    [
      'deleted',
      (storage: BrokerStorage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 2 }),
    ],
    ['idle for too long', async () => {}],
  ] as const)
    it(`allows no sign-in, and writes nothing, if it is ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage);
      await end(storage);
      const now = t0 + 1 + 7 * day;
      expect(await continueInSession(storage, now)).toEqual({ kind: 'session-ended' });
      const lateRedemption = redemption({ grantId: 'grant-2', now, codeExpiresAt: now + 60 });
      expect(await storage.redeemCode(lateRedemption)).toEqual({ kind: 'refused', reason: 'invalid' });
      expect(await storage.readAccount('x')).toBeUndefined();
    });

  it('does not restore a user who is deleted at the same time', async () => {
    for (const n of fiftyIndexes.slice(0, 5)) {
      const storage = await createStorageWithSession(createStorage);
      const [outcome] = await Promise.all([
        continueInSession(storage, t0 + 5, `grant-${n}`),
        storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 5 }),
      ]);
      expect(['recorded', 'session-ended'].includes(outcome.kind)).toBe(true);
      expect(await storage.readAccount('user-1')).toBeUndefined();
      expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
    }
  });
};

const recheckLeaseContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  const acquireLease = (storage: BrokerStorage, now: number, subject = 'ada') =>
    storage.acquireRecheckLease({ provider: 'google', subject, now, recheckLeaseDuration: 60 });
  const acquired = { kind: 'acquired', lease: adasUpstreamToken };
  const inconclusive = { kind: 'inconclusive' };

  it('gives only one of 50 concurrent calls the recheck lease', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    const outcomes = await Promise.all(fiftyIndexes.map(() => acquireLease(storage, t0 + 5)));
    expect(countValues(outcomes.map(({ kind }) => kind))).toEqual({ acquired: 1, inconclusive: 49 });
  });

  it('keeps the result of a recheck while it is valid, and then rechecks again', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    expect(await acquireLease(storage, t0 + 5)).toMatchObject(acquired);
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 605 });
    expect(await acquireLease(storage, t0 + 604)).toEqual({ kind: 'verified' });
    expect(await acquireLease(storage, t0 + 605)).toMatchObject(acquired);
    expect(await acquireLease(storage, t0 + 606)).toEqual(inconclusive);
  });

  it('does not extend a lease that another recheck holds', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await acquireLease(storage, t0 + 5);
    expect(await acquireLease(storage, t0 + 64)).toEqual(inconclusive);
    expect(await acquireLease(storage, t0 + 65)).toMatchObject(acquired);
  });

  it('shares the recheck lease with refreshes', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: {} });
    await storage.refresh(grantRefresh(0, t0 + 5));
    expect(await acquireLease(storage, t0 + 6)).toEqual(inconclusive);
  });

  it('gives no recheck lease for an identity without an upstream token, or for an unknown session', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 605 });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 6);
    expect(await acquireLease(storage, t0 + 7)).toEqual(inconclusive);
    expect(await acquireLease(storage, t0 + 7, 'nobody')).toEqual(inconclusive);
  });
};
