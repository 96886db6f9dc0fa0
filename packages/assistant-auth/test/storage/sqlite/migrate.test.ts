/** `migrate`: creates and updates the tables in a SQLite database. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { accountStorage } from 'assistant-auth/account';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-migrate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url));
const names = readdirSync(migrationsFolder).toSorted();

const readSchema = (database: DatabaseSync) =>
  database
    .prepare('SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name')
    .all()
    .map((row) => ({ ...row }));

const readColumns = (database: DatabaseSync) =>
  database
    .prepare(
      `SELECT m.name AS tbl, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
      FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`,
    )
    .all()
    .map((row) => ({ ...row }));

it('applies every migration once, and returns the names of those that it applied', async () => {
  const database = new DatabaseSync(':memory:');
  expect(await migrate(database)).toEqual(names);
  expect(await migrate(database)).toEqual([]);
  const rows = database.prepare('SELECT name FROM assistant_auth_migrations').all();
  expect(rows.map(({ name }) => name)).toEqual(names);
});

it('creates the same tables and indexes as the files that D1 uses', async () => {
  const migrated = new DatabaseSync(':memory:');
  await migrate(migrated);
  migrated.exec('DROP TABLE assistant_auth_migrations');
  const expected = new DatabaseSync(':memory:');
  for (const name of names) expected.exec(readFileSync(join(migrationsFolder, name), 'utf8'));
  expect(readSchema(migrated)).toEqual(readSchema(expected));
  expect(readColumns(migrated)).toEqual(readColumns(expected));
  expect(readSchema(expected).length).toBeGreaterThan(10);
});

it('applies each migration once if several connections migrate at the same time', async () => {
  const file = join(folder, 'concurrent.db');
  const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(new DatabaseSync(file))));
  expect(applied.flat()).toEqual(names);
});

it('changes nothing if the database has another table with the same name', async () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE grants (amount INTEGER)');
  const error = await migrate(database).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    message:
      'The migration 0001_broker.sql could not be applied. The database must not have other tables with the same names.',
    cause: { message: 'table grants already exists' },
  });
  expect(readSchema(database)).toMatchObject([
    { type: 'index', tbl_name: 'assistant_auth_migrations' },
    { type: 'table', name: 'assistant_auth_migrations' },
    { type: 'table', name: 'grants' },
  ]);
  expect(database.prepare('SELECT * FROM assistant_auth_migrations').all()).toEqual([]);
});

it('keeps the data', async () => {
  const database = new DatabaseSync(':memory:');
  await migrate(database);
  database.exec("INSERT INTO users (id, created_at) VALUES ('user-1', 1)");
  await migrate(database);
  expect(database.prepare('SELECT id FROM users').all()).toMatchObject([{ id: 'user-1' }]);
});

it('updates the tables of an earlier version, and keeps the data', async () => {
  const [first = '', ...later] = names;
  const database = new DatabaseSync(':memory:');
  database.exec(readFileSync(join(migrationsFolder, first), 'utf8'));
  database.exec(`CREATE TABLE assistant_auth_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;
    INSERT INTO assistant_auth_migrations VALUES ('${first}', 1);
    INSERT INTO users (id, created_at) VALUES ('user-1', 1)`);
  expect(await migrate(database)).toEqual(later);
  expect(later).toContain('0002_clients.sql');
  expect(database.prepare('SELECT id FROM users').all()).toMatchObject([{ id: 'user-1' }]);
  expect(await sqliteStorage(database).readClient('chatgpt')).toBeUndefined();
});

it('shows no notice about identities of an earlier version, and lists their sessions as unknown devices', async () => {
  const database = new DatabaseSync(':memory:');
  await migrate(database);
  database.exec(`ALTER TABLE identities DROP COLUMN newly_linked;
    ALTER TABLE grants DROP COLUMN device;
    DELETE FROM assistant_auth_migrations WHERE name = '0005_account_page.sql';
    INSERT INTO users (id, created_at) VALUES ('user-1', 1);
    INSERT INTO identities (provider, subject, user_id, created_at, last_sign_in_at) VALUES ('google', 'ada', 'user-1', 1, 1);
    INSERT INTO grants (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy, created_at)
      VALUES ('session-1', 'user-1', 'google', 'ada', 'account', 'https://a.example', '[]', 'https://a.example', '{}', 'stable', 1)`);
  expect(await migrate(database)).toEqual(['0005_account_page.sql']);
  const account = await accountStorage(sqliteStorage(database)).readAccount('user-1');
  expect(account?.identities).toMatchObject([{ subject: 'ada', isNewlyLinked: false }]);
  expect(account?.grants).toEqual([expect.not.objectContaining({ device: expect.anything() })]);
  expect(account?.grants).toMatchObject([{ id: 'session-1' }]);
});
