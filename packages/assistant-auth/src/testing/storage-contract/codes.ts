/** The storage contract for authorization codes: `redeemCode`, `readGrantStatus` and `claimCode`. */
import { equal, hasLength, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  buildDueCleanup,
  countValues,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  hour,
  invalid,
  listActiveRevocations,
  redemption,
  replayed,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

/** Returns the tests of `redeemCode`. */
export const codeTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns the complete state of the grant', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    equal(await storage.redeemCode(redemption()), {
      kind: 'redeemed',
      grant: {
        userId: 'user-1',
        provider: 'google',
        redirectUri: 'https://chat.example/callback',
        scopes: ['score:read', 'score:write'],
        resource: 'https://words.example',
        claims: { plan: 'free', seats: 3, staff: false },
        refreshPolicy: 'rotating',
        generation: 0,
        refreshIdleExpiresAt: t0 + 1 + 30 * day,
        refreshAbsoluteExpiresAt: t0 + 1 + 180 * day,
      },
    });
  }),

  test('limits the idle expiry to the absolute expiry', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcome = await storage.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 9 * day, refreshAbsoluteExpiresAt: t0 + 2 * day }),
    );
    matches(outcome, {
      grant: { refreshIdleExpiresAt: t0 + 2 * day, refreshAbsoluteExpiresAt: t0 + 2 * day },
    });
  }),

  test('redeems a code in its last second, and not when it has expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    equal(await storage.redeemCode(redemption({ now: t0 + 60 })), invalid);
    matches(await storage.redeemCode(redemption({ now: t0 + 59 })), { kind: 'redeemed' });
  }),

  test('refuses the code of a grant that does not exist', async () => {
    const storage = await createStorage();
    equal(await storage.redeemCode(redemption()), invalid);
    equal(await listActiveRevocations(storage, t0 + 1), []);
  }),

  test('refuses the code of a grant that was revoked before', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.revoke(grant1, 'signed out', t0);
    equal(await storage.redeemCode(redemption()), invalid);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2))), 'inactive');
  }),

  test('does not use up a code that another client presents', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    equal(await storage.redeemCode(redemption({ clientId: 'claude' })), invalid);
    matches(await storage.redeemCode(redemption()), { kind: 'redeemed' });
  }),

  test('lets exactly one of 50 concurrent redemptions succeed, and keeps its grant active', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.redeemCode(redemption())));
    const outcomeSummaries = outcomes.map((outcome) =>
      outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason,
    );
    equal(countValues(outcomeSummaries), { redeemed: 1, invalid: 49 });
    equal(await storage.isRevoked(token(), t0 + 2), false);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2))), 'continued 1');
  }),

  ...secondRedemptionTests(createStorage),
];

const secondRedemptionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('refuses a second redemption ten seconds after the first, and keeps the grant active', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ now: t0 + 11 })), invalid);
    equal(await storage.isRevoked(token(), t0 + 11), false);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 12))), 'continued 1');
  }),

  test('revokes the grant at a second redemption eleven seconds after the first', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ now: t0 + 12 })), replayed);
    equal(await listActiveRevocations(storage, t0 + 12), [
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 12, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    equal(await storage.isRevoked(token(), t0 + 12), true);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 13))), 'inactive');
  }),

  test('revokes the grant at a second redemption after the code has expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ now: t0 + 600 })), replayed);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 601))), 'inactive');
  }),

  test('revokes a grant whose access tokens have expired without appending a revocation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ now: t0 + day })), replayed);
    equal(await listActiveRevocations(storage, t0), []);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + day))), 'inactive');
  }),

  test('revokes a grant only once, however often its code is replayed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const lateRedemption = redemption({ now: t0 + 30 });
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.redeemCode(lateRedemption)));
    const outcomeSummaries = outcomes.map((outcome) =>
      outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason,
    );
    equal(countValues(outcomeSummaries), { replayed: 1, invalid: 49 });
    hasLength(await listActiveRevocations(storage, t0 + 30), 1);
  }),

  test('does not revoke a grant if another client replays its code', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.redeemCode(redemption({ clientId: 'claude', now: t0 + 30 })), invalid);
    equal(await listActiveRevocations(storage, t0 + 30), []);
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 31))), 'continued 1');
  }),

  test('revokes no other grant of the same user and client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.redeemCode(redemption({ now: t0 + 30 }));
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 31, { grantId: 'grant-2' }))),
      'continued 1',
    );
    equal(await storage.isRevoked(token({ grantId: 'grant-2' }), t0 + 31), false);
  }),
];

const claim = { grantId: 'grant-1', now: t0 + 1 };

/** Returns the tests of `readGrantStatus` and `claimCode`. */
export const codeClaimTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('finds the grant of a sign-in before and after its code is redeemed, and no unknown grant', async () => {
    const storage = await createStorage();
    equal(await storage.readGrantStatus('grant-1'), 'unknown');
    await storage.recordSignIn(signIn());
    equal(await storage.readGrantStatus('grant-1'), 'active');
    await storage.redeemCode(redemption());
    equal(await storage.readGrantStatus('grant-1'), 'active');
    equal(await storage.readGrantStatus('grant-2'), 'unknown');
  }),

  test('distinguishes a revoked grant from one that was deleted with its user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(grant1, 'signed out', t0 + 3);
    equal(await storage.readGrantStatus('grant-1'), 'revoked');
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 4 });
    equal(await storage.readGrantStatus('grant-1'), 'unknown');
  }),

  test('finds a grant for an hour, until the cleanup deletes it', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.cleanUp(buildDueCleanup(t0 + hour - 1));
    equal(await storage.readGrantStatus('grant-1'), 'active');
    await storage.cleanUp(buildDueCleanup(t0 + hour));
    equal(await storage.readGrantStatus('grant-1'), 'unknown');
  }),

  test('lets only one of 50 concurrent callers claim the code of a grant', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.claimCode(claim)));
    equal(countValues(outcomes), { claimed: 1, active: 49 });
  }),

  test('does not change the claimed code, which can be redeemed once', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.claimCode(claim);
    matches(await storage.redeemCode(redemption()), { kind: 'redeemed' });
    equal(await storage.claimCode(claim), 'active');
  }),

  test('claims no code of a grant that was redeemed, revoked or never stored', async () => {
    const storage = await createStorage();
    equal(await storage.claimCode(claim), 'unknown');
    await signInAndRedeem(storage);
    equal(await storage.claimCode(claim), 'active');
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    await storage.revoke({ kind: 'grant', id: 'grant-2' }, 'signed out', t0 + 3);
    equal(await storage.claimCode({ ...claim, grantId: 'grant-2' }), 'revoked');
  }),

  test('claims the code of one grant only', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    equal(await storage.claimCode(claim), 'claimed');
    equal(await storage.claimCode({ ...claim, grantId: 'grant-2' }), 'claimed');
  }),
];
