/** The storage contract for authorization codes. */
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  type CreateStorage,
  countValues,
  type DeclareTest,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
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

export const codeContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns the complete state of the grant', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    expect(await storage.redeemCode(redemption())).toEqual({
      kind: 'redeemed',
      grant: {
        userId: 'user-1',
        scopes: ['score:read', 'score:write'],
        resource: 'https://words.example',
        claims: { plan: 'free', seats: 3, staff: false },
        refreshPolicy: 'rotating',
        generation: 0,
        refreshIdleExpiresAt: t0 + 1 + 30 * day,
        refreshAbsoluteExpiresAt: t0 + 1 + 180 * day,
      },
    });
  });

  it('limits the idle expiry to the absolute expiry', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcome = await storage.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 9 * day, refreshAbsoluteExpiresAt: t0 + 2 * day }),
    );
    expect(outcome).toMatchObject({
      grant: { refreshIdleExpiresAt: t0 + 2 * day, refreshAbsoluteExpiresAt: t0 + 2 * day },
    });
  });

  it('redeems a code in its last second, and not when it has expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    expect(await storage.redeemCode(redemption({ now: t0 + 60 }))).toEqual(invalid);
    expect(await storage.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
  });

  it('refuses the code of a grant that does not exist', async () => {
    const storage = await createStorage();
    expect(await storage.redeemCode(redemption())).toEqual(invalid);
    expect(await listActiveRevocations(storage, t0 + 1)).toEqual([]);
  });

  it('refuses the code of a grant that was revoked before', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.revoke(grant1, 'signed out', t0);
    expect(await storage.redeemCode(redemption())).toEqual(invalid);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2)))).toBe('inactive');
  });

  it('does not use up a code that another client presents', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    expect(await storage.redeemCode(redemption({ clientId: 'claude' }))).toEqual(invalid);
    expect(await storage.redeemCode(redemption())).toMatchObject({ kind: 'redeemed' });
  });

  it('lets exactly one of 50 concurrent redemptions succeed, and keeps its grant active', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.redeemCode(redemption())));
    const outcomeSummaries = outcomes.map((outcome) =>
      outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason,
    );
    expect(countValues(outcomeSummaries)).toEqual({ redeemed: 1, invalid: 49 });
    expect(await storage.isRevoked(token(), t0 + 2)).toBe(false);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2)))).toBe('continued 1');
  });

  secondRedemptionContract(it, createStorage);
};

const secondRedemptionContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('refuses a second redemption ten seconds after the first, and keeps the grant active', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.redeemCode(redemption({ now: t0 + 11 }))).toEqual(invalid);
    expect(await storage.isRevoked(token(), t0 + 11)).toBe(false);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 12)))).toBe('continued 1');
  });

  it('revokes the grant at a second redemption eleven seconds after the first', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.redeemCode(redemption({ now: t0 + 12 }))).toEqual(replayed);
    expect(await listActiveRevocations(storage, t0 + 12)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 12, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    expect(await storage.isRevoked(token(), t0 + 12)).toBe(true);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 13)))).toBe('inactive');
  });

  it('revokes the grant at a second redemption after the code has expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.redeemCode(redemption({ now: t0 + 600 }))).toEqual(replayed);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 601)))).toBe('inactive');
  });

  it('revokes a grant whose access tokens have expired without appending a revocation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.redeemCode(redemption({ now: t0 + day }))).toEqual(replayed);
    expect(await listActiveRevocations(storage, t0)).toEqual([]);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + day)))).toBe('inactive');
  });

  it('revokes a grant only once, however often its code is replayed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const lateRedemption = redemption({ now: t0 + 30 });
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.redeemCode(lateRedemption)));
    const outcomeSummaries = outcomes.map((outcome) =>
      outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason,
    );
    expect(countValues(outcomeSummaries)).toEqual({ replayed: 1, invalid: 49 });
    expect(await listActiveRevocations(storage, t0 + 30)).toHaveLength(1);
  });

  it('does not revoke a grant if another client replays its code', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.redeemCode(redemption({ clientId: 'claude', now: t0 + 30 }))).toEqual(invalid);
    expect(await listActiveRevocations(storage, t0 + 30)).toEqual([]);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 31)))).toBe('continued 1');
  });

  it('revokes no other grant of the same user and client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.redeemCode(redemption({ now: t0 + 30 }));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 31, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
    expect(await storage.isRevoked(token({ grantId: 'grant-2' }), t0 + 31)).toBe(false);
  });
};
