/** The port's contract for `grantStatus` and `claimCode`. */
import { expect, it } from 'vitest';
import {
  begin,
  fifty,
  grant1,
  hour,
  type MakeLedger,
  redemption,
  signIn,
  sweepAt,
  t0,
  tally,
} from './sample.ts';

const claim = { grantId: 'grant-1', now: t0 + 1 };

export const codeClaimContract = (makeLedger: MakeLedger): void => {
  it('knows the grant of a sign-in, before and after its code is redeemed, and no other', async () => {
    const ledger = await makeLedger();
    expect(await ledger.grantStatus('grant-1')).toBe('unknown');
    await ledger.recordSignIn(signIn());
    expect(await ledger.grantStatus('grant-1')).toBe('active');
    await ledger.redeemCode(redemption());
    expect(await ledger.grantStatus('grant-1')).toBe('active');
    expect(await ledger.grantStatus('grant-2')).toBe('unknown');
  });

  it('tells a grant that was revoked from one that was deleted with its user', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.revoke(grant1, 'signed out', t0 + 3);
    expect(await ledger.grantStatus('grant-1')).toBe('revoked');
    await ledger.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 4 });
    expect(await ledger.grantStatus('grant-1')).toBe('unknown');
  });

  it('knows a grant for an hour, and forgets it when it is swept', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.sweep(sweepAt(t0 + hour - 1));
    expect(await ledger.grantStatus('grant-1')).toBe('active');
    await ledger.sweep(sweepAt(t0 + hour));
    expect(await ledger.grantStatus('grant-1')).toBe('unknown');
  });

  it('lets one of 50 callers claim the code of a grant', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    const outcomes = await Promise.all(fifty.map(() => ledger.claimCode(claim)));
    expect(tally(outcomes)).toEqual({ claimed: 1, active: 49 });
  });

  it('leaves the code that was claimed as it is: it can be redeemed once', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.claimCode(claim);
    expect(await ledger.redeemCode(redemption())).toMatchObject({ kind: 'redeemed' });
    expect(await ledger.claimCode(claim)).toBe('active');
  });

  it('claims nothing for a grant that was redeemed, revoked, or never stored', async () => {
    const ledger = await makeLedger();
    expect(await ledger.claimCode(claim)).toBe('unknown');
    await begin(ledger);
    expect(await ledger.claimCode(claim)).toBe('active');
    await ledger.recordSignIn(signIn({ grantId: 'grant-2' }));
    await ledger.revoke({ kind: 'grant', id: 'grant-2' }, 'signed out', t0 + 3);
    expect(await ledger.claimCode({ ...claim, grantId: 'grant-2' })).toBe('revoked');
  });

  it('claims the code of one grant and of no other', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.recordSignIn(signIn({ grantId: 'grant-2' }));
    expect(await ledger.claimCode(claim)).toBe('claimed');
    expect(await ledger.claimCode({ ...claim, grantId: 'grant-2' })).toBe('claimed');
  });
};
