/** The port's contract for sweeping. Whether a grant is still kept shows when its transaction comes back. */
import { expect, it } from 'vitest';
import { grantRetention, type Ledger } from '../../../src/storage/broker-storage.ts';
import {
  begin,
  day,
  gist,
  grant1,
  hour,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  signIn,
  sweepAt,
  t0,
} from './sample.ts';

/** Sweeps, and asks whether `grant-1` is still there; asking puts a new one in place of one that went. */
const keptAfterSweep = async (ledger: Ledger, now: number): Promise<boolean> => {
  await ledger.sweep(sweepAt(now));
  return (await ledger.recordSignIn(signIn({ now }))).kind === 'replayed';
};

export const sweepContract = (makeLedger: MakeLedger): void => {
  it('deletes a grant that was not redeemed in an hour', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    expect(grantRetention).toBe(hour);
    expect(await keptAfterSweep(ledger, t0 + hour - 1)).toBe(true);
    expect(await keptAfterSweep(ledger, t0 + hour)).toBe(false);
  });

  it('leaves a fresh code redeemable', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.sweep(sweepAt(t0 + 59));
    expect(await ledger.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
  });

  it.each(['stable', 'rotating'] as const)(
    'keeps a %s grant until its refresh token has died',
    async (refreshPolicy) => {
      const ledger = await makeLedger();
      await begin(ledger, { refreshPolicy });
      const expiry = t0 + day + 30 * day;
      await ledger.refresh(refreshUse(0, t0 + day));
      expect(await keptAfterSweep(ledger, expiry - 1)).toBe(true);
      expect(await keptAfterSweep(ledger, expiry)).toBe(false);
    },
  );

  it('keeps a grant whose access token outlives its refresh token', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 2 * hour, accessExpiresAt: t0 + 5 * hour }),
    );
    expect(await keptAfterSweep(ledger, t0 + 5 * hour - 1)).toBe(true);
    expect(await keptAfterSweep(ledger, t0 + 5 * hour)).toBe(false);
  });

  it('keeps a grant without refresh token until its access token has died, and an hour at least', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'none' });
    expect(await keptAfterSweep(ledger, t0 + hour - 1)).toBe(true);
    expect(await keptAfterSweep(ledger, t0 + hour)).toBe(false);
    await ledger.revoke(grant1, 'signed out', t0 + hour);
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', refreshPolicy: 'none', now: t0 + hour }));
    await ledger.redeemCode(
      redemption({
        grantId: 'grant-2',
        now: t0 + hour,
        codeExpiresAt: t0 + hour + 60,
        accessExpiresAt: t0 + 4 * hour,
      }),
    );
    await ledger.sweep(sweepAt(t0 + 4 * hour - 1));
    expect(await ledger.recordSignIn(signIn({ grantId: 'grant-2' }))).toEqual({ kind: 'replayed' });
    await ledger.sweep(sweepAt(t0 + 4 * hour));
    expect(await ledger.recordSignIn(signIn({ grantId: 'grant-2' }))).toMatchObject({ kind: 'recorded' });
  });

  it('keeps a revoked grant while one of its access tokens could live', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await ledger.revoke(grant1, 'signed out', t0 + 10);
    expect(await keptAfterSweep(ledger, t0 + 3 * hour - 1)).toBe(true);
    expect(await keptAfterSweep(ledger, t0 + 3 * hour)).toBe(false);
  });

  it('keeps a line of revocation until it has died', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    await ledger.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await ledger.revoke(grant1, 'signed out', t0 + 10);
    await ledger.sweep(sweepAt(t0 + 3 * hour - 1));
    expect(await linesAt(ledger, t0 + 3 * hour - 1)).toHaveLength(1);
    await ledger.sweep(sweepAt(t0 + 3 * hour));
    expect(await linesAt(ledger, t0 + 10)).toEqual([]);
  });

  it('leaves a grant in use as it was', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + day));
    await ledger.sweep(sweepAt(t0 + 2 * day));
    expect(gist(await ledger.refresh(refreshUse(1, t0 + 2 * day)))).toBe('continued 2');
  });

  it('deletes and keeps the same data, whatever keys are in the ring', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn());
    const rings = [['key-1'], ['key-1', 'key-2'], ['key-2', 'key-1'], ['key-2'], ['key-1']] as const;
    for (const openingKeys of rings)
      await ledger.sweep({ ...sweepAt(t0 + 59), sealingKey: openingKeys[0], openingKeys });
    expect(await ledger.redeemCode(redemption({ now: t0 + 59 }))).toMatchObject({ kind: 'redeemed' });
    await ledger.sweep({ ...sweepAt(t0 + 400 * day), sealingKey: 'key-2', openingKeys: ['key-2'] });
    expect(await ledger.recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });

  it('keeps users and identities', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.sweep(sweepAt(t0 + 9999 * day));
    const back = signIn({
      grantId: 'grant-2',
      user: { kind: 'ours', newId: 'user-2' },
      now: t0 + 9999 * day,
    });
    expect(await ledger.recordSignIn(back)).toMatchObject({ kind: 'recorded', userId: 'user-1' });
  });
};
