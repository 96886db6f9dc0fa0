/** Finds the database that a command uses: the local one of `npm start`, or the deployed one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../app/command.ts';
import { wranglerConfigs } from '../app/paths.ts';
import { readDataFolder } from '../local-system/data-folder.ts';

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
  if (local && remote) throw new CommandError('Write --local or --remote, not both.');
  if (!local && !remote) return undefined;
  const config = wranglerConfigs[pages ? 'pages' : 'workers'];
  if (remote) return { config };
  const dataFolder = readDataFolder(environment);
  const stateFolder = join(dataFolder, 'state');
  if (!existsSync(stateFolder))
    throw new CommandError(`There is no local database in ${dataFolder}: npm start makes one.`);
  return { config, local: { dataFolder, stateFolder } };
};
