/** Opens the database that a command uses: a SQLite file, a local D1 database, or a deployed one. */
import type { BrokerStorage } from '../../storage/broker-storage.ts';
import { d1Admin, d1Storage, type StorageAdmin } from '../../storage/sqlite/d1.ts';
import { sqliteAdmin, sqliteStorage } from '../../storage/sqlite/sqlite.ts';
import { isUserFacing } from '../command.ts';
import { openDeployedD1 } from './deployed-d1.ts';
import { findLocalD1, openLocalD1 } from './local-d1.ts';
import type { DatabaseLocation } from './location.ts';
import { describeSqliteError, openSqliteFile, requireBrokerTables } from './sqlite-file.ts';

/** An open database. */
export interface Database {
  readonly storage: BrokerStorage;
  readonly storageAdmin: StorageAdmin;
}

/**
 * Opens the database, runs the work with it, and closes it.
 * @throws CommandError if the database can't be opened or fails. The message is for the operator; the broker
 * never shows it to clients
 */
export const withDatabase = async <Result>(
  location: DatabaseLocation,
  work: (database: Database) => Promise<Result>,
): Promise<Result> => {
  const { close, ...database } = await openDatabase(location);
  try {
    return await work(database);
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    if (isUserFacing(cause)) throw cause;
    throw location.kind === 'sqlite-file' ? describeSqliteError(location.file, error) : error;
  } finally {
    await close();
  }
};

/**
 * Opens the database. The process does not end until it is closed. Removes the key ring from the environment,
 * because Wrangler and workerd get the whole environment, and the commands have already read the ring.
 */
export const openDatabase = async (
  location: DatabaseLocation,
): Promise<Database & { close(): Promise<void> }> => {
  Reflect.deleteProperty(process.env, 'SEALING_KEYS');
  switch (location.kind) {
    case 'sqlite-file': {
      const database = await openSqliteFile(location.file, 'existing');
      try {
        requireBrokerTables(database, location.file);
      } catch (error) {
        database.close();
        throw describeSqliteError(location.file, error);
      }
      return {
        ...{ storage: sqliteStorage(database), storageAdmin: sqliteAdmin(database) },
        close: async () => database.close(),
      };
    }
    case 'local-d1': {
      const { db, close } = await openLocalD1(await findLocalD1(location));
      return { storage: d1Storage(db), storageAdmin: d1Admin(db), close };
    }
    case 'deployed-d1': {
      const db = await openDeployedD1(location, process.env);
      return { storage: d1Storage(db), storageAdmin: d1Admin(db), close: async () => {} };
    }
  }
};
