/** The storage contract for sessions. A session is a grant of the account page, and ends like any grant. */

import { accountClientId } from '../../oauth/identifiers.ts';
import type { BrokerStorage, CompleteStorage } from '../../storage/broker-storage.ts';
import { equal, isDefined, isOneOf, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  buildDueCleanup,
  countValues,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  issued,
  type NamedChange,
  publisherUser,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

/** Creates storage where Ada has a session that started a second after `t0` and lasts 30 days at most. */
export const createStorageWithSession = async (
  createStorage: CreateStorage,
  identity: Parameters<typeof signIn>[0] = {},
): Promise<CompleteStorage> => {
  const storage = await createStorage();
  await createSession(storage, identity);
  return storage;
};

/** Creates a session by a sign-in to the account page. */
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
      accessExpiresAt: 0,
      refreshIdleExpiresAt: now + 1 + 7 * day,
      refreshAbsoluteExpiresAt: now + 1 + 30 * day,
    }),
  );
};

/** Uses the session as the account page does. */
export const useAccountSession = (storage: CompleteStorage, now: number, grantId = 'session-1') =>
  storage.useSession({ grantId, now, idleExpiresAt: now + 7 * day });

/** What ends a session at once. */
const sessionEndings: readonly NamedChange[] = [
  ['its revocation', (storage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2)],
  ['the revocation of its user', (storage) => storage.revoke({ kind: 'user', id: 'user-1' }, 'out', t0 + 2)],
  [
    'the revocation of its identity',
    (storage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 2),
  ],
  [
    'the deletion of its user',
    (storage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 2 }),
  ],
];

/** Returns the tests of sessions, of sign-ins that continue in them, and of their rechecks. */
export const sessionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the user, and the provider and identity of the sign-in', async () => {
    const storageWithoutToken = await createStorageWithSession(createStorage);
    equal(await useAccountSession(storageWithoutToken, t0 + 2), {
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', hasUpstreamToken: false },
    });
    const storageWithToken = await createStorageWithSession(createStorage, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    equal(await useAccountSession(storageWithToken, t0 + 2), {
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', label: 'Ada L.', hasUpstreamToken: true },
    });
  }),

  test('expires seven days after its last use, and after thirty days in any case', async () => {
    const storage = await createStorageWithSession(createStorage);
    const startedAt = t0 + 1;
    for (const days of [6.9, 13.8, 20.7, 27.6, 29.9])
      equal([days, (await useAccountSession(storage, startedAt + days * day))?.userId], [days, 'user-1']);
    equal(await useAccountSession(storage, startedAt + 30 * day), undefined);
    const idleStorage = await createStorageWithSession(createStorage);
    equal(await useAccountSession(idleStorage, startedAt + 7 * day), undefined);
    isDefined(await useAccountSession(idleStorage, startedAt + 7 * day - 1));
  }),

  ...sessionEndings.map(([label, end]) =>
    test(`ends with ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
      await end(storage);
      equal(await useAccountSession(storage, t0 + 3), undefined);
    }),
  ),

  test('ends if the publisher maps its identity to another user', async () => {
    const storage = await createStorageWithSession(createStorage);
    await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 2, user: publisherUser }));
    equal(await useAccountSession(storage, t0 + 3), undefined);
  }),

  test('is not found for a grant of a client, or for a session that was not redeemed or is unknown', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    await storage.recordSignIn(signIn({ grantId: 'session-1', clientId: accountClientId }));
    for (const grantId of ['grant-1', 'session-1', 'nobody']) {
      equal(await useAccountSession(storage, t0 + 2, grantId), undefined);
    }
  }),

  test('cannot be refreshed with another client ID', async () => {
    const storage = await createStorageWithSession(createStorage);
    equal(await storage.refresh(grantRefresh(0, t0 + 2, { grantId: 'session-1' })), inactive);
  }),

  test('leaves no revocation when it ends, because it has no access token', async () => {
    const storage = await createStorageWithSession(createStorage);
    await useAccountSession(storage, t0 + 2);
    await storage.revoke({ kind: 'grant', id: 'session-1' }, 'signed out', t0 + 3);
    matches(await storage.readRevocations(undefined, t0 + 3, 10), { revocations: [] });
  }),

  test('is kept by the cleanup until it expires', async () => {
    const storage = await createStorageWithSession(createStorage);
    await storage.cleanUp(buildDueCleanup(t0 + 7 * day));
    isDefined(await useAccountSession(storage, t0 + 7 * day));
  }),

  ...continuationTests(createStorage),
  ...recheckLeaseTests(createStorage),
];

/** Signs in to a client by continuing in the session. */
export const continueInSession = (storage: BrokerStorage, now: number, grantId = 'grant-2') =>
  storage.recordSignIn({
    ...signIn({ grantId, now, user: { kind: 'by-identity', newId: 'x' } }),
    session: 'session-1',
  });

/** What happened to sessions that have ended seven days after they started. */
const endedSessions: readonly NamedChange[] = [
  ['signed out', (storage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2)],
  ['deleted', (storage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 2 })],
  ['idle for too long', async () => {}],
];

const continuationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('lets its user sign in to a client as the same user', async () => {
    const storage = await createStorageWithSession(createStorage);
    equal(await continueInSession(storage, t0 + 5), {
      kind: 'recorded',
      userId: 'user-1',
      hasUpstreamToken: false,
    });
    matches(await storage.redeemCode(redemption({ grantId: 'grant-2', now: t0 + 6 })), {
      grant: { userId: 'user-1' },
    });
  }),

  ...endedSessions.map(([label, end]) =>
    test(`allows no sign-in, and writes nothing, if it is ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage);
      await end(storage);
      const now = t0 + 1 + 7 * day;
      equal(await continueInSession(storage, now), { kind: 'session-ended' });
      const lateRedemption = redemption({ grantId: 'grant-2', now, codeExpiresAt: now + 60 });
      equal(await storage.redeemCode(lateRedemption), { kind: 'refused', reason: 'invalid' });
      equal(await storage.readAccount('x'), undefined);
    }),
  ),

  test('does not restore a user who is deleted at the same time', async () => {
    for (const n of fiftyIndexes.slice(0, 5)) {
      const storage = await createStorageWithSession(createStorage);
      const [outcome] = await Promise.all([
        continueInSession(storage, t0 + 5, `grant-${n}`),
        storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 5 }),
      ]);
      isOneOf(outcome.kind, ['recorded', 'session-ended']);
      equal(await storage.readAccount('user-1'), undefined);
      equal(await storage.findUser({ provider: 'google', subject: 'ada' }), undefined);
    }
  }),
];

const acquireLease = (storage: CompleteStorage, now: number, subject = 'ada') =>
  storage.acquireRecheckLease({ provider: 'google', subject, now, recheckLeaseDuration: 60 });

const acquired = (startedAt: number, isUnresolved = false) => ({
  kind: 'acquired',
  lease: { ...issued(adasUpstreamToken), isUnresolved, startedAt },
});
const inconclusive = { kind: 'inconclusive' };

const recheckLeaseTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('gives only one of 50 concurrent calls the recheck lease', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    const outcomes = await Promise.all(fiftyIndexes.map(() => acquireLease(storage, t0 + 5)));
    equal(countValues(outcomes.map(({ kind }) => kind)), { acquired: 1, inconclusive: 49 });
  }),

  test('keeps the result of a recheck while it is valid, and then rechecks again', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    equal(await acquireLease(storage, t0 + 5), acquired(t0 + 5));
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 605 });
    equal(await acquireLease(storage, t0 + 604), { kind: 'verified' });
    equal(await acquireLease(storage, t0 + 605), acquired(t0 + 605));
    equal(await acquireLease(storage, t0 + 606), inconclusive);
  }),

  test('does not extend a lease that another recheck holds', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await acquireLease(storage, t0 + 5);
    equal(await acquireLease(storage, t0 + 64), inconclusive);
    equal(await acquireLease(storage, t0 + 65), acquired(t0 + 65, true));
  }),

  test('shares the recheck lease with refreshes', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: {} });
    await storage.refresh(grantRefresh(0, t0 + 5));
    equal(await acquireLease(storage, t0 + 6), inconclusive);
  }),

  test('gives no recheck lease for an identity without an upstream token, or for an unknown session', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 605 });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 6);
    equal(await acquireLease(storage, t0 + 7), inconclusive);
    equal(await acquireLease(storage, t0 + 7, 'nobody'), inconclusive);
  }),
];
