/** The storage contract for refresh. */
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  type CreateStorage,
  type DeclareTest,
  day,
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

/** With this setting, a late refresh revokes the grant. */
const revokeLate = { lateRefresh: 'revoke' } as const;

export const refreshContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('advances a rotating grant by one generation, and returns its complete state', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.refresh(grantRefresh(0, t0 + 100))).toEqual({
      kind: 'refreshed',
      grant: {
        userId: 'user-1',
        scopes: ['score:read', 'score:write'],
        resource: 'https://words.example',
        claims: { plan: 'free', seats: 3, staff: false },
        refreshPolicy: 'rotating',
        generation: 1,
        refreshIdleExpiresAt: t0 + 100 + 30 * day,
        refreshAbsoluteExpiresAt: t0 + 1 + 180 * day,
      },
    });
  });

  it('returns the same generation for a stable grant, however often it is refreshed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    for (const later of [10, 1000, 20 * day, 49 * day])
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + later)))).toBe('continued 0');
  });

  it('never refreshes a grant whose policy allows no refresh token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'none' });
    expect(await storage.refresh(grantRefresh(0, t0 + 2))).toEqual(inactive);
  });

  it('refuses a grant that does not exist, was not redeemed or was revoked', async () => {
    const storage = await createStorage();
    expect(await storage.refresh(grantRefresh(0, t0))).toEqual(inactive);
    await storage.recordSignIn(signIn());
    expect(await storage.refresh(grantRefresh(0, t0))).toEqual(inactive);
    await storage.redeemCode(redemption());
    await storage.revoke(grant1, 'signed out', t0 + 2);
    expect(await storage.refresh(grantRefresh(0, t0 + 3))).toEqual(inactive);
  });

  for (const refreshPolicy of ['stable', 'rotating'] as const)
    it(`refreshes a ${refreshPolicy} grant until the last second before its idle expiry`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const expiry = t0 + 1 + 30 * day;
      expect(await storage.refresh(grantRefresh(0, expiry))).toEqual(inactive);
      expect(await storage.refresh(grantRefresh(0, expiry - 1))).toMatchObject({ kind: 'refreshed' });
      expect(await storage.refresh(grantRefresh(refreshPolicy === 'stable' ? 0 : 1, expiry))).toMatchObject({
        grant: { refreshIdleExpiresAt: expiry + 30 * day },
      });
    });

  it('never moves the idle expiry past the absolute expiry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable' });
    const absolute = t0 + 1 + 180 * day;
    for (let at = t0 + 20 * day; at < absolute; at += 20 * day) await storage.refresh(grantRefresh(0, at));
    expect(await storage.refresh(grantRefresh(0, absolute - 1))).toMatchObject({
      grant: { refreshIdleExpiresAt: absolute, refreshAbsoluteExpiresAt: absolute },
    });
    expect(await storage.refresh(grantRefresh(0, absolute))).toEqual(inactive);
  });

  for (const refreshPolicy of ['stable', 'rotating'] as const)
    it(`does not change a ${refreshPolicy} grant for another client`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const current = summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 10)));
      const otherClient = { clientId: 'claude' };
      expect(await storage.refresh(grantRefresh(0, t0 + 500, otherClient))).toEqual(inactive);
      expect(await storage.refresh(grantRefresh(1, t0 + 500, otherClient))).toEqual(inactive);
      expect(await listActiveRevocations(storage, t0 + 500)).toEqual([]);
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20)))).toBe(current);
    });

  generationContract(it, createStorage);
  branchContract(it, createStorage);
};

const generationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns the current generation for the previous token for exactly 120 seconds', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 220, revokeLate)))).toBe(
      'continued 1',
    );
    expect(await storage.refresh(grantRefresh(0, t0 + 221, revokeLate))).toEqual(reused);
  });

  it('counts the grace period from the rotation, not from a retry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    for (const at of [100, 160, 220]) await storage.refresh(grantRefresh(0, t0 + at));
    expect(await storage.refresh(grantRefresh(0, t0 + 280, revokeLate))).toEqual(reused);
  });

  it('accepts the generation that was returned to a retry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(0, t0 + 130));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 1900)))).toBe('continued 2');
  });

  it('revokes the grant if the token before the previous one is presented, even within the grace period', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 101));
    expect(await storage.refresh(grantRefresh(0, t0 + 102))).toEqual(reused);
  });

  it('revokes the access tokens and the current refresh token of a grant whose token was reused', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 300, revokeLate))).toEqual(reused);
    expect(await listActiveRevocations(storage, t0 + 300)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 300, expiresAt: t0 + 100 + accessTokenLifetime },
    ]);
    expect(await storage.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 300)).toBe(true);
    expect(await storage.refresh(grantRefresh(1, t0 + 301))).toEqual(inactive);
    expect(await storage.refresh(grantRefresh(0, t0 + 301))).toEqual(inactive);
    expect(await listActiveRevocations(storage, t0 + 301)).toHaveLength(1);
  });

  it('refuses an old generation of an expired grant as expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 100 + 30 * day))).toEqual(inactive);
  });

  for (const refreshPolicy of ['stable', 'rotating'] as const)
    it(`refuses a generation that a ${refreshPolicy} grant has not reached, without revoking the grant`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      expect(await storage.refresh(grantRefresh(1, t0 + 10))).toEqual(inactive);
      expect(await storage.refresh(grantRefresh(7, t0 + 10))).toEqual(inactive);
      expect(await listActiveRevocations(storage, t0 + 10)).toEqual([]);
      expect(await storage.refresh(grantRefresh(0, t0 + 11))).toMatchObject({ kind: 'refreshed' });
    });

  it('revokes no other grant of the same user and client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 300, revokeLate))).toEqual(reused);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 301, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
  });
};

/** Refreshes after the grace period, when the response with the successor was lost. */
const branchContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns the next generation for the previous token after the grace period if its successor was not used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 221))).toMatchObject({
      kind: 'refreshed',
      grant: { generation: 2, refreshIdleExpiresAt: t0 + 221 + 30 * day },
    });
    expect(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 222)))).toBe('continued 3');
    expect(await listActiveRevocations(storage, t0 + 222)).toEqual([]);
  });

  it('accepts the previous token repeatedly until one of its successors is used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 300)))).toBe('continued 2');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 420)))).toBe('continued 2');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 421)))).toBe('continued 3');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 20 * day)))).toBe('continued 4');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(4, t0 + 21 * day)))).toBe('continued 5');
  });

  for (const [label, at] of [
    ['at once', 300],
    ['within the grace period of the branch', 420],
    ['later', 5000],
  ] as const)
    it(`revokes the grant when the successor that a branch replaced is presented ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      await storage.refresh(grantRefresh(0, t0 + 300));
      expect(await storage.refresh(grantRefresh(1, t0 + at))).toEqual(reused);
      for (const generation of [0, 1, 2])
        expect(await storage.refresh(grantRefresh(generation, t0 + at + 1))).toEqual(inactive);
      expect(await listActiveRevocations(storage, t0 + at)).toHaveLength(
        at < 300 + accessTokenLifetime ? 1 : 0,
      );
    });

  it('revokes the grant when the previous token is presented late after its successor was used', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 300));
    expect(await storage.refresh(grantRefresh(0, t0 + 301))).toEqual(reused);
    expect(await storage.refresh(grantRefresh(2, t0 + 302))).toEqual(inactive);
  });

  it('revokes the grant when any earlier token is presented after a branch was used', async () => {
    for (const earlier of [0, 1]) {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      await storage.refresh(grantRefresh(0, t0 + 300));
      await storage.refresh(grantRefresh(2, t0 + 301));
      expect(await storage.refresh(grantRefresh(earlier, t0 + 302))).toEqual(reused);
      expect(await storage.refresh(grantRefresh(3, t0 + 303))).toEqual(inactive);
    }
  });

  it('starts a branch from a branch', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(0, t0 + 300));
    await storage.refresh(grantRefresh(2, t0 + 2000));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 4000)))).toBe('continued 4');
    expect(await storage.refresh(grantRefresh(3, t0 + 4001))).toEqual(reused);
  });

  it('does not accept the previous token of an expired grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 100 + 30 * day))).toEqual(inactive);
  });

  it('revokes nothing for a replaced token of another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    expect(await storage.refresh(grantRefresh(0, t0 + 300, { clientId: 'claude' }))).toEqual(inactive);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 301)))).toBe('continued 3');
  });

  it('starts no branch for another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await storage.refresh(grantRefresh(0, t0 + 300, { clientId: 'claude' }))).toEqual(inactive);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 301)))).toBe('continued 2');
  });
};
