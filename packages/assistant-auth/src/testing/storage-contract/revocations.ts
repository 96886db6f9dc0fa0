/** The storage contract for revocations: what they revoke, and what is stored about them. */

import type { RevocationTarget } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  type CreateStorage,
  type DeclareTest,
  grant1,
  grantRefresh,
  listActiveRevocations,
  redemption,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

const user1: RevocationTarget = { kind: 'user', id: 'user-1' };
const chatgpt: RevocationTarget = { kind: 'client', id: 'chatgpt' };
const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;

export const revocationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('keeps the revocation of a grant until its newest access token expires', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.revoke(grant1, 'signed out', t0 + 200);
    expect(await listActiveRevocations(storage, t0 + 200)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 200, expiresAt: t0 + 100 + accessTokenLifetime },
    ]);
  });

  it('keeps the revocation until the access token with the latest expiry expires, which need not be the newest', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100, { accessExpiresAt: t0 + 200 }));
    await storage.revoke(grant1, 'signed out', t0 + 150);
    expect(await listActiveRevocations(storage, t0 + 150)).toMatchObject([
      { expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
  });

  for (const target of [grant1, user1, chatgpt])
    it(`changes nothing if the same ${target.kind} is revoked again`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.revoke(target, 'signed out', t0 + 10);
      const before = await storage.readRevocations(undefined, t0 + 20, 10);
      await storage.revoke(target, 'signed out', t0 + 20);
      expect(await storage.readRevocations(undefined, t0 + 20, 10)).toEqual(before);
      expect(before).toMatchObject({ cursor: 1, revocations: [{ revokedAt: t0 + 10 }] });
    });

  for (const target of [grant1, user1, chatgpt])
    it(`stores no revocation for an unknown ${target.kind}`, async () => {
      const storage = await createStorage();
      await storage.revoke(target, 'signed out', t0);
      expect(await storage.readRevocations(undefined, t0, 10)).toMatchObject({ cursor: 0, revocations: [] });
    });

  for (const target of [grant1, user1, chatgpt])
    it(`revokes a ${target.kind} whose tokens have all expired without storing a revocation`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.revoke(target, 'signed out', t0 + 1 + accessTokenLifetime);
      expect(await listActiveRevocations(storage, t0)).toEqual([]);
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 2 + accessTokenLifetime)))).toBe(
        'inactive',
      );
    });

  for (const target of [grant1, user1, chatgpt])
    it(`revokes an unredeemed grant of a ${target.kind} without storing a revocation`, async () => {
      const storage = await createStorage();
      await storage.recordSignIn(signIn());
      await storage.revoke(target, 'signed out', t0);
      expect(await listActiveRevocations(storage, t0)).toEqual([]);
      expect(await storage.redeemCode(redemption())).toMatchObject({ reason: 'invalid' });
    });

  it('never dates the revocation before a token from a server with a fast clock', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 105));
    await storage.refresh(grantRefresh(0, t0 + 103));
    await storage.revoke(grant1, 'signed out', t0 + 100);
    expect(await listActiveRevocations(storage, t0 + 100)).toMatchObject([{ revokedAt: t0 + 105 }]);
  });

  groupRevocationContract(it, createStorage);
};

const groupRevocationContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  for (const target of [user1, chatgpt])
    it(`revokes every grant of a ${target.kind} with one stored revocation`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { grantId: 'grant-1' });
      await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 50 });
      await storage.recordSignIn(signIn({ grantId: 'grant-3' }));
      await storage.revoke(target, 'signed out', t0 + 55);
      expect(await listActiveRevocations(storage, t0 + 55)).toEqual([
        { ...target, revokedAt: t0 + 55, expiresAt: t0 + 51 + accessTokenLifetime },
      ]);
      for (const grantId of ['grant-1', 'grant-2'])
        expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 56, { grantId })))).toBe(
          'inactive',
        );
      expect(await storage.redeemCode(redemption({ grantId: 'grant-3', now: t0 + 56 }))).toMatchObject({
        reason: 'invalid',
      });
    });

  it('revokes a user’s grants at every client, and no grant of another user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', clientId: 'claude' });
    await signInAndRedeem(storage, { grantId: 'grant-3', ...bob });
    await storage.revoke(user1, 'signed out', t0 + 10);
    const claudeGrant = { grantId: 'grant-2', clientId: 'claude' };
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11)))).toBe('inactive');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, claudeGrant)))).toBe('inactive');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-3' })))).toBe(
      'continued 1',
    );
    expect(await storage.isRevoked(token(claudeGrant), t0 + 11)).toBe(true);
    expect(await storage.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11)).toBe(false);
  });

  it('revokes a client’s grants for every user, and no grant of another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', clientId: 'claude' });
    await signInAndRedeem(storage, { grantId: 'grant-3', ...bob });
    await storage.revoke(chatgpt, 'client withdrawn', t0 + 10);
    const claudeGrant = { grantId: 'grant-2', clientId: 'claude' };
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11)))).toBe('inactive');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-3' })))).toBe(
      'inactive',
    );
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, claudeGrant)))).toBe(
      'continued 1',
    );
    expect(await storage.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11)).toBe(true);
    expect(await storage.isRevoked(token(claudeGrant), t0 + 11)).toBe(false);
  });

  it('accepts tokens of a user who signs in again after everything was revoked', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(user1, 'signed out', t0 + 10);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 10 });
    const newToken = token({ grantId: 'grant-2', issuedAt: t0 + 11 });
    expect(await storage.isRevoked(newToken, t0 + 12)).toBe(false);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 12, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
  });

  it('revokes a user who signed in again, with a new revocation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(user1, 'signed out', t0 + 10);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 10 });
    await storage.revoke(user1, 'signed out', t0 + 20);
    expect(await listActiveRevocations(storage, t0 + 20)).toEqual([
      { ...user1, revokedAt: t0 + 10, expiresAt: t0 + 1 + accessTokenLifetime },
      { ...user1, revokedAt: t0 + 20, expiresAt: t0 + 11 + accessTokenLifetime },
    ]);
  });

  it('does not confuse a grant with a user or a client of the same ID', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { grantId: 'same' });
    await storage.revoke({ kind: 'grant', id: 'same' }, 'signed out', t0 + 10);
    expect(await storage.isRevoked(token({ grantId: 'same' }), t0 + 10)).toBe(true);
    expect(await storage.isRevoked(token({ userId: 'same', clientId: 'same' }), t0 + 10)).toBe(false);
  });

  it('ignores a revocation that has expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(grant1, 'signed out', t0 + 10);
    expect(await storage.isRevoked(token(), t0 + accessTokenLifetime)).toBe(true);
    expect(await storage.isRevoked(token(), t0 + 1 + accessTokenLifetime)).toBe(false);
  });
};
