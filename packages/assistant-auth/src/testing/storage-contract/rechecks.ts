/** The storage contract for rechecks: who acquires the lease, and what the outcome of a recheck changes. */

import type { BrokerStorage, CompleteStorage } from '../../storage/broker-storage.ts';
import { equal, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  issued,
  listActiveRevocations,
  type NamedChange,
  publisherUser,
  redemption,
  refreshPolicies,
  reused,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
} from './sample.ts';

const adasIdentity = { sealedRefreshToken: 'sealed-1' };

/** Refreshes a stable grant, and returns the lease of the recheck that is due. */
const leaseAt = async (
  storage: BrokerStorage,
  now: number,
  overrides: Parameters<typeof grantRefresh>[2] = {},
) => {
  const outcome = await storage.refresh(grantRefresh(0, now, overrides));
  equal(outcome.kind, 'refreshed');
  return outcome.kind === 'refreshed' ? outcome.recheck : undefined;
};

/** Refreshes a stable grant, and returns only the token of the lease. */
export const dueTokenAt = async (...args: Parameters<typeof leaseAt>) => {
  const lease = await leaseAt(...args);
  if (lease === undefined) return undefined;
  const { provider, subject, sealedRefreshToken } = lease;
  return { provider, subject, sealedRefreshToken };
};

const resolvedLease = (startedAt: number) => ({
  ...issued(adasUpstreamToken),
  isUnresolved: false,
  startedAt,
});
const unresolvedLease = (startedAt: number) => ({
  ...issued(adasUpstreamToken),
  isUnresolved: true,
  startedAt,
});

/** Storage with a stable grant of Ada, whose upstream token is stored. */
export const createStorageWithToken = async (
  createStorage: CreateStorage,
  overrides: Parameters<typeof signInAndRedeem>[1] = {},
): Promise<CompleteStorage> => {
  const storage = await createStorage();
  await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasIdentity, ...overrides });
  return storage;
};

/** Returns the tests of rechecks and `dropUpstreamToken`. */
export const recheckTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...leaseTests(createStorage),
  ...resultTests(createStorage),
  ...unresolvedRecheckTests(createStorage),
  ...dropTests(createStorage),
];

const leaseTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...refreshPolicies.map((refreshPolicy) =>
    test(`returns a due recheck and its upstream token to the first refresh of a ${refreshPolicy} grant`, async () => {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      equal(await dueTokenAt(storage, t0 + 100), adasUpstreamToken);
    }),
  ),

  test('returns the recheck to only one of 50 concurrent refreshes', async () => {
    for (const refreshPolicy of refreshPolicies) {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      const tokens = await Promise.all(fiftyIndexes.map(() => dueTokenAt(storage, t0 + 100)));
      equal(
        tokens.filter((recheck) => recheck !== undefined),
        [adasUpstreamToken],
      );
    }
  }),

  test('returns the recheck to one grant of an identity, and to no other until the lease expires', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { refreshPolicy: 'stable', grantId: 'grant-2' });
    const otherGrant = { grantId: 'grant-2' };
    equal(await dueTokenAt(storage, t0 + 100, otherGrant), adasUpstreamToken);
    equal(await dueTokenAt(storage, t0 + 159), undefined);
    equal(await dueTokenAt(storage, t0 + 159, otherGrant), undefined);
    equal(await dueTokenAt(storage, t0 + 160), adasUpstreamToken);
  }),

  test('returns no recheck if no sign-in had an upstream token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    equal(await dueTokenAt(storage, t0 + 100), undefined);
  }),

  test('rechecks the identity of the sign-in, not another identity of the same user', async () => {
    const storage = await createStorageWithToken(createStorage, { user: publisherUser });
    await signInAndRedeem(storage, {
      refreshPolicy: 'stable',
      grantId: 'grant-2',
      identity: { provider: 'github', sealedRefreshToken: 'sealed-2' },
      user: publisherUser,
    });
    equal(await dueTokenAt(storage, t0 + 100, { grantId: 'grant-2' }), {
      provider: 'github',
      subject: 'ada',
      sealedRefreshToken: 'sealed-2',
    });
    equal(await dueTokenAt(storage, t0 + 100), adasUpstreamToken);
  }),

  test('acquires no lease for a refresh that is refused', async () => {
    const storage = await createStorageWithToken(createStorage, { refreshPolicy: 'rotating' });
    for (const [generation, overrides] of [
      [7, {}],
      [0, { clientId: 'claude' }],
      [0, { grantId: 'nobody' }],
    ] as const)
      equal(await storage.refresh(grantRefresh(generation, t0 + 50, overrides)), inactive);
    equal(await dueTokenAt(storage, t0 + 50), adasUpstreamToken);
    equal(await storage.refresh(grantRefresh(0, t0 + 500, { lateRefresh: 'revoke' })), reused);
    await signInAndRedeem(storage, { refreshPolicy: 'stable', grantId: 'grant-2' });
    equal(await dueTokenAt(storage, t0 + 500, { grantId: 'grant-2' }), adasUpstreamToken);
  }),
];

const resultTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('rechecks an identity only after the last result has expired', async () => {
    const storage = await createStorageWithToken(createStorage);
    await dueTokenAt(storage, t0 + 100);
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 700 });
    equal(await dueTokenAt(storage, t0 + 699), undefined);
    equal(await dueTokenAt(storage, t0 + 700), adasUpstreamToken);
  }),

  test('uses the replaced upstream token for the next recheck', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 700,
      sealedRefreshToken: 'sealed-2',
    });
    const next = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    equal(await dueTokenAt(storage, t0 + 700), next);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 9999,
      sealedRefreshToken: 'sealed-3',
    });
    equal(await dueTokenAt(storage, t0 + 800), next);
  }),

  test('ignores a result for a token that a sign-in has replaced meanwhile', async () => {
    const storage = await createStorageWithToken(createStorage);
    await dueTokenAt(storage, t0 + 100);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 101 }));
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0 + 9999,
      sealedRefreshToken: 'sealed-3',
    });
    equal(await dueTokenAt(storage, t0 + 160), { ...adasUpstreamToken, ...identity });
  }),

  test('records nothing for an unknown identity, or for one of another provider', async () => {
    const storage = await createStorageWithToken(createStorage);
    for (const otherIdentity of [{ subject: 'eve' }, { provider: 'github' }])
      await storage.recordRecheck({
        usedToken: { ...adasUpstreamToken, ...otherIdentity },
        recheckAfter: t0 + 9999,
      });
    equal(await dueTokenAt(storage, t0 + 100), adasUpstreamToken);
  }),
];

/** What resolves an unresolved recheck. */
const resolvingChanges: readonly NamedChange[] = [
  [
    'a recorded outcome',
    (storage) => storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 150 }),
  ],
  [
    'resolveRecheck, because the provider can’t have replaced the token',
    (storage) => storage.resolveRecheck(adasUpstreamToken),
  ],
  ['a token that is stored later', (storage) => storage.storeUpstreamToken(adasUpstreamToken)],
  [
    'a sign-in with a token',
    (storage) => storage.recordSignIn(signIn({ grantId: 'grant-2', identity: adasIdentity, now: t0 + 101 })),
  ],
];

/** What does not resolve an unresolved recheck. */
const otherChanges: readonly NamedChange[] = [
  [
    'a sign-in without a token',
    (storage) => storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 101 })),
  ],
  [
    'resolveRecheck of another token',
    (storage) => storage.resolveRecheck({ ...adasUpstreamToken, sealedRefreshToken: 'sealed-9' }),
  ],
  ['another identity', (storage) => storage.resolveRecheck({ ...adasUpstreamToken, subject: 'eve' })],
  [
    'the same token resealed',
    (storage) =>
      storage.replaceUpstreamTokens({
        ...{ now: t0 + 9999, recheckLeaseDuration: 60 },
        tokens: [{ ...adasUpstreamToken, previous: 'sealed-1' }],
      }),
  ],
];

const unresolvedRecheckTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('reports that an earlier recheck started and its outcome was never stored', async () => {
    const storage = await createStorageWithToken(createStorage);
    equal(await leaseAt(storage, t0 + 100), resolvedLease(t0 + 100));
    equal(await leaseAt(storage, t0 + 160), unresolvedLease(t0 + 160));
    equal(await leaseAt(storage, t0 + 30 * day), unresolvedLease(t0 + 30 * day));
  }),

  test('reports this for rechecks of sessions as well', async () => {
    const storage = await createStorageWithToken(createStorage);
    const leaseRequest = { provider: 'google', subject: 'ada', recheckLeaseDuration: 60 };
    equal(await storage.acquireRecheckLease({ ...leaseRequest, now: t0 + 100 }), {
      kind: 'acquired',
      lease: resolvedLease(t0 + 100),
    });
    equal(await leaseAt(storage, t0 + 160), unresolvedLease(t0 + 160));
    equal(await storage.acquireRecheckLease({ ...leaseRequest, now: t0 + 220 }), {
      kind: 'acquired',
      lease: unresolvedLease(t0 + 220),
    });
  }),

  ...resolvingChanges.map(([label, resolve]) =>
    test(`resolves an unresolved recheck: ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await leaseAt(storage, t0 + 100);
      await resolve(storage);
      equal(await leaseAt(storage, t0 + 200), resolvedLease(t0 + 200));
    }),
  ),

  ...otherChanges.map(([label, change]) =>
    test(`does not resolve an unresolved recheck: ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await leaseAt(storage, t0 + 100);
      await change(storage);
      equal(await leaseAt(storage, t0 + 200), unresolvedLease(t0 + 200));
    }),
  ),

  test('does not resolve an earlier recheck when a later one is resolved', async () => {
    const storage = await createStorageWithToken(createStorage);
    await leaseAt(storage, t0 + 100);
    await leaseAt(storage, t0 + 160);
    await storage.resolveRecheck(adasUpstreamToken);
    equal(await leaseAt(storage, t0 + 220), unresolvedLease(t0 + 220));
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 300 });
    await storage.resolveRecheck(adasUpstreamToken);
    equal(await leaseAt(storage, t0 + 300), resolvedLease(t0 + 300));
  }),
];

/** Drops the token after a recheck that started three seconds ago. */
const drop = {
  ...{ usedToken: adasUpstreamToken, startedAt: t0 + 97, now: t0 + 100, refreshableUntil: t0 + 10 * day },
  reason: 'inconclusive',
};

const dropTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('drops the upstream token, revokes no grant, and rejects refreshes from the given time on', async () => {
    for (const refreshPolicy of refreshPolicies) {
      const storage = await createStorageWithToken(createStorage, { refreshPolicy });
      equal(await storage.dropUpstreamToken(drop), 'dropped');
      equal(await listActiveRevocations(storage, t0 + 100), []);
      equal(await leaseAt(storage, t0 + 200), undefined);
      const generation = refreshPolicy === 'stable' ? 0 : 1;
      const beforeLimit = grantRefresh(generation, t0 + 10 * day - 1);
      equal((await storage.readRefreshable(beforeLimit)) !== undefined, true);
      matches(await storage.refresh(beforeLimit), { kind: 'refreshed' });
      const atLimit = grantRefresh(refreshPolicy === 'stable' ? 0 : 2, t0 + 10 * day);
      equal(await storage.readRefreshable(atLimit), undefined);
      equal(await storage.refresh(atLimit), inactive);
      equal(await storage.refresh(grantRefresh(0, t0 + 11 * day)), inactive);
    }
  }),

  test('also limits grants of the same identity that start later in a session, but no others', async () => {
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
    equal(await storage.refresh(grantRefresh(0, limit, { grantId: 'grant-3' })), inactive);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, limit, { grantId: 'grant-2' }))),
      'continued 0',
    );
  }),

  ...(
    [
      ['with a token', adasIdentity],
      ['without one', {}],
    ] as const
  ).map(([label, identity]) =>
    test(`lifts the limit when the user signs in at the provider again, ${label}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await storage.dropUpstreamToken(drop);
      await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 9 * day }));
      equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day))), 'continued 0');
    }),
  ),

  ...[96, 97, 98].map((signedInAt) =>
    test(`does not limit someone who signed in since the recheck started: at ${signedInAt}`, async () => {
      const storage = await createStorageWithToken(createStorage);
      await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + signedInAt }));
      equal(await storage.dropUpstreamToken(drop), 'dropped');
      const isLimited = signedInAt < 97;
      equal(
        summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11 * day))),
        isLimited ? 'inactive' : 'continued 0',
      );
    }),
  ),

  test('lifts the limit when the user links the identity again', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { grantId: 'session', clientId: 'account' });
    await storage.dropUpstreamToken(drop);
    const link = { userId: 'user-1', session: 'session', subjectNamespace, now: t0 + day };
    equal(
      await storage.linkIdentity({ ...link, identity: { provider: 'google', subject: 'ada' } }),
      'linked',
    );
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day))), 'continued 0');
  }),

  test('changes nothing if another token is stored, or none', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0,
      sealedRefreshToken: 'sealed-2',
    });
    equal(await storage.dropUpstreamToken(drop), 'superseded');
    const usedToken = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    equal(await dueTokenAt(storage, t0 + 100), usedToken);
    equal(await storage.dropUpstreamToken({ ...drop, usedToken }), 'dropped');
    equal(await storage.dropUpstreamToken({ ...drop, usedToken }), 'superseded');
  }),
];
