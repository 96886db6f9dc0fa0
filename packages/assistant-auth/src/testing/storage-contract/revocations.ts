/** The storage contract for revocations: what they revoke, what is stored, and a cursor that misses none. */

import { type BrokerStorage, cleanupMargin, type RevocationTarget } from '../../storage/broker-storage.ts';
import { equal, hasLength, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  buildDueCleanup,
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
const targets = [grant1, user1, chatgpt];
const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;

/** Returns the tests of `revoke` and `isRevoked`. */
export const revocationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('keeps the revocation of a grant until its newest access token expires', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.revoke(grant1, 'signed out', t0 + 200);
    equal(await listActiveRevocations(storage, t0 + 200), [
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 200, expiresAt: t0 + 100 + accessTokenLifetime },
    ]);
  }),

  test('keeps the revocation until the access token with the latest expiry expires, which need not be the newest', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100, { accessExpiresAt: t0 + 200 }));
    await storage.revoke(grant1, 'signed out', t0 + 150);
    matches(await listActiveRevocations(storage, t0 + 150), [{ expiresAt: t0 + 1 + accessTokenLifetime }]);
  }),

  ...targets.map((target) =>
    test(`changes nothing if the same ${target.kind} is revoked again`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      await storage.revoke(target, 'signed out', t0 + 10);
      const before = await storage.readRevocations(undefined, t0 + 20, 10);
      await storage.revoke(target, 'signed out', t0 + 20);
      equal(await storage.readRevocations(undefined, t0 + 20, 10), before);
      matches(before, { cursor: 1, revocations: [{ revokedAt: t0 + 10 }] });
    }),
  ),

  ...targets.map((target) =>
    test(`stores no revocation for an unknown ${target.kind}`, async () => {
      const storage = await createStorage();
      await storage.revoke(target, 'signed out', t0);
      matches(await storage.readRevocations(undefined, t0, 10), { cursor: 0, revocations: [] });
    }),
  ),

  ...targets.map((target) =>
    test(`revokes a ${target.kind} whose tokens have all expired without storing a revocation`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage);
      const now = t0 + 1 + accessTokenLifetime + cleanupMargin;
      await storage.revoke(target, 'signed out', now);
      equal(await listActiveRevocations(storage, t0), []);
      equal(summarizeOutcome(await storage.refresh(grantRefresh(0, now + 1))), 'inactive');
    }),
  ),

  // For a server with the correct time, the token may still be valid.
  ...targets.flatMap((target) =>
    [15, 240, cleanupMargin].map((ahead) =>
      test(`revokes the last token of a ${target.kind} by a server whose clock is ${ahead} s ahead`, async () => {
        const storage = await createStorage();
        await signInAndRedeem(storage);
        const lastSecond = t0 + accessTokenLifetime;
        await storage.revoke(target, 'signed out', lastSecond + ahead);
        equal(await storage.isRevoked(token(), lastSecond), true);
        hasLength(await listActiveRevocations(storage, lastSecond), 1);
      }),
    ),
  ),

  ...targets.map((target) =>
    test(`revokes an unredeemed grant of a ${target.kind} without storing a revocation`, async () => {
      const storage = await createStorage();
      await storage.recordSignIn(signIn());
      await storage.revoke(target, 'signed out', t0);
      equal(await listActiveRevocations(storage, t0), []);
      matches(await storage.redeemCode(redemption()), { reason: 'invalid' });
    }),
  ),

  test('never dates the revocation before a token from a server with a fast clock', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 105));
    await storage.refresh(grantRefresh(0, t0 + 103));
    await storage.revoke(grant1, 'signed out', t0 + 100);
    matches(await listActiveRevocations(storage, t0 + 100), [{ revokedAt: t0 + 105 }]);
  }),

  ...groupRevocationTests(createStorage),
];

const groupRevocationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...[user1, chatgpt].map((target) =>
    test(`revokes every grant of a ${target.kind} with one stored revocation`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { grantId: 'grant-1' });
      await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 50 });
      await storage.recordSignIn(signIn({ grantId: 'grant-3' }));
      await storage.revoke(target, 'signed out', t0 + 55);
      equal(await listActiveRevocations(storage, t0 + 55), [
        { ...target, revokedAt: t0 + 55, expiresAt: t0 + 51 + accessTokenLifetime },
      ]);
      for (const grantId of ['grant-1', 'grant-2'])
        equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 56, { grantId }))), 'inactive');
      matches(await storage.redeemCode(redemption({ grantId: 'grant-3', now: t0 + 56 })), {
        reason: 'invalid',
      });
    }),
  ),

  test('revokes a user’s grants at every client, and no grant of another user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', clientId: 'claude' });
    await signInAndRedeem(storage, { grantId: 'grant-3', ...bob });
    await storage.revoke(user1, 'signed out', t0 + 10);
    const claudeGrant = { grantId: 'grant-2', clientId: 'claude' };
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11))), 'inactive');
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, claudeGrant))), 'inactive');
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-3' }))),
      'continued 1',
    );
    equal(await storage.isRevoked(token(claudeGrant), t0 + 11), true);
    equal(await storage.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11), false);
  }),

  test('revokes a client’s grants for every user, and no grant of another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', clientId: 'claude' });
    await signInAndRedeem(storage, { grantId: 'grant-3', ...bob });
    await storage.revoke(chatgpt, 'client withdrawn', t0 + 10);
    const claudeGrant = { grantId: 'grant-2', clientId: 'claude' };
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11))), 'inactive');
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-3' }))),
      'inactive',
    );
    equal(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, claudeGrant))), 'continued 1');
    equal(await storage.isRevoked(token({ grantId: 'grant-3', userId: 'user-2' }), t0 + 11), true);
    equal(await storage.isRevoked(token(claudeGrant), t0 + 11), false);
  }),

  test('accepts tokens of a user who signs in again after everything was revoked', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(user1, 'signed out', t0 + 10);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 10 });
    const newToken = token({ grantId: 'grant-2', issuedAt: t0 + 11 });
    equal(await storage.isRevoked(newToken, t0 + 12), false);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 12, { grantId: 'grant-2' }))),
      'continued 1',
    );
  }),

  test('revokes a user who signed in again, with a new revocation', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(user1, 'signed out', t0 + 10);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 10 });
    await storage.revoke(user1, 'signed out', t0 + 20);
    equal(await listActiveRevocations(storage, t0 + 20), [
      { ...user1, revokedAt: t0 + 10, expiresAt: t0 + 1 + accessTokenLifetime },
      { ...user1, revokedAt: t0 + 20, expiresAt: t0 + 11 + accessTokenLifetime },
    ]);
  }),

  test('does not confuse a grant with a user or a client of the same ID', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { grantId: 'same' });
    await storage.revoke({ kind: 'grant', id: 'same' }, 'signed out', t0 + 10);
    equal(await storage.isRevoked(token({ grantId: 'same' }), t0 + 10), true);
    equal(await storage.isRevoked(token({ userId: 'same', clientId: 'same' }), t0 + 10), false);
  }),

  test('ignores a revocation that has expired', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.revoke(grant1, 'signed out', t0 + 10);
    equal(await storage.isRevoked(token(), t0 + accessTokenLifetime), true);
    equal(await storage.isRevoked(token(), t0 + 1 + accessTokenLifetime), false);
  }),
];

/** Creates and revokes a grant: this appends one revocation that expires half an hour after `at + 1`. */
const appendRevocation = async (storage: BrokerStorage, grantId: string, at: number): Promise<void> => {
  await signInAndRedeem(storage, { grantId, now: at });
  await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', at + 1);
};

const buildRevocation = (id: string, at: number) => ({
  kind: 'grant',
  id,
  revokedAt: at + 1,
  expiresAt: at + 1 + accessTokenLifetime,
});

/** Returns the tests of `readRevocations`. */
export const revocationPageTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('returns nothing if nothing was revoked', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.readRevocations(undefined, t0, 10), {
      kind: 'page',
      revocations: [],
      cursor: 0,
    });
  }),

  test('returns all unexpired revocations in order, then only those that were appended since', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-b', t0);
    await appendRevocation(storage, 'grant-a', t0 + 1);
    equal(await storage.readRevocations(undefined, t0 + 5, 10), {
      kind: 'page',
      revocations: [buildRevocation('grant-b', t0), buildRevocation('grant-a', t0 + 1)],
      cursor: 2,
    });
    await appendRevocation(storage, 'grant-c', t0 + 6);
    equal(await storage.readRevocations(2, t0 + 9, 10), {
      kind: 'page',
      revocations: [buildRevocation('grant-c', t0 + 6)],
      cursor: 3,
    });
    equal(await storage.readRevocations(3, t0 + 9, 10), {
      kind: 'page',
      revocations: [],
      cursor: 3,
    });
  }),

  test('returns a revocation in its last second, and not when it has expired', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    const expiresAt = t0 + 1 + accessTokenLifetime;
    matches(await storage.readRevocations(undefined, expiresAt - 1, 10), {
      revocations: [buildRevocation('grant-1', t0)],
      cursor: 1,
    });
    equal(await storage.readRevocations(undefined, expiresAt, 10), {
      kind: 'page',
      revocations: [],
      cursor: 1,
    });
  }),

  test('misses nothing if the newest revocations were cleaned up', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    await appendRevocation(storage, 'grant-2', t0);
    const later = t0 + 2 * accessTokenLifetime;
    await storage.cleanUp(buildDueCleanup(later));
    equal(await storage.readRevocations(2, later, 10), {
      kind: 'page',
      revocations: [],
      cursor: 0,
    });
    await appendRevocation(storage, 'grant-3', later);
    equal(await storage.readRevocations(2, later + 1, 10), {
      kind: 'page',
      revocations: [buildRevocation('grant-3', later)],
      cursor: 3,
    });
  }),

  test('misses nothing with a cursor that was read after a cleanup', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-1', t0);
    const later = t0 + 2 * accessTokenLifetime;
    await storage.cleanUp(buildDueCleanup(later));
    const page = await storage.readRevocations(undefined, later, 10);
    await appendRevocation(storage, 'grant-2', later);
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    matches(await storage.readRevocations(cursor, later + 1, 10), {
      revocations: [buildRevocation('grant-2', later)],
      cursor: 2,
    });
  }),

  test('returns all unexpired revocations if the cursor is ahead of the newest one, as after a restored backup', async () => {
    const storage = await createStorage();
    equal(await storage.readRevocations(41, t0, 10), { kind: 'page', revocations: [], cursor: 0 });
    await appendRevocation(storage, 'grant-1', t0);
    equal(await storage.readRevocations(41, t0 + 1, 10), {
      kind: 'page',
      revocations: [buildRevocation('grant-1', t0)],
      cursor: 1,
    });
  }),

  test('returns too-many beyond the limit, which counts only unexpired revocations after the cursor', async () => {
    const storage = await createStorage();
    await appendRevocation(storage, 'grant-dead', t0 - 2 * accessTokenLifetime);
    for (const id of ['grant-1', 'grant-2', 'grant-3']) await appendRevocation(storage, id, t0);
    equal(await storage.readRevocations(undefined, t0 + 1, 2), { kind: 'too-many' });
    matches(await storage.readRevocations(undefined, t0 + 1, 3), { kind: 'page', cursor: 4 });
    matches(await storage.readRevocations(2, t0 + 1, 2), {
      kind: 'page',
      revocations: [{ id: 'grant-2' }, { id: 'grant-3' }],
      cursor: 4,
    });
  }),
];
