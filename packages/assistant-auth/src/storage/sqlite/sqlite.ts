/**
 * Storage in a SQLite file, and the operator's queries on it. It has the same tables as the storage on D1.
 * @module
 */

import { systemClock, systemSleep } from '../../defaults.ts';
import type { BrokerStorage } from '../broker-storage.ts';
import { createSqlAdmin } from './admin.ts';
import { createSqliteDatabase, type SqliteDatabase } from './drivers.ts';
import { migrations } from './migrations.ts';
import { createSqlStorage } from './sql-storage.ts';
import type { SqlDatabase } from './statements.ts';
import type { StorageAdmin } from './storage-admin.ts';

export type {
  LibsqlClient,
  LibsqlResult,
  LibsqlStatement,
  SqliteConnection,
  SqliteDatabase,
  SqlitePreparedStatement,
  SqliteValue,
} from './drivers.ts';
export type { AuditActor, AuditEventName } from './statements.ts';
export type * from './storage-admin.ts';

/**
 * Creates storage in a SQLite database that {@link migrate} has prepared. Several processes on one machine can
 * use the same file. A method that finds the file locked waits up to five seconds.
 *
 * The storage sets the journal mode of the file to WAL, and on the connection `synchronous = FULL`,
 * `foreign_keys = ON` and `busy_timeout = 0`, because it waits for locks itself. Give it a connection of its
 * own, because it fails during a transaction of the application on the same connection. In one process, open
 * the file with one driver only, because the locks of two SQLite libraries do not exclude each other.
 *
 * `accountPages()` adds the methods of the account page to the storage, and `accountStorage` of
 * `assistant-auth/account` returns them.
 * @param database a `DatabaseSync` from `node:sqlite`, a `Database` from `bun:sqlite`, or a libSQL client
 *   with a `file:` URL
 * @throws TypeError if it is none of these
 * @throws StorageUnavailable from every method if the database fails or stays locked, with the driver's error
 *   as `cause`
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * import { createBroker, google, gptAction } from 'assistant-auth';
 * import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
 *
 * const database = new DatabaseSync('auth.db');
 * await migrate(database);
 *
 * const broker = createBroker({
 *   issuer: 'https://words.example',
 *   sealingKeys: env.SEALING_KEYS,
 *   storage: sqliteStorage(database),
 *   scopes: { score: 'see and increase your score' },
 *   clients: [
 *     gptAction({
 *       id: 'words-gpt',
 *       name: 'Words With Chat',
 *       secrets: [env.GPT_CLIENT_SECRET],
 *       scopes: ['score'],
 *     }),
 *   ],
 *   providers: [google({ clientId: env.GOOGLE_CLIENT_ID, clientSecret: env.GOOGLE_CLIENT_SECRET })],
 * });
 * ```
 */
export const sqliteStorage = (database: SqliteDatabase): BrokerStorage =>
  createSqlStorage(createSqliteDatabase(database, waiting));

/**
 * Creates the operator's queries on the storage's database. Some read whole tables, so do not call them for
 * each request.
 * @param database the same kinds of databases as for {@link sqliteStorage}
 * @throws StorageUnavailable from every method if the database fails, with the driver's error as `cause`
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * import { sqliteAdmin } from 'assistant-auth/sqlite';
 *
 * const admin = sqliteAdmin(new DatabaseSync('auth.db'));
 * const now = await admin.readClock();
 * for (const user of await admin.listUsers({ limit: 20, skip: 0 }, now)) {
 *   console.log(user.id, user.activeGrants);
 * }
 * ```
 */
export const sqliteAdmin = (database: SqliteDatabase): StorageAdmin =>
  createSqlAdmin(createSqliteDatabase(database, waiting));

/**
 * Creates the tables of the broker, or updates them to this version of the package. Several processes can
 * call it at the same time. Call it before requests are handled. The table `assistant_auth_migrations` lists
 * the migrations that were applied.
 * @param database the same kinds of databases as for {@link sqliteStorage}
 * @returns the names of the migrations that this call applied, in order; none if the tables are up to date
 * @throws Error with the name of the migration that failed, and the driver's error as `cause`. That
 *   migration has changed nothing
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * import { migrate } from 'assistant-auth/sqlite';
 *
 * const applied = await migrate(new DatabaseSync('auth.db'));
 * console.log(applied); // for example ['0001_broker.sql', '0002_clients.sql']
 * ```
 */
export const migrate = async (database: SqliteDatabase): Promise<readonly string[]> => {
  const db = createSqliteDatabase(database, waiting);
  const applied = await readAppliedMigrations(db);
  const newlyApplied: string[] = [];
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    if (await applyMigration(db, migration)) newlyApplied.push(migration.name);
  }
  return newlyApplied;
};

const waiting = { sleep: systemSleep, now: systemClock };

const readAppliedMigrations = async (db: SqlDatabase): Promise<ReadonlySet<string>> => {
  const [, found] = await db.batch<{ readonly name: string }>([
    db.prepare(
      'CREATE TABLE IF NOT EXISTS assistant_auth_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    ),
    db.prepare('SELECT name FROM assistant_auth_migrations'),
  ]);
  return new Set((found?.results ?? []).map(({ name }) => name));
};

/**
 * Applies a migration in one transaction. The first statement fails if another process has applied it in
 * the meantime.
 * @returns whether this call applied it
 */
const applyMigration = async (
  db: SqlDatabase,
  { name, statements }: (typeof migrations)[number],
): Promise<boolean> => {
  const record = db
    .prepare('INSERT INTO assistant_auth_migrations (name, applied_at) VALUES (?1, unixepoch())')
    .bind(name);
  try {
    await db.batch([record, ...statements.map((statement) => db.prepare(statement))]);
    return true;
  } catch (cause) {
    if ((await readAppliedMigrations(db)).has(name)) return false;
    throw new Error(
      `The migration ${name} could not be applied. The database must not have other tables with the same names.`,
      {
        cause,
      },
    );
  }
};
