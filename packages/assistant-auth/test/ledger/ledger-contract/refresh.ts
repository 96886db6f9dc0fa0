/** The port's contract for refresh. */
import { expect, it } from 'vitest';
import {
  accessLife,
  begin,
  day,
  ended,
  gist,
  grant1,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  reused,
  signIn,
  t0,
  token,
} from './sample.ts';

/** With this setting, a late refresh revokes the grant. */
const revokeLate = { lateRefresh: 'revoke' } as const;

export const refreshContract = (makeLedger: MakeLedger): void => {
  it('moves a rotating grant one generation on and gives all its facts', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.refresh(refreshUse(0, t0 + 100))).toEqual({
      kind: 'continued',
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

  it('answers a stable grant with the same generation, as often as it comes', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable' });
    for (const later of [10, 1000, 20 * day, 49 * day])
      expect(gist(await ledger.refresh(refreshUse(0, t0 + later)))).toBe('continued 0');
  });

  it('never refreshes a grant whose policy is to have no refresh token', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'none' });
    expect(await ledger.refresh(refreshUse(0, t0 + 2))).toEqual(ended);
  });

  it('refuses a grant that does not exist, was not redeemed or was revoked', async () => {
    const ledger = await makeLedger();
    expect(await ledger.refresh(refreshUse(0, t0))).toEqual(ended);
    await ledger.recordSignIn(signIn());
    expect(await ledger.refresh(refreshUse(0, t0))).toEqual(ended);
    await ledger.redeemCode(redemption());
    await ledger.revoke(grant1, 'signed out', t0 + 2);
    expect(await ledger.refresh(refreshUse(0, t0 + 3))).toEqual(ended);
  });

  it.each(['stable', 'rotating'] as const)(
    'keeps a %s grant alive until the last second of its idle expiry',
    async (refreshPolicy) => {
      const ledger = await makeLedger();
      await begin(ledger, { refreshPolicy });
      const expiry = t0 + 1 + 30 * day;
      expect(await ledger.refresh(refreshUse(0, expiry))).toEqual(ended);
      expect(await ledger.refresh(refreshUse(0, expiry - 1))).toMatchObject({ kind: 'continued' });
      expect(await ledger.refresh(refreshUse(refreshPolicy === 'stable' ? 0 : 1, expiry))).toMatchObject({
        grant: { refreshIdleExpiresAt: expiry + 30 * day },
      });
    },
  );

  it('never moves the idle expiry past the absolute one, where every grant ends', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable' });
    const absolute = t0 + 1 + 180 * day;
    for (let at = t0 + 20 * day; at < absolute; at += 20 * day) await ledger.refresh(refreshUse(0, at));
    expect(await ledger.refresh(refreshUse(0, absolute - 1))).toMatchObject({
      grant: { refreshIdleExpiresAt: absolute, refreshAbsoluteExpiresAt: absolute },
    });
    expect(await ledger.refresh(refreshUse(0, absolute))).toEqual(ended);
  });

  it.each(['stable', 'rotating'] as const)(
    'touches nothing of a %s grant for another client',
    async (refreshPolicy) => {
      const ledger = await makeLedger();
      await begin(ledger, { refreshPolicy });
      const current = gist(await ledger.refresh(refreshUse(0, t0 + 10)));
      const foreign = { clientId: 'claude' };
      expect(await ledger.refresh(refreshUse(0, t0 + 500, foreign))).toEqual(ended);
      expect(await ledger.refresh(refreshUse(1, t0 + 500, foreign))).toEqual(ended);
      expect(await linesAt(ledger, t0 + 500)).toEqual([]);
      expect(gist(await ledger.refresh(refreshUse(0, t0 + 20)))).toBe(current);
    },
  );

  generations(makeLedger);
  branches(makeLedger);
};

const generations = (makeLedger: MakeLedger): void => {
  it('gives the previous token the current generation again for exactly 120 seconds', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 220, revokeLate)))).toBe('continued 1');
    expect(await ledger.refresh(refreshUse(0, t0 + 221, revokeLate))).toEqual(reused);
  });

  it('counts the grace period from the rotation, not from a retry', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    for (const at of [100, 160, 220]) await ledger.refresh(refreshUse(0, t0 + at));
    expect(await ledger.refresh(refreshUse(0, t0 + 280, revokeLate))).toEqual(reused);
  });

  it('goes on with the generation that a retry was answered with', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(0, t0 + 130));
    expect(gist(await ledger.refresh(refreshUse(1, t0 + 1900)))).toBe('continued 2');
  });

  it('ends the grant on the second generation back, even within the grace', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(1, t0 + 101));
    expect(await ledger.refresh(refreshUse(0, t0 + 102))).toEqual(reused);
  });

  it('kills both the tokens and the current refresh token of a grant that was reused', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 300, revokeLate))).toEqual(reused);
    expect(await linesAt(ledger, t0 + 300)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 300, deadAfter: t0 + 100 + accessLife },
    ]);
    expect(await ledger.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 300)).toBe(true);
    expect(await ledger.refresh(refreshUse(1, t0 + 301))).toEqual(ended);
    expect(await ledger.refresh(refreshUse(0, t0 + 301))).toEqual(ended);
    expect(await linesAt(ledger, t0 + 301)).toHaveLength(1);
  });

  it('takes an old generation of an expired grant for expired', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 100 + 30 * day))).toEqual(ended);
  });

  it.each(['stable', 'rotating'] as const)(
    'refuses a generation ahead of a %s grant without ending it',
    async (refreshPolicy) => {
      const ledger = await makeLedger();
      await begin(ledger, { refreshPolicy });
      expect(await ledger.refresh(refreshUse(1, t0 + 10))).toEqual(ended);
      expect(await ledger.refresh(refreshUse(7, t0 + 10))).toEqual(ended);
      expect(await linesAt(ledger, t0 + 10)).toEqual([]);
      expect(await ledger.refresh(refreshUse(0, t0 + 11))).toMatchObject({ kind: 'continued' });
    },
  );

  it('ends no other grant of the same user and client', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2' });
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 300, revokeLate))).toEqual(reused);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 301, { grantId: 'grant-2' })))).toBe('continued 1');
  });
};

/** Refreshes after the grace period, when the response with the successor was lost. */
const branches = (makeLedger: MakeLedger): void => {
  it('gives the previous token the next generation after the grace period if its successor was not used', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 221))).toMatchObject({
      kind: 'continued',
      grant: { generation: 2, refreshIdleExpiresAt: t0 + 221 + 30 * day },
    });
    expect(gist(await ledger.refresh(refreshUse(2, t0 + 222)))).toBe('continued 3');
    expect(await linesAt(ledger, t0 + 222)).toEqual([]);
  });

  it('accepts the previous token repeatedly until one of its successors is used', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 300)))).toBe('continued 2');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 420)))).toBe('continued 2');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 421)))).toBe('continued 3');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 20 * day)))).toBe('continued 4');
    expect(gist(await ledger.refresh(refreshUse(4, t0 + 21 * day)))).toBe('continued 5');
  });

  it.each([
    ['at once', 300],
    ['within the grace period of the branch', 420],
    ['later', 5000],
  ])('revokes the grant when the successor that a branch replaced is presented %s', async (_, at) => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(0, t0 + 300));
    expect(await ledger.refresh(refreshUse(1, t0 + at))).toEqual(reused);
    for (const generation of [0, 1, 2])
      expect(await ledger.refresh(refreshUse(generation, t0 + at + 1))).toEqual(ended);
    expect(await linesAt(ledger, t0 + at)).toHaveLength(at < 300 + accessLife ? 1 : 0);
  });

  it('revokes the grant when the previous token is presented late after its successor was used', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(1, t0 + 300));
    expect(await ledger.refresh(refreshUse(0, t0 + 301))).toEqual(reused);
    expect(await ledger.refresh(refreshUse(2, t0 + 302))).toEqual(ended);
  });

  it('revokes the grant when any earlier token is presented after a branch was used', async () => {
    for (const earlier of [0, 1]) {
      const ledger = await makeLedger();
      await begin(ledger);
      await ledger.refresh(refreshUse(0, t0 + 100));
      await ledger.refresh(refreshUse(0, t0 + 300));
      await ledger.refresh(refreshUse(2, t0 + 301));
      expect(await ledger.refresh(refreshUse(earlier, t0 + 302))).toEqual(reused);
      expect(await ledger.refresh(refreshUse(3, t0 + 303))).toEqual(ended);
    }
  });

  it('starts a branch from a branch', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(0, t0 + 300));
    await ledger.refresh(refreshUse(2, t0 + 2000));
    expect(gist(await ledger.refresh(refreshUse(2, t0 + 4000)))).toBe('continued 4');
    expect(await ledger.refresh(refreshUse(3, t0 + 4001))).toEqual(reused);
  });

  it('does not accept the previous token of an expired grant', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 100 + 30 * day))).toEqual(ended);
  });

  it('revokes nothing for a replaced token of another client', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(1, t0 + 200));
    expect(await ledger.refresh(refreshUse(0, t0 + 300, { clientId: 'claude' }))).toEqual(ended);
    expect(gist(await ledger.refresh(refreshUse(2, t0 + 301)))).toBe('continued 3');
  });

  it('starts no branch for another client', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect(await ledger.refresh(refreshUse(0, t0 + 300, { clientId: 'claude' }))).toEqual(ended);
    expect(gist(await ledger.refresh(refreshUse(1, t0 + 301)))).toBe('continued 2');
  });
};
