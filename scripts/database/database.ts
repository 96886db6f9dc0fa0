/** Finds and opens the database that a command uses: the local one of `npm start`, or the deployed one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerStorage } from 'assistant-auth';
import { d1Admin, d1Storage, type StorageAdmin } from 'assistant-auth/d1';
import { CommandError, isUserFacing } from '../app/command.ts';
import { wranglerConfigs } from '../app/paths.ts';
import { getDataFolder } from '../local-system/data-folder.ts';
import { openDeployedD1 } from './deployed-d1.ts';
import { openLocalD1 } from './local-d1.ts';

export interface DatabaseLocation {
  /** The Wrangler file with the database binding. */
  readonly config: string;
  /** Default: the deployed database. */
  readonly local?: { readonly dataFolder: string; readonly stateFolder: string };
}

/** The options that select a database. */
export interface DatabaseFlags {
  readonly local?: boolean | undefined;
  readonly remote?: boolean | undefined;
  /** Whether the app is deployed as a Pages project. */
  readonly pages?: boolean | undefined;
}

export const databaseOptions = {
  local: { type: 'boolean' },
  remote: { type: 'boolean' },
  pages: { type: 'boolean' },
} as const;

/**
 * Finds the selected database.
 * @returns `undefined` if none was selected
 * @throws CommandError if both were selected, or if the local one does not exist yet
 */
export const findDatabaseLocation = (
  { local = false, remote = false, pages = false }: DatabaseFlags,
  environment: NodeJS.ProcessEnv,
): DatabaseLocation | undefined => {
  if (local && remote) throw new CommandError('Pass --local or --remote, not both.');
  if (!local && !remote) return undefined;
  const config = wranglerConfigs[pages ? 'pages' : 'workers'];
  if (remote) return { config };
  const dataFolder = getDataFolder(environment);
  const stateFolder = join(dataFolder, 'state');
  if (!existsSync(stateFolder))
    throw new CommandError(`There is no local database in ${dataFolder}. Run npm start to create it.`);
  return { config, local: { dataFolder, stateFolder } };
};

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
    throw isUserFacing(cause) ? cause : error;
  } finally {
    await close();
  }
};

/**
 * Opens the database. The process does not end until it is closed. Removes the key ring from the environment,
 * because Wrangler and workerd get the whole environment, and `npm run keys` has already read the ring.
 */
export const openDatabase = async ({
  config,
  local,
}: DatabaseLocation): Promise<Database & { close(): Promise<void> }> => {
  Reflect.deleteProperty(process.env, 'SEALING_KEYS');
  const { db, close } =
    local === undefined
      ? { db: await openDeployedD1(config, process.env), close: async () => {} }
      : await openLocalD1({ config, ...local });
  return { storage: d1Storage(db), storageAdmin: d1Admin(db), close };
};
