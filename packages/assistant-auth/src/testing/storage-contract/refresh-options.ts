/** The storage contract for refreshes without a grace period, and for refreshes that change claims. */
import { equal, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  countValues,
  fiftyIndexes,
  grantRefresh,
  inactive,
  isRefreshable,
  listActiveRevocations,
  refreshPolicies,
  reused,
  revokeLate,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

/** Returns the tests of refreshes with the options that change what they do. */
export const refreshOptionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...withoutGraceTests(createStorage),
  ...claimsTests(createStorage),
];

/** Refreshes with a grace period of 0: no replaced token is a retry. */
const withoutGraceTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('refreshes once for 50 concurrent refreshes without a grace period, and revokes the grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const outcomes = await Promise.all(
      fiftyIndexes.map((index) =>
        storage.refresh(grantRefresh(0, t0 + 100 - (index % 3), { grace: 0, ...revokeLate })),
      ),
    );
    equal(countValues(outcomes.map(summarizeOutcome)), { 'continued 1': 1, reused: 1, inactive: 48 });
    equal(await storage.refresh(grantRefresh(1, t0 + 101)), inactive);
  }),

  ...(
    [
      ['in the same second', 100],
      ['a second later', 101],
      ['by a server whose clock is behind', 40],
    ] as const
  ).map(([label, at]) =>
    test(`revokes the grant without a grace period when a replaced token is presented ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      const request = { grace: 0, ...revokeLate };
      equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, request))), 'continued 1');
      equal(await isRefreshable(storage, 0, t0 + at, request), false);
      equal(await storage.refresh(grantRefresh(0, t0 + at, request)), reused);
      equal(await storage.refresh(grantRefresh(1, t0 + 102, request)), inactive);
      equal(await storage.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 102), true);
    }),
  ),

  test('accepts each token once without a grace period', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const request = { grace: 0, ...revokeLate };
    for (const generation of [0, 1, 2])
      equal(
        summarizeOutcome(await storage.refresh(grantRefresh(generation, t0 + 100, request))),
        `continued ${generation + 1}`,
      );
    equal(await listActiveRevocations(storage, t0 + 100), []);
  }),

  test('does not change a stable token without a grace period', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    for (const at of [100, 100, 40])
      equal(
        summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + at, { grace: 0, ...revokeLate }))),
        'continued 0',
      );
  }),

  test('starts a branch at once without a grace period, if late tokens are accepted', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const generation of [1, 2])
      equal(
        summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, { grace: 0 }))),
        `continued ${generation}`,
      );
    equal(await storage.refresh(grantRefresh(1, t0 + 100, { grace: 0 })), reused);
  }),
];

/** Refreshes that change the claims of the grant. */
const claimsTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...refreshPolicies.map((refreshPolicy) =>
    test(`replaces the claims of a ${refreshPolicy} grant, until they are replaced again`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const generation = (n: number) => (refreshPolicy === 'stable' ? 0 : n);
      matches(await storage.refresh(grantRefresh(0, t0 + 100, { claims: { plan: 'pro' } })), {
        grant: { claims: { plan: 'pro' } },
      });
      matches(await storage.readRefreshable(grantRefresh(generation(1), t0 + 200)), {
        claims: { plan: 'pro' },
      });
      const unchanged = await storage.refresh(grantRefresh(generation(1), t0 + 200));
      equal(unchanged.kind === 'refreshed' && unchanged.grant.claims, { plan: 'pro' });
      const removed = await storage.refresh(grantRefresh(generation(2), t0 + 300, { claims: {} }));
      equal(removed.kind === 'refreshed' && removed.grant.claims, {});
    }),
  ),

  test('replaces the claims for a retry and for a late token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    for (const [at, plan] of [
      [110, 'retry'],
      [300, 'late'],
    ] as const) {
      const outcome = await storage.refresh(grantRefresh(0, t0 + at, { claims: { plan } }));
      equal(outcome.kind === 'refreshed' && outcome.grant.claims, { plan });
    }
  }),

  test('keeps the claims if the refresh is refused', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const claims = { plan: 'pro' };
    equal(await storage.refresh(grantRefresh(0, t0 + 100, { claims, clientId: 'claude' })), inactive);
    equal(await storage.refresh(grantRefresh(5, t0 + 100, { claims })), inactive);
    matches(await storage.refresh(grantRefresh(0, t0 + 101)), {
      grant: { claims: { plan: 'free', seats: 3, staff: false } },
    });
  }),
];
