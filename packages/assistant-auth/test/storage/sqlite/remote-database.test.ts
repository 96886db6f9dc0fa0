/** The adapter in docs/guides/write-a-storage.md passes the contract of every storage, with the exported migrations. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { d1Storage } from 'assistant-auth/d1';
import { afterAll, expect, it } from 'vitest';
import { testStorageContract } from '../test-storage-contract.ts';
import { createRemoteDatabase, type Query } from './remote-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'remote-database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const migrations = new URL('../../../migrations/', import.meta.url);

/** Runs a transaction, as a remote database would. */
const createTransactions = (database: DatabaseSync) => async (queries: readonly Query[]) => {
  database.exec('BEGIN IMMEDIATE');
  try {
    const results = queries.map(({ sql, values }) => {
      const before = readChanges(database);
      const parameters = Object.fromEntries(
        values.map((value, index) => [`?${index + 1}`, toSqlValue(value)]),
      );
      const statement = database.prepare(sql);
      statement.setAllowUnknownNamedParameters(true); // a statement may not use all of its values
      const rows = statement.all(parameters);
      return { rows, changes: readChanges(database) - before };
    });
    database.exec('COMMIT');
    return results;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
};

const readChanges = (database: DatabaseSync): number =>
  Number(Object.values(database.prepare('SELECT total_changes()').get() ?? {})[0]);

const toSqlValue = (value: unknown): string | number | null => {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`not a value of SQLite: ${typeof value}`);
};

testStorageContract('storage with the adapter', async () => {
  const database = new DatabaseSync(join(mkdtempSync(join(folder, 'test-')), 'auth.db'));
  for (const file of readdirSync(migrations).toSorted())
    database.exec(readFileSync(new URL(file, migrations), 'utf8'));
  return d1Storage(createRemoteDatabase(createTransactions(database)));
});

it('is the adapter of the page', () => {
  const page = readFileSync(
    new URL('../../../../../docs/guides/write-a-storage.md', import.meta.url),
    'utf8',
  );
  const source = readFileSync(new URL('remote-database.ts', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`ts\n// src/remote-database.ts\n${source}\`\`\`\n`);
});
