/** Runs the storage contract on one driver of SQLite. Writes one line of JSON for each test. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { storageContract } from 'assistant-auth/testing';
import { openDatabase } from './open-database.ts';

const [driver, folder = ''] = process.argv.slice(2);

const tests = storageContract(async () => {
  const file = join(mkdtempSync(join(folder, 'test-')), 'auth.db');
  const database = await openDatabase(driver, file);
  await migrate(database);
  return sqliteStorage(database);
});

for (const { name, run } of tests) {
  const error = await run().then(
    () => undefined,
    (reason: unknown) => String(reason),
  );
  console.log(JSON.stringify({ name, error }));
}
