/** The port's contract for authorization codes. */
import { expect, it } from 'vitest';
import {
  accessLife,
  begin,
  day,
  fifty,
  gist,
  grant1,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  replayed,
  signIn,
  spent,
  t0,
  tally,
  token,
} from './sample.ts';

export const codeContract = (makeLedger: MakeLedger): void => {
  it('gives all facts of the grant', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    expect(await ledger.redeemCode(redemption())).toEqual({
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

  it('caps the idle expiry at the absolute one', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    const outcome = await ledger.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 9 * day, refreshAbsoluteExpiresAt: t0 + 2 * day }),
    );
    expect(outcome).toMatchObject({
      grant: { refreshIdleExpiresAt: t0 + 2 * day, refreshAbsoluteExpiresAt: t0 + 2 * day },
    });
  });

  it('redeems in the last second of the code and not at its expiry', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    expect(await ledger.redeemCode(redemption({ now: t0 + 60 }))).toEqual(spent);
    expect(await ledger.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
  });

  it('refuses the code of a grant that does not exist', async () => {
    const ledger = await makeLedger();
    expect(await ledger.redeemCode(redemption())).toEqual(spent);
    expect(await linesAt(ledger, t0 + 1)).toEqual([]);
  });

  it('refuses the code of a grant that was revoked before', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.revoke(grant1, 'signed out', t0);
    expect(await ledger.redeemCode(redemption())).toEqual(spent);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 2)))).toBe('ended');
  });

  it('burns nothing for another client', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    expect(await ledger.redeemCode(redemption({ clientId: 'claude' }))).toEqual(spent);
    expect(await ledger.redeemCode(redemption())).toMatchObject({ kind: 'redeemed' });
  });

  it('lets exactly one of 50 redemptions at once succeed, and its grant goes on working', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    const outcomes = await Promise.all(fifty.map(() => ledger.redeemCode(redemption())));
    const gists = outcomes.map((outcome) => (outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason));
    expect(tally(gists)).toEqual({ redeemed: 1, spent: 49 });
    expect(await ledger.isRevoked(token(), t0 + 2)).toBe(false);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 2)))).toBe('continued 1');
  });

  secondRedemptions(makeLedger);
};

const secondRedemptions = (makeLedger: MakeLedger): void => {
  it('refuses a second redemption ten seconds after the first, and the grant lives', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.redeemCode(redemption({ now: t0 + 11 }))).toEqual(spent);
    expect(await ledger.isRevoked(token(), t0 + 11)).toBe(false);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 12)))).toBe('continued 1');
  });

  it('ends the grant at a second redemption eleven seconds after the first', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.redeemCode(redemption({ now: t0 + 12 }))).toEqual(replayed);
    expect(await linesAt(ledger, t0 + 12)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 12, deadAfter: t0 + 1 + accessLife },
    ]);
    expect(await ledger.isRevoked(token(), t0 + 12)).toBe(true);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 13)))).toBe('ended');
  });

  it('ends the grant at a second redemption after the code expired', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.redeemCode(redemption({ now: t0 + 600 }))).toEqual(replayed);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 601)))).toBe('ended');
  });

  it('ends the grant after its access tokens died without remembering any', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.redeemCode(redemption({ now: t0 + day }))).toEqual(replayed);
    expect(await linesAt(ledger, t0)).toEqual([]);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + day)))).toBe('ended');
  });

  it('ends a grant only once, however often its code comes back', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    const late = redemption({ now: t0 + 30 });
    const outcomes = await Promise.all(fifty.map(() => ledger.redeemCode(late)));
    const gists = outcomes.map((outcome) => (outcome.kind === 'redeemed' ? 'redeemed' : outcome.reason));
    expect(tally(gists)).toEqual({ replayed: 1, spent: 49 });
    expect(await linesAt(ledger, t0 + 30)).toHaveLength(1);
  });

  it('does not end a grant because another client replays its code', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    expect(await ledger.redeemCode(redemption({ clientId: 'claude', now: t0 + 30 }))).toEqual(spent);
    expect(await linesAt(ledger, t0 + 30)).toEqual([]);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 31)))).toBe('continued 1');
  });

  it('ends no other grant of the same user and client', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2' });
    await ledger.redeemCode(redemption({ now: t0 + 30 }));
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 31, { grantId: 'grant-2' })))).toBe('continued 1');
    expect(await ledger.isRevoked(token({ grantId: 'grant-2' }), t0 + 31)).toBe(false);
  });
};
