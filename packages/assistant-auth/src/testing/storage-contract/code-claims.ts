/** The storage contract for `readGrantStatus` and `claimCode`. */
import { expect } from './expect.ts';
import {
  buildCleanup,
  type CreateStorage,
  countValues,
  type DeclareTest,
  fiftyIndexes,
  grant1,
  hour,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

const claim = { grantId: 'grant-1', now: t0 + 1 };

export const codeClaimContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('finds the grant of a sign-in before and after its code is redeemed, and no unknown grant', async () => {
    const storage = await createStorage();
    expect(await storage.readGrantStatus('grant-1')).toBe('unknown');
    await storage.recordSignIn(signIn());
    expect(await storage.readGrantStatus('grant-1')).toBe('active');
    await storage.redeemCode(redemption());
    expect(await storage.readGrantStatus('grant-1')).toBe('active');
    expect(await storage.readGrantStatus('grant-2')).toBe('unknown');
  });

  it('distinguishes a revoked grant from one that was deleted with its user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(grant1, 'signed out', t0 + 3);
    expect(await storage.readGrantStatus('grant-1')).toBe('revoked');
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 4 });
    expect(await storage.readGrantStatus('grant-1')).toBe('unknown');
  });

  it('finds a grant for an hour, until the cleanup deletes it', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.cleanUp(buildCleanup(t0 + hour - 1));
    expect(await storage.readGrantStatus('grant-1')).toBe('active');
    await storage.cleanUp(buildCleanup(t0 + hour));
    expect(await storage.readGrantStatus('grant-1')).toBe('unknown');
  });

  it('lets only one of 50 concurrent callers claim the code of a grant', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.claimCode(claim)));
    expect(countValues(outcomes)).toEqual({ claimed: 1, active: 49 });
  });

  it('does not change the claimed code, which can be redeemed once', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.claimCode(claim);
    expect(await storage.redeemCode(redemption())).toMatchObject({ kind: 'redeemed' });
    expect(await storage.claimCode(claim)).toBe('active');
  });

  it('claims no code of a grant that was redeemed, revoked or never stored', async () => {
    const storage = await createStorage();
    expect(await storage.claimCode(claim)).toBe('unknown');
    await signInAndRedeem(storage);
    expect(await storage.claimCode(claim)).toBe('active');
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    await storage.revoke({ kind: 'grant', id: 'grant-2' }, 'signed out', t0 + 3);
    expect(await storage.claimCode({ ...claim, grantId: 'grant-2' })).toBe('revoked');
  });

  it('claims the code of one grant only', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    expect(await storage.claimCode(claim)).toBe('claimed');
    expect(await storage.claimCode({ ...claim, grantId: 'grant-2' })).toBe('claimed');
  });
};
