import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { migrate, sqliteStorage } from '../../../src/storage/sqlite/sqlite.ts';
import { storageContract } from '../storage-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
let count = 0;
afterAll(() => rmSync(folder, { recursive: true }));

storageContract('storage on node:sqlite', async () => {
  const database = new DatabaseSync(join(folder, `${(count += 1)}.db`));
  await migrate(database);
  return sqliteStorage(database);
});
