/** The storage contract for `refresh`, also under contention, and for `readRefreshable`. */

import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { equal, hasLength, isOneOf, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  countValues,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  inactive,
  isRefreshable,
  listActiveRevocations,
  redemption,
  refreshPolicies,
  reused,
  revokeLate,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

/** Returns the tests of `refresh`. */
export const refreshTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('advances a rotating grant by one generation, and returns its complete state', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.refresh(grantRefresh(0, t0 + 100)), {
      kind: 'refreshed',
      grant: {
        userId: 'user-1',
        provider: 'google',
        redirectUri: 'https://chat.example/callback',
        scopes: ['score:read', 'score:write'],
        resource: 'https://words.example',
        claims: { plan: 'free', seats: 3, staff: false },
        refreshPolicy: 'rotating',
        generation: 1,
        refreshIdleExpiresAt: t0 + 100 + 30 * day,
        refreshAbsoluteExpiresAt: t0 + 1 + 180 * day,
      },
    });
  }),

  test('returns the same generation for a stable grant, however often it is refreshed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    for (const later of [10, 1000, 20 * day, 49 * day])
      equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + later))), 'continued 0');
  }),

  test('never refreshes a grant whose policy allows no refresh token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'none' });
    equal(await storage.refresh(grantRefresh(0, t0 + 2)), inactive);
  }),

  test('refuses a grant that does not exist, was not redeemed or was revoked', async () => {
    const storage = await createStorage();
    equal(await storage.refresh(grantRefresh(0, t0)), inactive);
    await storage.recordSignIn(signIn());
    equal(await storage.refresh(grantRefresh(0, t0)), inactive);
    await storage.redeemCode(redemption());
    await storage.revoke(grant1, 'signed out', t0 + 2);
    equal(await storage.refresh(grantRefresh(0, t0 + 3)), inactive);
  }),

  ...refreshPolicies.map((refreshPolicy) =>
    test(`refreshes a ${refreshPolicy} grant until the last second before its idle expiry`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const expiry = t0 + 1 + 30 * day;
      equal(await storage.refresh(grantRefresh(0, expiry)), inactive);
      matches(await storage.refresh(grantRefresh(0, expiry - 1)), { kind: 'refreshed' });
      matches(await storage.refresh(grantRefresh(refreshPolicy === 'stable' ? 0 : 1, expiry)), {
        grant: { refreshIdleExpiresAt: expiry + 30 * day },
      });
    }),
  ),

  test('never moves the idle expiry past the absolute expiry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    const absolute = t0 + 1 + 180 * day;
    for (let at = t0 + 20 * day; at < absolute; at += 20 * day) await storage.refresh(grantRefresh(0, at));
    matches(await storage.refresh(grantRefresh(0, absolute - 1)), {
      grant: { refreshIdleExpiresAt: absolute, refreshAbsoluteExpiresAt: absolute },
    });
    equal(await storage.refresh(grantRefresh(0, absolute)), inactive);
  }),

  ...refreshPolicies.map((refreshPolicy) =>
    test(`does not change a ${refreshPolicy} grant for another client`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const current = summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 10)));
      const otherClient = { clientId: 'claude' };
      equal(await storage.refresh(grantRefresh(0, t0 + 500, otherClient)), inactive);
      equal(await storage.refresh(grantRefresh(1, t0 + 500, otherClient)), inactive);
      equal(await listActiveRevocations(storage, t0 + 500), []);
      equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20))), current);
    }),
  ),

  ...generationTests(createStorage),
  ...branchTests(createStorage),
];

const generationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the current generation for the previous token for exactly 120 seconds', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 220, revokeLate))), 'continued 1');
    equal(await storage.refresh(grantRefresh(0, t0 + 221, revokeLate)), reused);
  }),

  test('counts the grace period from the rotation, not from a retry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const at of [100, 160, 220]) await storage.refresh(grantRefresh(0, t0 + at));
    equal(await storage.refresh(grantRefresh(0, t0 + 280, revokeLate)), reused);
  }),

  test('accepts the generation that was returned to a retry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(0, t0 + 130));
    equal(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 1900))), 'continued 2');
  }),

  test('revokes the grant if the token before the previous one is presented, even within the grace period', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 101));
    equal(await storage.refresh(grantRefresh(0, t0 + 102)), reused);
  }),

  test('revokes the access tokens and the current refresh token of a grant whose token was reused', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await storage.refresh(grantRefresh(0, t0 + 300, revokeLate)), reused);
    equal(await listActiveRevocations(storage, t0 + 300), [
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 300, expiresAt: t0 + 100 + accessTokenLifetime },
    ]);
    equal(await storage.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 300), true);
    equal(await storage.refresh(grantRefresh(1, t0 + 301)), inactive);
    equal(await storage.refresh(grantRefresh(0, t0 + 301)), inactive);
    hasLength(await listActiveRevocations(storage, t0 + 301), 1);
  }),

  test('refuses an old generation of an expired grant as expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await storage.refresh(grantRefresh(0, t0 + 100 + 30 * day)), inactive);
  }),

  ...refreshPolicies.map((refreshPolicy) =>
    test(`refuses a generation that a ${refreshPolicy} grant has not reached, without revoking the grant`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      equal(await storage.refresh(grantRefresh(1, t0 + 10)), inactive);
      equal(await storage.refresh(grantRefresh(7, t0 + 10)), inactive);
      equal(await listActiveRevocations(storage, t0 + 10), []);
      matches(await storage.refresh(grantRefresh(0, t0 + 11)), { kind: 'refreshed' });
    }),
  ),

  test('revokes no other grant of the same user and client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await storage.refresh(grantRefresh(0, t0 + 300, revokeLate)), reused);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 301, { grantId: 'grant-2' }))),
      'continued 1',
    );
  }),
];

/** Refreshes after the grace period, when the response with the successor was lost. */
const branchTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the next generation for the previous token after the grace period if its successor was not used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    matches(await storage.refresh(grantRefresh(0, t0 + 221)), {
      kind: 'refreshed',
      grant: { generation: 2, refreshIdleExpiresAt: t0 + 221 + 30 * day },
    });
    equal(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 222))), 'continued 3');
    equal(await listActiveRevocations(storage, t0 + 222), []);
  }),

  test('accepts the previous token repeatedly until one of its successors is used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 300))), 'continued 2');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 420))), 'continued 2');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 421))), 'continued 3');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day))), 'continued 4');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(4, t0 + 21 * day))), 'continued 5');
  }),

  ...(
    [
      ['at once', 300],
      ['within the grace period of the branch', 420],
      ['later', 5000],
    ] as const
  ).map(([label, at]) =>
    test(`revokes the grant when the successor that a branch replaced is presented ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      await storage.refresh(grantRefresh(0, t0 + 300));
      equal(await storage.refresh(grantRefresh(1, t0 + at)), reused);
      for (const generation of [0, 1, 2])
        equal(await storage.refresh(grantRefresh(generation, t0 + at + 1)), inactive);
      hasLength(await listActiveRevocations(storage, t0 + at), at < 300 + accessTokenLifetime ? 1 : 0);
    }),
  ),

  test('revokes the grant when the previous token is presented late after its successor was used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 300));
    equal(await storage.refresh(grantRefresh(0, t0 + 301)), reused);
    equal(await storage.refresh(grantRefresh(2, t0 + 302)), inactive);
  }),

  test('revokes the grant when any earlier token is presented after a branch was used', async () => {
    for (const earlier of [0, 1]) {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      await storage.refresh(grantRefresh(0, t0 + 300));
      await storage.refresh(grantRefresh(2, t0 + 301));
      equal(await storage.refresh(grantRefresh(earlier, t0 + 302)), reused);
      equal(await storage.refresh(grantRefresh(3, t0 + 303)), inactive);
    }
  }),

  test('starts a branch from a branch', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(0, t0 + 300));
    await storage.refresh(grantRefresh(2, t0 + 2000));
    equal(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 4000))), 'continued 4');
    equal(await storage.refresh(grantRefresh(3, t0 + 4001)), reused);
  }),

  test('does not accept the previous token of an expired grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await storage.refresh(grantRefresh(0, t0 + 100 + 30 * day)), inactive);
  }),

  test('revokes nothing for a replaced token of another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    equal(await storage.refresh(grantRefresh(0, t0 + 300, { clientId: 'claude' })), inactive);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 301))), 'continued 3');
  }),

  test('starts no branch for another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await storage.refresh(grantRefresh(0, t0 + 300, { clientId: 'claude' })), inactive);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 301))), 'continued 2');
  }),
];

/** Returns the tests of refreshes that run at the same time as each other or as a revocation. */
export const refreshRaceTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the same next generation to 50 concurrent refreshes of one generation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 100))));
    equal(countValues(outcomes.map(summarizeOutcome)), { 'continued 1': 50 });
    equal(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 101))), 'continued 2');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 102))), 'continued 2');
  }),

  test('revokes a grant only once, however often an old generation is presented', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 300))));
    equal(countValues(outcomes.map(summarizeOutcome)), { reused: 1, inactive: 49 });
    matches(await storage.readRevocations(undefined, t0 + 300, 100), { cursor: 1 });
  }),

  test('starts one branch for 50 late refreshes at once', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 300))));
    equal(countValues(outcomes.map(summarizeOutcome)), { 'continued 2': 50 });
    equal(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 301))), 'continued 3');
  }),

  ...(
    [
      ['the late token first', [0, 1]],
      ['its successor first', [1, 0]],
    ] as const
  ).map(([label, order]) =>
    test(`detects the second of two parties that refresh at once: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      const outcomes = await Promise.all(
        order.map((generation) => storage.refresh(grantRefresh(generation, t0 + 300))),
      );
      equal(outcomes.map(summarizeOutcome).toSorted(), ['continued 2', 'reused']);
      for (const generation of [0, 1, 2])
        equal(summarizeOutcome(await storage.refresh(grantRefresh(generation, t0 + 301))), 'inactive');
      equal(await storage.isRevoked(token({ issuedAt: t0 + 300 }), t0 + 301), true);
    }),
  ),

  // A server whose clock is ahead issues its token "after" the revocation. It must be revoked all the same.
  ...(
    [
      ['stable', 0],
      ['stable', 3],
      ['rotating', 0],
      ['rotating', 3],
    ] as const
  ).map(([refreshPolicy, clockSkew]) =>
    test(`leaves nothing valid of a ${refreshPolicy} grant that is refreshed and revoked at the same time, with clocks ${clockSkew} s apart`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const refreshes = (count: number) =>
        fiftyIndexes.slice(0, count).map(() => storage.refresh(grantRefresh(0, t0 + 100 + clockSkew)));
      const earlierRefreshes = refreshes(10);
      const revocation = storage.revoke(grant1, 'signed out', t0 + 100);
      const [outcomes] = await Promise.all([
        Promise.all([...earlierRefreshes, ...refreshes(10)]),
        revocation,
      ]);
      const outcomeSummaries = outcomes.map(summarizeOutcome);
      for (const summary of outcomeSummaries) isOneOf(summary, ['continued 0', 'continued 1', 'inactive']);
      if (outcomeSummaries.some((summary) => summary !== 'inactive'))
        equal(await storage.isRevoked(token({ issuedAt: t0 + 100 + clockSkew }), t0 + 110), true);
      for (const generation of [0, 1])
        equal(summarizeOutcome(await storage.refresh(grantRefresh(generation, t0 + 110))), 'inactive');
    }),
  ),
];

/** Compares `readRefreshable` with `refresh`. */
const checkIsRefreshable = async (
  storage: BrokerStorage,
  ...args: Parameters<typeof grantRefresh>
): Promise<boolean> => {
  const found = await isRefreshable(storage, ...args);
  const { kind } = await storage.refresh(grantRefresh(...args));
  equal(found, kind === 'refreshed');
  return kind === 'refreshed';
};

/** Returns the tests of `readRefreshable`. */
export const readRefreshableTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the user, the identity and the claims of the grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.readRefreshable(grantRefresh(0, t0 + 2)), {
      ...{ userId: 'user-1', provider: 'google', subject: 'ada' },
      claims: { plan: 'free', seats: 3, staff: false },
    });
  }),

  ...refreshPolicies.map((policy) =>
    test(`returns true for the current token of a ${policy} grant`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy: policy });
      equal(await checkIsRefreshable(storage, 0, t0 + 2), true);
    }),
  ),

  test('returns false for a grant that is unknown, not redeemed, not refreshable or not active', async () => {
    const storage = await createStorage();
    equal(await checkIsRefreshable(storage, 0, t0), false);
    await storage.recordSignIn(signIn());
    equal(await checkIsRefreshable(storage, 0, t0), false);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none' });
    equal(await checkIsRefreshable(storage, 0, t0 + 2, { grantId: 'grant-2' }), false);
    await storage.redeemCode(redemption());
    equal(await checkIsRefreshable(storage, 0, t0 + 2, { clientId: 'claude' }), false);
    await storage.revoke(grant1, 'signed out', t0 + 2);
    equal(await checkIsRefreshable(storage, 0, t0 + 3), false);
  }),

  test('returns true until the last second before the idle expiry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const expiry = t0 + 1 + 30 * day;
    equal(await isRefreshable(storage, 0, expiry), false);
    equal(await checkIsRefreshable(storage, 0, expiry - 1), true);
  }),

  test('returns true for the previous token exactly as long as a refresh accepts it', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await checkIsRefreshable(storage, 0, t0 + 220), true);
    equal(await isRefreshable(storage, 0, t0 + 221, { lateRefresh: 'revoke' }), false);
    // `readRefreshable` changes nothing: the grant is not revoked.
    equal(await checkIsRefreshable(storage, 1, t0 + 222), true);
    equal(await isRefreshable(storage, 3, t0 + 223), false);
  }),

  test('returns true for a late token until its successor is used, and false for a successor that was replaced', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    equal(await checkIsRefreshable(storage, 0, t0 + 300), true);
    equal(await isRefreshable(storage, 1, t0 + 301), false);
    equal(await checkIsRefreshable(storage, 2, t0 + 302), true);
    equal(await isRefreshable(storage, 0, t0 + 303), false);
  }),
];
