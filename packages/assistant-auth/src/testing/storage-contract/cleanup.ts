/** The storage contract for the cleanup. A repeated sign-in shows whether its grant is still stored. */

import { type BrokerStorage, grantRetention } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  buildCleanup,
  type CreateStorage,
  type DeclareTest,
  day,
  grant1,
  grantRefresh,
  hour,
  listActiveRevocations,
  redemption,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
} from './sample.ts';

/** Runs the cleanup, and returns whether `grant-1` is still stored. Stores a new one if it was deleted. */
const retainedAfterCleanup = async (storage: BrokerStorage, now: number): Promise<boolean> => {
  await storage.cleanUp(buildCleanup(now));
  return (await storage.recordSignIn(signIn({ now }))).kind === 'replayed';
};

export const cleanupContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('deletes a grant whose code was not redeemed within an hour', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    expect(grantRetention).toBe(hour);
    expect(await retainedAfterCleanup(storage, t0 + hour - 1)).toBe(true);
    expect(await retainedAfterCleanup(storage, t0 + hour)).toBe(false);
  });

  it('keeps a grant whose code can still be redeemed', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.cleanUp(buildCleanup(t0 + 59));
    expect(await storage.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
  });

  for (const refreshPolicy of ['stable', 'rotating'] as const)
    it(`keeps a ${refreshPolicy} grant until its refresh token has expired`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const expiry = t0 + day + 30 * day;
      await storage.refresh(grantRefresh(0, t0 + day));
      expect(await retainedAfterCleanup(storage, expiry - 1)).toBe(true);
      expect(await retainedAfterCleanup(storage, expiry)).toBe(false);
    });

  it('keeps a grant whose access token outlives its refresh token', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 2 * hour, accessExpiresAt: t0 + 5 * hour }),
    );
    expect(await retainedAfterCleanup(storage, t0 + 5 * hour - 1)).toBe(true);
    expect(await retainedAfterCleanup(storage, t0 + 5 * hour)).toBe(false);
  });

  it('keeps a grant without a refresh token until its access token has expired, and for at least an hour', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'none' });
    expect(await retainedAfterCleanup(storage, t0 + hour - 1)).toBe(true);
    expect(await retainedAfterCleanup(storage, t0 + hour)).toBe(false);
    await storage.revoke(grant1, 'signed out', t0 + hour);
    await storage.recordSignIn(signIn({ grantId: 'grant-2', refreshPolicy: 'none', now: t0 + hour }));
    await storage.redeemCode(
      redemption({
        grantId: 'grant-2',
        now: t0 + hour,
        codeExpiresAt: t0 + hour + 60,
        accessExpiresAt: t0 + 4 * hour,
      }),
    );
    await storage.cleanUp(buildCleanup(t0 + 4 * hour - 1));
    expect(await storage.recordSignIn(signIn({ grantId: 'grant-2' }))).toEqual({ kind: 'replayed' });
    await storage.cleanUp(buildCleanup(t0 + 4 * hour));
    expect(await storage.recordSignIn(signIn({ grantId: 'grant-2' }))).toMatchObject({ kind: 'recorded' });
  });

  it('keeps a revoked grant until all its access tokens have expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await storage.revoke(grant1, 'signed out', t0 + 10);
    expect(await retainedAfterCleanup(storage, t0 + 3 * hour - 1)).toBe(true);
    expect(await retainedAfterCleanup(storage, t0 + 3 * hour)).toBe(false);
  });

  it('keeps a revocation until it has expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await storage.revoke(grant1, 'signed out', t0 + 10);
    await storage.cleanUp(buildCleanup(t0 + 3 * hour - 1));
    expect(await listActiveRevocations(storage, t0 + 3 * hour - 1)).toHaveLength(1);
    await storage.cleanUp(buildCleanup(t0 + 3 * hour));
    expect(await listActiveRevocations(storage, t0 + 10)).toEqual([]);
  });

  it('does not change an active grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + day));
    await storage.cleanUp(buildCleanup(t0 + 2 * day));
    expect(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 2 * day)))).toBe('continued 2');
  });

  it('deletes and keeps the same data, whatever keys are in the ring', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const rings = [['key-1'], ['key-1', 'key-2'], ['key-2', 'key-1'], ['key-2'], ['key-1']] as const;
    for (const ringKeys of rings)
      await storage.cleanUp({ ...buildCleanup(t0 + 59), sealingKey: ringKeys[0], ringKeys });
    expect(await storage.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
    await storage.cleanUp({ ...buildCleanup(t0 + 400 * day), sealingKey: 'key-2', ringKeys: ['key-2'] });
    expect(await storage.recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });

  it('keeps users and identities', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.cleanUp(buildCleanup(t0 + 9999 * day));
    const laterSignIn = signIn({
      grantId: 'grant-2',
      user: { kind: 'by-identity', newId: 'user-2' },
      now: t0 + 9999 * day,
    });
    expect(await storage.recordSignIn(laterSignIn)).toMatchObject({ kind: 'recorded', userId: 'user-1' });
  });
};
