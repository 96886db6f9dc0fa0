/** The storage contract for `isRefreshable`. */

import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  type CreateStorage,
  type DeclareTest,
  day,
  grant1,
  grantRefresh,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

/** Calls `isRefreshable` twice, because it must change nothing, and compares it with `refresh`. */
const checkIsRefreshable = async (
  storage: BrokerStorage,
  ...args: Parameters<typeof grantRefresh>
): Promise<boolean> => {
  const request = grantRefresh(...args);
  const results = [await storage.isRefreshable(request), await storage.isRefreshable(request)];
  const { kind } = await storage.refresh(request);
  expect(results).toEqual([kind === 'refreshed', kind === 'refreshed']);
  return kind === 'refreshed';
};

export const isRefreshableContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  for (const policy of ['stable', 'rotating'] as const)
    it(`returns true for the current token of a ${policy} grant`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy: policy });
      expect(await checkIsRefreshable(storage, 0, t0 + 2)).toBe(true);
    });

  it('returns false for a grant that is unknown, not redeemed, not refreshable or not active', async () => {
    const storage = await createStorage();
    expect(await checkIsRefreshable(storage, 0, t0)).toBe(false);
    await storage.recordSignIn(signIn());
    expect(await checkIsRefreshable(storage, 0, t0)).toBe(false);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none' });
    expect(await checkIsRefreshable(storage, 0, t0 + 2, { grantId: 'grant-2' })).toBe(false);
    await storage.redeemCode(redemption());
    expect(await checkIsRefreshable(storage, 0, t0 + 2, { clientId: 'claude' })).toBe(false);
    await storage.revoke(grant1, 'signed out', t0 + 2);
    expect(await checkIsRefreshable(storage, 0, t0 + 3)).toBe(false);
  });

  it('returns true until the last second before the idle expiry', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const expiry = t0 + 1 + 30 * day;
    expect(await storage.isRefreshable(grantRefresh(0, expiry))).toBe(false);
    expect(await checkIsRefreshable(storage, 0, expiry - 1)).toBe(true);
  });

  it('returns true for the previous token exactly as long as a refresh accepts it', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await checkIsRefreshable(storage, 0, t0 + 220)).toBe(true);
    expect(await storage.isRefreshable(grantRefresh(0, t0 + 221, { lateRefresh: 'revoke' }))).toBe(false);
    // `isRefreshable` changes nothing: the grant is not revoked.
    expect(await checkIsRefreshable(storage, 1, t0 + 222)).toBe(true);
    expect(await storage.isRefreshable(grantRefresh(3, t0 + 223))).toBe(false);
  });

  it('returns true for a late token until its successor is used, and false for a successor that was replaced', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect(await checkIsRefreshable(storage, 0, t0 + 300)).toBe(true);
    expect(await storage.isRefreshable(grantRefresh(1, t0 + 301))).toBe(false);
    expect(await checkIsRefreshable(storage, 2, t0 + 302)).toBe(true);
    expect(await storage.isRefreshable(grantRefresh(0, t0 + 303))).toBe(false);
  });
};
