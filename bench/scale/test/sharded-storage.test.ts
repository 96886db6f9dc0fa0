import { d1Storage } from 'assistant-auth/d1';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  buildCleanup,
  refreshUse,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from '../../../packages/assistant-auth/test/storage/storage-contract/sample.ts';
import { storageContract } from '../../../packages/assistant-auth/test/storage/storage-contract.ts';
import { createSimulatedUser } from '../day/person.ts';
import { buckets, buildShardedId, findDatabase } from '../sharding/buckets.ts';
import { shardedStorage } from '../sharding/sharded-storage.ts';
import { emptyDatabases } from './empty-databases.ts';

const make = async () => shardedStorage((await emptyDatabases()).map(d1Storage), 'some-unsharded');

// IDs without a bucket are from before the database was split, and must keep working.
storageContract('the sharded storage, with ids of before', make);

/** A user of database 0 to 3, signed in. */
const newIdentity = (index: number, name: string) => {
  const bucket = (index * buckets) / 4;
  const [grantId, userId] = [buildShardedId(bucket, `grant-${name}`), buildShardedId(bucket, `user-${name}`)];
  return {
    grantId,
    userId,
    choice: { grantId, identity: { subject: name }, user: { kind: 'by-identity', newId: userId } },
  } as const;
};
const [ada, bob] = [newIdentity(0, 'ada'), newIdentity(3, 'bob')];

describe('the sharded storage, with people in several databases', () => {
  let databases: readonly D1Database[];
  let storage: ReturnType<typeof shardedStorage>;
  beforeEach(async () => {
    databases = await emptyDatabases();
    storage = shardedStorage(databases.map(d1Storage), 'all-sharded');
    for (const { choice } of [ada, bob]) await signInAndRedeem(storage, choice);
  });

  const usersIn = (index: number) => databases[index]?.prepare('SELECT count(*) AS n FROM users').first('n');

  it('keeps each in one of them', async () => {
    expect([await usersIn(0), await usersIn(1), await usersIn(2), await usersIn(3)]).toEqual([1, 0, 0, 1]);
  });

  it('refreshes each', async () => {
    for (const { grantId } of [ada, bob])
      expect(summarizeOutcome(await storage.refresh(refreshUse(0, t0 + 9, { grantId })))).toBe('continued 1');
  });

  it('puts no grant where its user is not', async () => {
    const astray = signIn({ ...ada.choice, grantId: buildShardedId(buckets - 1, 'grant-astray') });
    await expect(storage.recordSignIn(astray)).rejects.toThrow('a grant lies in the database of its user');
    expect(await usersIn(3)).toBe(1);
  });

  it('ends a client everywhere, and each isolate hears of it once', async () => {
    await storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 9);
    for (const origin of [ada, bob])
      expect(await storage.isRevoked(token({ grantId: origin.grantId, userId: origin.userId }), t0 + 9)).toBe(
        true,
      );
    const page = await storage.readRevocations(undefined, t0 + 9, 10);
    expect(page).toMatchObject({ revocations: [{ id: 'chatgpt' }, { id: 'chatgpt' }] });
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    expect(await storage.readRevocations(cursor, t0 + 9, 10)).toMatchObject({ revocations: [] });
  });

  it('gives the news of every database since the last time, and nothing twice', async () => {
    await storage.revoke({ kind: 'grant', id: bob.grantId }, 'signed out', t0 + 9);
    const page = await storage.readRevocations(undefined, t0 + 9, 10);
    expect(page).toMatchObject({ revocations: [{ kind: 'grant', id: bob.grantId }] });
    await storage.revoke({ kind: 'user', id: ada.userId }, 'signed out', t0 + 10);
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    expect(await storage.readRevocations(cursor, t0 + 10, 10)).toMatchObject({
      revocations: [{ kind: 'user', id: ada.userId }],
    });
    expect(await storage.isRevoked(token({ grantId: bob.grantId, userId: bob.userId }), t0 + 9)).toBe(true);
  });

  it('counts the lines of all when it counts to the limit', async () => {
    for (const { grantId } of [ada, bob])
      await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', t0 + 9);
    expect(await storage.readRevocations(undefined, t0 + 9, 1)).toEqual({ kind: 'too-many' });
    expect(await storage.readRevocations(undefined, t0 + 9, 2)).toMatchObject({ kind: 'page' });
  });

  it('heeds a provider’s word where the identity lies', async () => {
    const eve = [...Array(99).keys()]
      .map(createSimulatedUser)
      .find(({ userId }) => findDatabase(userId, 4) === 2);
    if (eve === undefined) throw new Error('nobody lies in the third database');
    const asked = { provider: 'google', subject: eve.subject, sealedRefreshToken: 'sealed-1' };
    await signInAndRedeem(storage, {
      grantId: eve.grantId,
      identity: asked,
      user: { kind: 'by-identity', newId: eve.userId },
    });
    const outdated = { ...asked, sealedRefreshToken: 'sealed-0' };
    expect(await storage.revokeGrantsOfIdentity(outdated, 'revoked', t0 + 9)).toBe('superseded');
    await storage.recordRecheck({ usedToken: asked, recheckAfter: t0 + 600, sealedRefreshToken: 'sealed-2' });
    expect(await storage.revokeGrantsOfIdentity(asked, 'revoked', t0 + 9)).toBe('superseded');
    const renewed = { ...asked, sealedRefreshToken: 'sealed-2' };
    expect(await storage.revokeGrantsOfIdentity(renewed, 'revoked', t0 + 9)).toBe('revoked');
    expect(summarizeOutcome(await storage.refresh(refreshUse(0, t0 + 10, { grantId: eve.grantId })))).toBe(
      'inactive',
    );
  });

  it('cleans up every database', async () => {
    await storage.cleanUp(buildCleanup(t0 + 400 * 86_400));
    for (const db of databases)
      expect(await db.prepare('SELECT count(*) AS n FROM grants').first('n')).toBe(0);
  });
});
