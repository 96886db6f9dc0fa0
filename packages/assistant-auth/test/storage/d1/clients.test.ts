/** Clients and client assertions on D1: the rows that are written, the audit log, and failures. */
import { StorageUnavailable } from 'assistant-auth';
import { beforeEach, describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import {
  assertion1,
  assertionReplayed,
  chatgpt,
  grantRefresh,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from '../../../src/testing/storage-contract/sample.ts';
import { emptyD1 } from './empty-d1.ts';

let db: D1Database;
beforeEach(async () => {
  db = await emptyD1();
});

const readRows = async (table: string) => (await db.prepare(`SELECT * FROM ${table}`).all()).results;

/** Returns the rows of all tables that requests write. */
const readAllRows = async () => {
  const tables = ['users', 'identities', 'grants', 'revocations', 'audit', 'clients', 'client_assertions'];
  return Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, await readRows(table)] as const)),
  );
};

const usedAssertion = { client_id: 'chatgpt', jti: 'assertion-1', retain_until: t0 + 300 };

describe('a sign-in with a client', () => {
  it('stores the client, and writes the same audit rows as without one', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn());
    for (const grantId of ['grant-2', 'grant-3'])
      await storage.recordSignIn(signIn({ grantId, client: chatgpt, limits: { activeGrants: 2 } }));
    expect(await readRows('clients')).toEqual([
      {
        id: 'chatgpt',
        name: 'ChatGPT',
        metadata: '{"redirect_uris":["https://chat.example/callback"]}',
        retain_until: t0 + 90 * 86_400,
      },
    ]);
    expect((await readRows('audit')).map(({ event, client_id }) => [event, client_id])).toEqual([
      ['signed-in', 'chatgpt'],
      ['signed-in', 'chatgpt'],
      ['signed-in', 'chatgpt'],
      ['revoked', 'chatgpt'],
    ]);
  });

  it.each([
    ['replayed', {}],
    ['limited', { grantId: 'grant-2', limits: { signIns: 1 } }],
  ] as const)('changes no row if it is %s', async (kind, changes) => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage, { client: chatgpt });
    const before = await readAllRows();
    const client = { ...chatgpt, name: 'Other', retainUntil: t0 + 999 * 86_400 };
    expect(await storage.recordSignIn(signIn({ ...changes, client }))).toMatchObject({ kind });
    expect(await readAllRows()).toEqual(before);
  });

  it('stores no client if the grant cannot be stored', async () => {
    await db.exec("CREATE TRIGGER fail AFTER INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END");
    const outcome = d1Storage(db).recordSignIn(signIn({ client: chatgpt }));
    await expect(outcome).rejects.toThrow(StorageUnavailable);
    await db.exec('DROP TRIGGER fail');
    expect(await readRows('clients')).toEqual([]);
  });
});

describe('a client assertion', () => {
  it('is stored with the redemption or the refresh', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ assertion: assertion1 }));
    await storage.refresh(grantRefresh(0, t0 + 9, { assertion: { ...assertion1, clientId: 'claude' } }));
    expect(await readRows('client_assertions')).toEqual([
      usedAssertion,
      { ...usedAssertion, client_id: 'claude' },
    ]);
  });

  it('changes no row if it was used before, whatever the request would change otherwise', async () => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(1, t0 + 200));
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    await storage.recordAssertion(assertion1);
    const before = await readAllRows();
    const assertion = { ...assertion1, retainUntil: t0 + 9999 };
    const outcomes = [
      await storage.redeemCode(redemption({ grantId: 'grant-2', assertion })),
      await storage.redeemCode(redemption({ now: t0 + 30, assertion })),
      await storage.refresh(grantRefresh(2, t0 + 300, { assertion })),
      await storage.refresh(grantRefresh(0, t0 + 300, { assertion })),
    ];
    expect(outcomes).toEqual(outcomes.map(() => assertionReplayed));
    expect(await storage.recordAssertion(assertion)).toBe('replayed');
    expect(await readAllRows()).toEqual(before);
  });

  it('does not count as used if the database fails, and can be used again', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn());
    await db.exec("CREATE TRIGGER fail BEFORE UPDATE ON grants BEGIN SELECT RAISE(ABORT, 'full'); END");
    const failed = storage.redeemCode(redemption({ assertion: assertion1 }));
    await expect(failed).rejects.toThrow(StorageUnavailable);
    await db.exec('DROP TRIGGER fail');
    expect(await readRows('client_assertions')).toEqual([]);
    expect(await storage.redeemCode(redemption({ assertion: assertion1 }))).toMatchObject({
      kind: 'redeemed',
    });
  });

  it('is not taken for replayed because of a unique key of another table', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn());
    await db.exec(
      "CREATE TRIGGER fail BEFORE UPDATE ON grants BEGIN INSERT INTO users (id, created_at) VALUES ('user-1', 1); END",
    );
    const failed = storage.redeemCode(redemption({ assertion: assertion1 }));
    await expect(failed).rejects.toMatchObject({
      name: 'StorageUnavailable',
      cause: { message: expect.stringContaining('UNIQUE constraint failed: users.id') },
    });
    await db.exec('DROP TRIGGER fail');
  });
});
