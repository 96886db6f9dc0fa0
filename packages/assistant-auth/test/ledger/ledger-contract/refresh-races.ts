/** The port's contract for refreshes that meet each other, or a revocation. */
import { expect, it } from 'vitest';
import { begin, fifty, gist, grant1, type MakeLedger, refreshUse, t0, tally, token } from './sample.ts';

export const refreshRaceContract = (makeLedger: MakeLedger): void => {
  it('answers 50 refreshes of one generation at once with one and the same next generation', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    const outcomes = await Promise.all(fifty.map(() => ledger.refresh(refreshUse(0, t0 + 100))));
    expect(tally(outcomes.map(gist))).toEqual({ 'continued 1': 50 });
    expect(gist(await ledger.refresh(refreshUse(1, t0 + 101)))).toBe('continued 2');
    expect(gist(await ledger.refresh(refreshUse(1, t0 + 102)))).toBe('continued 2');
  });

  it('ends a grant only once, however often an old generation comes back', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(1, t0 + 200));
    const outcomes = await Promise.all(fifty.map(() => ledger.refresh(refreshUse(0, t0 + 300))));
    expect(tally(outcomes.map(gist))).toEqual({ reused: 1, ended: 49 });
    expect(await ledger.revocationsSince(undefined, t0 + 300, 100)).toMatchObject({ cursor: 1 });
  });

  it('starts one branch for 50 late refreshes at once', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    const outcomes = await Promise.all(fifty.map(() => ledger.refresh(refreshUse(0, t0 + 300))));
    expect(tally(outcomes.map(gist))).toEqual({ 'continued 2': 50 });
    expect(gist(await ledger.refresh(refreshUse(2, t0 + 301)))).toBe('continued 3');
  });

  it.each([
    ['the late token first', [0, 1]],
    ['its successor first', [1, 0]],
  ])('detects the second of two parties that refresh at once: %s', async (_, order) => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    const outcomes = await Promise.all(
      order.map((generation) => ledger.refresh(refreshUse(generation, t0 + 300))),
    );
    expect(outcomes.map(gist).toSorted()).toEqual(['continued 2', 'reused']);
    for (const generation of [0, 1, 2])
      expect(gist(await ledger.refresh(refreshUse(generation, t0 + 301)))).toBe('ended');
    expect(await ledger.isRevoked(token({ issuedAt: t0 + 300 }), t0 + 301)).toBe(true);
  });

  // A server whose clock runs ahead issues "later" than the revocation, and yet its token must die.
  it.each([
    ['stable', 0],
    ['stable', 3],
    ['rotating', 0],
    ['rotating', 3],
  ] as const)(
    'leaves nothing alive of a %s grant that is refreshed and revoked at once, %i s apart',
    async (refreshPolicy, ahead) => {
      const ledger = await makeLedger();
      await begin(ledger, { refreshPolicy });
      const refreshes = (count: number) =>
        fifty.slice(0, count).map(() => ledger.refresh(refreshUse(0, t0 + 100 + ahead)));
      const before = refreshes(10);
      const revocation = ledger.revoke(grant1, 'signed out', t0 + 100);
      const outcomes = await Promise.all([...before, ...refreshes(10)]);
      await revocation;
      const gists = outcomes.map(gist);
      expect(gists.every((what) => ['continued 0', 'continued 1', 'ended'].includes(what))).toBe(true);
      if (gists.some((what) => what !== 'ended'))
        expect(await ledger.isRevoked(token({ issuedAt: t0 + 100 + ahead }), t0 + 110)).toBe(true);
      for (const generation of [0, 1])
        expect(gist(await ledger.refresh(refreshUse(generation, t0 + 110)))).toBe('ended');
    },
  );
};
