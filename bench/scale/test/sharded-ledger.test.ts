import { d1Ledger } from 'assistant-auth/d1';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  begin,
  gist,
  refreshUse,
  signIn,
  sweepAt,
  t0,
  token,
} from '../../../packages/assistant-auth/test/ledger/ledger-contract/sample.ts';
import { ledgerContract } from '../../../packages/assistant-auth/test/ledger/ledger-contract.ts';
import { person } from '../day/person.ts';
import { buckets, databaseOfId, placedId } from '../sharding/buckets.ts';
import { shardedLedger } from '../sharding/sharded-ledger.ts';
import { emptyDatabases } from './empty-databases.ts';

const make = async () => shardedLedger((await emptyDatabases()).map(d1Ledger), 'some-from-before');

// Ids without a bucket are those that one database gave before it was divided: they must go on as ever.
ledgerContract('the sharded ledger, with ids of before', make);

/** Somebody of database 0 to 3, signed in. */
const somebody = (index: number, name: string) => {
  const bucket = (index * buckets) / 4;
  const [grantId, userId] = [placedId(bucket, `grant-${name}`), placedId(bucket, `user-${name}`)];
  return {
    grantId,
    userId,
    choice: { grantId, identity: { subject: name }, user: { kind: 'ours', newId: userId } },
  } as const;
};
const [ada, bob] = [somebody(0, 'ada'), somebody(3, 'bob')];

describe('the sharded ledger, with people in several databases', () => {
  let databases: readonly D1Database[];
  let ledger: ReturnType<typeof shardedLedger>;
  beforeEach(async () => {
    databases = await emptyDatabases();
    ledger = shardedLedger(databases.map(d1Ledger), 'all-placed');
    for (const { choice } of [ada, bob]) await begin(ledger, choice);
  });

  const usersIn = (index: number) => databases[index]?.prepare('SELECT count(*) AS n FROM users').first('n');

  it('keeps each in one of them', async () => {
    expect([await usersIn(0), await usersIn(1), await usersIn(2), await usersIn(3)]).toEqual([1, 0, 0, 1]);
  });

  it('refreshes each', async () => {
    for (const { grantId } of [ada, bob])
      expect(gist(await ledger.refresh(refreshUse(0, t0 + 9, { grantId })))).toBe('continued 1');
  });

  it('puts no grant where its user is not', async () => {
    const astray = signIn({ ...ada.choice, grantId: placedId(buckets - 1, 'grant-astray') });
    await expect(ledger.recordSignIn(astray)).rejects.toThrow('a grant lies in the database of its user');
    expect(await usersIn(3)).toBe(1);
  });

  it('ends a client everywhere, and each isolate hears of it once', async () => {
    await ledger.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 9);
    for (const origin of [ada, bob])
      expect(await ledger.isRevoked(token({ grantId: origin.grantId, userId: origin.userId }), t0 + 9)).toBe(
        true,
      );
    const page = await ledger.revocationsSince(undefined, t0 + 9, 10);
    expect(page).toMatchObject({ revocations: [{ id: 'chatgpt' }, { id: 'chatgpt' }] });
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    expect(await ledger.revocationsSince(cursor, t0 + 9, 10)).toMatchObject({ revocations: [] });
  });

  it('gives the news of every database since the last time, and nothing twice', async () => {
    await ledger.revoke({ kind: 'grant', id: bob.grantId }, 'signed out', t0 + 9);
    const page = await ledger.revocationsSince(undefined, t0 + 9, 10);
    expect(page).toMatchObject({ revocations: [{ kind: 'grant', id: bob.grantId }] });
    await ledger.revoke({ kind: 'user', id: ada.userId }, 'signed out', t0 + 10);
    const cursor = page.kind === 'page' ? page.cursor : undefined;
    expect(await ledger.revocationsSince(cursor, t0 + 10, 10)).toMatchObject({
      revocations: [{ kind: 'user', id: ada.userId }],
    });
    expect(await ledger.isRevoked(token({ grantId: bob.grantId, userId: bob.userId }), t0 + 9)).toBe(true);
  });

  it('counts the lines of all when it counts to the limit', async () => {
    for (const { grantId } of [ada, bob])
      await ledger.revoke({ kind: 'grant', id: grantId }, 'signed out', t0 + 9);
    expect(await ledger.revocationsSince(undefined, t0 + 9, 1)).toEqual({ kind: 'too-many' });
    expect(await ledger.revocationsSince(undefined, t0 + 9, 2)).toMatchObject({ kind: 'page' });
  });

  it('heeds a provider’s word where the identity lies', async () => {
    const eve = [...Array(99).keys()].map(person).find(({ userId }) => databaseOfId(userId, 4) === 2);
    if (eve === undefined) throw new Error('nobody lies in the third database');
    const asked = { provider: 'google', subject: eve.subject, sealedRefreshToken: 'sealed-1' };
    await begin(ledger, {
      grantId: eve.grantId,
      identity: asked,
      user: { kind: 'ours', newId: eve.userId },
    });
    const outdated = { ...asked, sealedRefreshToken: 'sealed-0' };
    expect(await ledger.endIdentity(outdated, 'gone', t0 + 9)).toBe('superseded');
    await ledger.recordCheck({ asked, checkAfter: t0 + 600, sealedRefreshToken: 'sealed-2' });
    expect(await ledger.endIdentity(asked, 'gone', t0 + 9)).toBe('superseded');
    const renewed = { ...asked, sealedRefreshToken: 'sealed-2' };
    expect(await ledger.endIdentity(renewed, 'gone', t0 + 9)).toBe('ended');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 10, { grantId: eve.grantId })))).toBe('ended');
  });

  it('sweeps every database', async () => {
    await ledger.sweep(sweepAt(t0 + 400 * 86_400));
    for (const db of databases)
      expect(await db.prepare('SELECT count(*) AS n FROM grants').first('n')).toBe(0);
  });
});
