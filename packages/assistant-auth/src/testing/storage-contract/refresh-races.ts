/** The storage contract for refreshes that run at the same time as each other or as a revocation. */
import { expect } from './expect.ts';
import {
  type CreateStorage,
  countValues,
  type DeclareTest,
  fiftyIndexes,
  grant1,
  grantRefresh,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

export const refreshRaceContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('returns the same next generation to 50 concurrent refreshes of one generation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 100))));
    expect(countValues(outcomes.map(summarizeOutcome))).toEqual({ 'continued 1': 50 });
    expect(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 101)))).toBe('continued 2');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 102)))).toBe('continued 2');
  });

  it('revokes a grant only once, however often an old generation is presented', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 300))));
    expect(countValues(outcomes.map(summarizeOutcome))).toEqual({ reused: 1, inactive: 49 });
    expect(await storage.readRevocations(undefined, t0 + 300, 100)).toMatchObject({ cursor: 1 });
  });

  it('starts one branch for 50 late refreshes at once', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.refresh(grantRefresh(0, t0 + 300))));
    expect(countValues(outcomes.map(summarizeOutcome))).toEqual({ 'continued 2': 50 });
    expect(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 301)))).toBe('continued 3');
  });

  for (const [label, order] of [
    ['the late token first', [0, 1]],
    ['its successor first', [1, 0]],
  ] as const)
    it(`detects the second of two parties that refresh at once: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      const outcomes = await Promise.all(
        order.map((generation) => storage.refresh(grantRefresh(generation, t0 + 300))),
      );
      expect(outcomes.map(summarizeOutcome).toSorted()).toEqual(['continued 2', 'reused']);
      for (const generation of [0, 1, 2])
        expect(summarizeOutcome(await storage.refresh(grantRefresh(generation, t0 + 301)))).toBe('inactive');
      expect(await storage.isRevoked(token({ issuedAt: t0 + 300 }), t0 + 301)).toBe(true);
    });

  // A server whose clock is ahead issues its token "after" the revocation. It must be revoked all the same.
  for (const [refreshPolicy, clockSkew] of [
    ['stable', 0],
    ['stable', 3],
    ['rotating', 0],
    ['rotating', 3],
  ] as const)
    it(`leaves nothing valid of a ${refreshPolicy} grant that is refreshed and revoked at the same time, with clocks ${clockSkew} s apart`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const refreshes = (count: number) =>
        fiftyIndexes.slice(0, count).map(() => storage.refresh(grantRefresh(0, t0 + 100 + clockSkew)));
      const earlierRefreshes = refreshes(10);
      const revocation = storage.revoke(grant1, 'signed out', t0 + 100);
      const outcomes = await Promise.all([...earlierRefreshes, ...refreshes(10)]);
      await revocation;
      const outcomeSummaries = outcomes.map(summarizeOutcome);
      expect(
        outcomeSummaries.every((summary) => ['continued 0', 'continued 1', 'inactive'].includes(summary)),
      ).toBe(true);
      if (outcomeSummaries.some((summary) => summary !== 'inactive'))
        expect(await storage.isRevoked(token({ issuedAt: t0 + 100 + clockSkew }), t0 + 110)).toBe(true);
      for (const generation of [0, 1])
        expect(summarizeOutcome(await storage.refresh(grantRefresh(generation, t0 + 110)))).toBe('inactive');
    });
};
