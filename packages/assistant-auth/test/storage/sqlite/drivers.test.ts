/** How batches run on a driver of SQLite: transactions, locks, settings and values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageUnavailable } from 'assistant-auth';
import { accountStorage } from 'assistant-auth/account';
import { migrate, type SqliteDatabase, sqliteStorage } from 'assistant-auth/sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { createSqliteDatabase, type Waiting } from '../../../src/storage/sqlite/drivers.ts';
import { createSqlStorage } from '../../../src/storage/sqlite/sql-storage.ts';
import {
  assertion1,
  assertionReplayed,
  redemption,
  signIn,
} from '../../../src/testing/storage-contract/sample.ts';
import { everyMethod } from '../d1/every-method.ts';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-drivers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const createFileName = (): string => join(mkdtempSync(join(folder, 'test-')), 'auth.db');

const openMigrated = async (file = createFileName()) => {
  const database = new DatabaseSync(file);
  await migrate(database);
  return { file, database };
};

const neverWait: Waiting = {
  sleep: async () => {
    throw new Error('unexpected wait');
  },
  now: () => 0,
};

const catchError = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

const countUsers = (database: DatabaseSync): number => database.prepare('SELECT id FROM users').all().length;

describe('a lock of another connection', () => {
  it('makes a write wait until the lock is released, without blocking the event loop', async () => {
    const { file, database } = await openMigrated();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const pauses: number[] = [];
    const storage = createSqlStorage(
      createSqliteDatabase(database, {
        sleep: async (duration) => {
          pauses.push(duration);
          if (pauses.length === 3) other.exec('COMMIT');
        },
        now: () => 0,
      }),
    );
    expect(await storage.recordSignIn(signIn())).toMatchObject({ kind: 'recorded', userId: 'user-1' });
    expect(pauses).toEqual([1, 2, 5]);
  });

  it('ends in StorageUnavailable after five seconds, and nothing is stored', async () => {
    const { file, database } = await openMigrated();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    let waited = 0;
    const storage = createSqlStorage(
      createSqliteDatabase(database, {
        sleep: async (duration) => {
          waited += duration;
        },
        now: () => 0,
      }),
    );
    const error = await catchError(storage.recordSignIn(signIn()));
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(error).toHaveProperty('cause.message', 'database is locked');
    expect(waited).toBe(5018);
    other.exec('COMMIT');
    expect(countUsers(database)).toBe(0);
    expect(await storage.recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });

  it('ends in StorageUnavailable earlier if each attempt takes long', async () => {
    const { file, database } = await openMigrated();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    let instant = 0;
    let pauses = 0;
    const storage = createSqlStorage(
      createSqliteDatabase(database, {
        sleep: async () => {
          instant += 2;
          pauses += 1;
        },
        now: () => instant,
      }),
    );
    expect(await catchError(storage.recordSignIn(signIn()))).toBeInstanceOf(StorageUnavailable);
    expect(pauses).toBe(3);
  });

  it('does not make a read wait', async () => {
    const { file, database } = await openMigrated();
    const storage = createSqlStorage(createSqliteDatabase(database, neverWait));
    await storage.recordSignIn(signIn());
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    other.exec("DELETE FROM users WHERE id = 'user-1'");
    expect(await accountStorage(storage).findUser({ provider: 'google', subject: 'ada' })).toBe('user-1');
    expect(await storage.readRevocations(undefined, 0, 10)).toMatchObject({ kind: 'page' });
  });
});

describe('settings', () => {
  it('foreign keys are enforced, a commit is on the disk before it is acknowledged, and SQLite never blocks', async () => {
    const database = new DatabaseSync(createFileName(), { enableForeignKeyConstraints: false });
    database.exec('PRAGMA synchronous = OFF; PRAGMA busy_timeout = 600000');
    await migrate(database);
    const read = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {});
    expect([read('foreign_keys'), read('synchronous'), read('journal_mode')]).toEqual([[1], [2], ['wal']]);
    expect(read('busy_timeout')).toEqual([0]);
  });

  it('a database in memory works', async () => {
    const { database } = await openMigrated(':memory:');
    expect(await sqliteStorage(database).recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });
});

describe('a failure in the middle of a batch', () => {
  it('rolls everything back, and the next batch works', async () => {
    const { database } = await openMigrated();
    const storage = sqliteStorage(database);
    database.exec("CREATE TRIGGER fail BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'full'); END");
    const error = await catchError(storage.recordSignIn(signIn()));
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(error).toHaveProperty('cause.message', 'full');
    expect(countUsers(database)).toBe(0);
    database.exec('DROP TRIGGER fail');
    expect(await storage.recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });

  it('reports the error of the statement if SQLite has already rolled back', async () => {
    const { database } = await openMigrated();
    const storage = sqliteStorage(database);
    database.exec("CREATE TRIGGER fail BEFORE INSERT ON grants BEGIN SELECT RAISE(ROLLBACK, 'gone'); END");
    const error = await catchError(storage.recordSignIn(signIn()));
    expect(error).toHaveProperty('cause.message', 'gone');
    database.exec('DROP TRIGGER fail');
    expect(await storage.recordSignIn(signIn())).toMatchObject({ kind: 'recorded' });
  });
});

describe('a client assertion that was used before', () => {
  it('rolls everything back, and the next batch works', async () => {
    const { database } = await openMigrated();
    const storage = sqliteStorage(database);
    await storage.recordSignIn(signIn());
    await storage.recordAssertion(assertion1);
    expect(await storage.redeemCode(redemption({ assertion: assertion1 }))).toEqual(assertionReplayed);
    expect(database.isTransaction).toBe(false);
    expect(database.prepare('SELECT redeemed_at FROM grants').all()).toMatchObject([{ redeemed_at: null }]);
    expect(await storage.redeemCode(redemption())).toMatchObject({ kind: 'redeemed' });
  });

  it('is recorded only if the batch is committed', async () => {
    const { database } = await openMigrated();
    const storage = sqliteStorage(database);
    await storage.recordSignIn(signIn());
    database.exec("CREATE TRIGGER fail BEFORE UPDATE ON grants BEGIN SELECT RAISE(ABORT, 'full'); END");
    const error = await catchError(storage.redeemCode(redemption({ assertion: assertion1 })));
    expect(error).toBeInstanceOf(StorageUnavailable);
    database.exec('DROP TRIGGER fail');
    expect(await storage.recordAssertion(assertion1)).toBe('recorded');
  });
});

describe('a transaction of the application on the same connection', () => {
  it('makes a method fail, and is not committed', async () => {
    const { database } = await openMigrated();
    const storage = sqliteStorage(database);
    database.exec('BEGIN');
    database.exec("INSERT INTO users (id, created_at) VALUES ('application', 1)");
    expect(await catchError(storage.recordSignIn(signIn()))).toBeInstanceOf(StorageUnavailable);
    expect(database.isTransaction).toBe(true);
    database.exec('ROLLBACK');
    expect(countUsers(database)).toBe(0);
  });
});

describe('a database without the tables', () => {
  it.each(everyMethod)('causes StorageUnavailable, with a message without SQL: %s', async (_, call) => {
    const error = await catchError(call(accountStorage(sqliteStorage(new DatabaseSync(':memory:')))));
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(String(error)).toBe('StorageUnavailable: the database failed');
    expect(error).toHaveProperty('cause.message', expect.stringContaining('no such table'));
  });
});

describe('what is not a database', () => {
  it.each([undefined, null, 'auth.db', {}, { prepare: () => {} }, { batch: () => {} }])(
    'is refused: %j',
    (value) => {
      const options: { readonly database: SqliteDatabase } = JSON.parse('{}');
      expect(() => sqliteStorage(Object.assign(options, { database: value }).database)).toThrow(
        'The database must be a DatabaseSync from node:sqlite, a Database from bun:sqlite or a libSQL client.',
      );
    },
  );

  it('a value that SQLite cannot store is refused before a driver gets it', async () => {
    const { database } = await openMigrated();
    const db = createSqliteDatabase(database, neverWait);
    for (const value of [true, undefined, new Uint8Array(1), 1n])
      expect(() => db.prepare('SELECT ?1').bind(value)).toThrow(TypeError);
  });

  it('a connection that returns rows in another form fails before it writes', async () => {
    for (const options of [{ returnArrays: true }, { readBigInts: true }]) {
      const { file, database } = await openMigrated();
      const storage = sqliteStorage(new DatabaseSync(file, options));
      expect(await catchError(storage.recordSignIn(signIn()))).toBeInstanceOf(StorageUnavailable);
      expect(await catchError(storage.readRevocations(undefined, 0, 10))).toBeInstanceOf(StorageUnavailable);
      expect(countUsers(database)).toBe(0);
    }
  });

  it('a statement of another database is refused', async () => {
    const [one, other] = [await openMigrated(), await openMigrated()].map(({ database }) =>
      createSqliteDatabase(database, neverWait),
    );
    const statement = other?.prepare('SELECT 1') ?? expect.unreachable();
    await expect(one?.batch([statement])).rejects.toThrow('The statement belongs to another database.');
  });
});

describe('the number of changes', () => {
  it('is counted for each statement, and is 0 for reads', async () => {
    const { database } = await openMigrated();
    const db = createSqliteDatabase(database, neverWait);
    const insert = 'INSERT INTO users (id, created_at) VALUES (?1, ?2), (?3, ?2) RETURNING id';
    const results = await db.batch([
      db.prepare(insert).bind('one', 1, 'other'),
      db.prepare('SELECT id FROM users ORDER BY id'),
      db.prepare('UPDATE users SET created_at = ?3 WHERE id = ?1').bind('one', 'unused', 2),
      db.prepare('DELETE FROM users WHERE id = ?1').bind('nobody'),
    ]);
    expect(results.map(({ meta }) => meta.changes)).toEqual([2, 0, 1, 0]);
    expect(results.map(({ results: rows }) => rows.map((row) => ({ ...Object(row) })))).toEqual([
      [{ id: 'one' }, { id: 'other' }],
      [{ id: 'one' }, { id: 'other' }],
      [],
      [],
    ]);
  });
});
