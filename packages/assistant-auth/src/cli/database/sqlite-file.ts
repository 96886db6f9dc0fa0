/** Opens a SQLite file with `node:sqlite`, and explains why opening it or running a query failed. */
import { closeSync, existsSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { CommandError, UsageError } from '../command.ts';

/**
 * Opens a SQLite file.
 * @param mode whether the file must exist, or is created if it does not
 * @throws UsageError if it does not exist. CommandError if it can't be opened as a SQLite database
 */
export const openSqliteFile = async (file: string, mode: 'existing' | 'create'): Promise<DatabaseSync> => {
  if (mode === 'existing' && !existsSync(file))
    throw new UsageError(`The database ${file} does not exist. ${migrationAdvice(file)}`);
  const { DatabaseSync } = await loadSqlite();
  try {
    // Only the owner may read the file, which contains names and email addresses of users.
    if (mode === 'create') closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file);
    // For the queries of this file. The storage waits for locks itself.
    database.exec('PRAGMA busy_timeout = 5000');
    // SQLite reads the file only now, and fails if it is not a database.
    database.prepare('PRAGMA schema_version').all();
    return database;
  } catch (cause) {
    throw new CommandError(
      `${file} can't be opened as a SQLite database: ${readMessage(cause)}. Check the path and its permissions.`,
      { cause },
    );
  }
};

/**
 * Loads `node:sqlite`. Suppresses the warning of older versions of Node that it is experimental.
 * @throws CommandError if this version of Node does not have it
 */
const loadSqlite = async (): Promise<typeof import('node:sqlite')> => {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return await import('node:sqlite');
  } catch (cause) {
    throw new CommandError(`--database needs Node 22.13 or newer. This is ${process.version}.`, { cause });
  } finally {
    process.emitWarning = emitWarning;
  }
};

/** @throws CommandError if the migrations were not applied to the database */
export const requireBrokerTables = (database: DatabaseSync, file: string): void => {
  const found = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('users', 'grants', 'audit')")
    .all();
  if (found.length === 3) return;
  throw new CommandError(`${file} has no tables of assistant-auth. ${migrationAdvice(file)}`);
};

const migrationAdvice = (file: string): string =>
  `Pass the file that your app uses, or run "npx assistant-auth migrations --database ${file}" to create the tables.`;

/**
 * Converts a SQLite error into one that says what happened. Each query is one transaction, so a query
 * that failed has changed nothing.
 * @returns any other error as it is
 */
export const describeSqliteError = (file: string, error: unknown): unknown => {
  const sqliteError = [error, Object(error).cause].find((candidate) => isSqliteError(candidate));
  if (sqliteError === undefined) return error;
  const message = readMessage(sqliteError);
  if (message.startsWith('no such table'))
    return new CommandError(
      `${file} lacks tables of this version of assistant-auth. ${migrationAdvice(file)}`,
      {
        cause: error,
      },
    );
  return new CommandError(
    message.includes('locked')
      ? `Another process kept the database ${file} locked for five seconds. The query changed nothing. Try again later.`
      : `The database ${file} failed: ${message}. The query changed nothing.`,
    { cause: error },
  );
};

const isSqliteError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';

const readMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
