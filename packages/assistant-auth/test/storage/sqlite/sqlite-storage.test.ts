/** Storage in a SQLite file passes the contract of every storage. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { afterAll } from 'vitest';
import { testStorageContract } from '../test-storage-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-storage-'));
afterAll(() => rmSync(folder, { recursive: true }));

testStorageContract('storage on node:sqlite', async () => {
  const database = new DatabaseSync(join(mkdtempSync(join(folder, 'test-')), 'auth.db'));
  await migrate(database);
  return sqliteStorage(database);
});
