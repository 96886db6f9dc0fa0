/** The port's contract for revocations: what dies, and what is remembered of it. */
import { expect, it } from 'vitest';
import type { RevocationTarget } from '../../../src/storage/broker-storage.ts';
import {
  accessLife,
  begin,
  gist,
  grant1,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  signIn,
  t0,
  token,
} from './sample.ts';

const user1: RevocationTarget = { kind: 'user', id: 'user-1' };
const chatgpt: RevocationTarget = { kind: 'client', id: 'chatgpt' };
const bob = { identity: { subject: 'bob' }, user: { kind: 'ours', newId: 'user-2' } } as const;

export const revocationContract = (makeLedger: MakeLedger): void => {
  it('remembers a grant until its newest access token dies', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.revoke(grant1, 'signed out', t0 + 200);
    expect(await linesAt(ledger, t0 + 200)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 200, deadAfter: t0 + 100 + accessLife },
    ]);
  });

  it('remembers the longest-lived access token, not the newest', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100, { accessExpiresAt: t0 + 200 }));
    await ledger.revoke(grant1, 'signed out', t0 + 150);
    expect(await linesAt(ledger, t0 + 150)).toMatchObject([{ deadAfter: t0 + 1 + accessLife }]);
  });

  it.each([grant1, user1, chatgpt])('changes nothing by revoking the same $kind twice', async (target) => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.revoke(target, 'signed out', t0 + 10);
    const before = await ledger.revocationsSince(undefined, t0 + 20, 10);
    await ledger.revoke(target, 'signed out', t0 + 20);
    expect(await ledger.revocationsSince(undefined, t0 + 20, 10)).toEqual(before);
    expect(before).toMatchObject({ cursor: 1, revocations: [{ revokedAt: t0 + 10 }] });
  });

  it.each([grant1, user1, chatgpt])('remembers nothing of a $kind that never was', async (target) => {
    const ledger = await makeLedger();
    await ledger.revoke(target, 'signed out', t0);
    expect(await ledger.revocationsSince(undefined, t0, 10)).toMatchObject({ cursor: 0, revocations: [] });
  });

  it.each([grant1, user1, chatgpt])(
    'ends a $kind whose tokens all died without remembering it',
    async (target) => {
      const ledger = await makeLedger();
      await begin(ledger);
      await ledger.revoke(target, 'signed out', t0 + 1 + accessLife);
      expect(await linesAt(ledger, t0)).toEqual([]);
      expect(gist(await ledger.refresh(refreshUse(0, t0 + 2 + accessLife)))).toBe('ended');
    },
  );

  it.each([grant1, user1, chatgpt])(
    'ends an unredeemed grant of a $kind without remembering it',
    async (target) => {
      const ledger = await makeLedger();
      await ledger.recordSignIn(signIn());
      await ledger.revoke(target, 'signed out', t0);
      expect(await linesAt(ledger, t0)).toEqual([]);
      expect(await ledger.redeemCode(redemption())).toMatchObject({ reason: 'spent' });
    },
  );

  it('never puts the revocation before a token that a faster clock issued', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 105));
    await ledger.refresh(refreshUse(0, t0 + 103));
    await ledger.revoke(grant1, 'signed out', t0 + 100);
    expect(await linesAt(ledger, t0 + 100)).toMatchObject([{ revokedAt: t0 + 105 }]);
  });

  wholeSets(makeLedger);
};

const wholeSets = (makeLedger: MakeLedger): void => {
  it.each([user1, chatgpt])('ends every grant of a $kind and remembers it in one line', async (target) => {
    const ledger = await makeLedger();
    await begin(ledger, { grantId: 'grant-1' });
    await begin(ledger, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 50 });
    await ledger.recordSignIn(signIn({ grantId: 'grant-3' }));
    await ledger.revoke(target, 'signed out', t0 + 55);
    expect(await linesAt(ledger, t0 + 55)).toEqual([
      { ...target, revokedAt: t0 + 55, deadAfter: t0 + 51 + accessLife },
    ]);
    for (const grantId of ['grant-1', 'grant-2'])
      expect(gist(await ledger.refresh(refreshUse(0, t0 + 56, { grantId })))).toBe('ended');
    expect(await ledger.redeemCode(redemption({ grantId: 'grant-3', now: t0 + 56 }))).toMatchObject({
      reason: 'spent',
    });
  });

  it('ends a user at every client and leaves other users alone', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2', clientId: 'claude' });
    await begin(ledger, { grantId: 'grant-3', ...bob });
    await ledger.revoke(user1, 'signed out', t0 + 10);
    const atClaude = { grantId: 'grant-2', clientId: 'claude' };
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11)))).toBe('ended');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, atClaude)))).toBe('ended');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, { grantId: 'grant-3' })))).toBe('continued 1');
    expect(await ledger.isRevoked(token(atClaude), t0 + 11)).toBe(true);
    expect(await ledger.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11)).toBe(false);
  });

  it('ends a client for every user and leaves other clients alone', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2', clientId: 'claude' });
    await begin(ledger, { grantId: 'grant-3', ...bob });
    await ledger.revoke(chatgpt, 'client withdrawn', t0 + 10);
    const atClaude = { grantId: 'grant-2', clientId: 'claude' };
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11)))).toBe('ended');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, { grantId: 'grant-3' })))).toBe('ended');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, atClaude)))).toBe('continued 1');
    expect(await ledger.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11)).toBe(true);
    expect(await ledger.isRevoked(token(atClaude), t0 + 11)).toBe(false);
  });

  it('lets a user who signs in again after all was ended go on', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.revoke(user1, 'signed out', t0 + 10);
    await begin(ledger, { grantId: 'grant-2', now: t0 + 10 });
    const again = token({ grantId: 'grant-2', issuedAt: t0 + 11 });
    expect(await ledger.isRevoked(again, t0 + 12)).toBe(false);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 12, { grantId: 'grant-2' })))).toBe('continued 1');
  });

  it('ends such a user again, with a line of its own', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.revoke(user1, 'signed out', t0 + 10);
    await begin(ledger, { grantId: 'grant-2', now: t0 + 10 });
    await ledger.revoke(user1, 'signed out', t0 + 20);
    expect(await linesAt(ledger, t0 + 20)).toEqual([
      { ...user1, revokedAt: t0 + 10, deadAfter: t0 + 1 + accessLife },
      { ...user1, revokedAt: t0 + 20, deadAfter: t0 + 11 + accessLife },
    ]);
  });

  it('tells a token from one that is merely called alike', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { grantId: 'same' });
    await ledger.revoke({ kind: 'grant', id: 'same' }, 'signed out', t0 + 10);
    expect(await ledger.isRevoked(token({ grantId: 'same' }), t0 + 10)).toBe(true);
    expect(await ledger.isRevoked(token({ userId: 'same', clientId: 'same' }), t0 + 10)).toBe(false);
  });

  it('no longer answers for a line that has died', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.revoke(grant1, 'signed out', t0 + 10);
    expect(await ledger.isRevoked(token(), t0 + accessLife)).toBe(true);
    expect(await ledger.isRevoked(token(), t0 + 1 + accessLife)).toBe(false);
  });
};
