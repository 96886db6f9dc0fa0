/** Which database a command is about: that of `npm start`, or the deployed one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../app/command.ts';
import { wranglerConfigs } from '../app/paths.ts';
import { readDataFolder } from '../local-system/data-folder.ts';

export interface DatabaseLocation {
  /** The file that names the database. */
  readonly config: string;
  /** Left out: the deployed one. */
  readonly local?: { readonly dataFolder: string; readonly stateFolder: string };
}

/** How a person says so. */
export interface DatabaseFlags {
  readonly local?: boolean | undefined;
  readonly remote?: boolean | undefined;
  /** The app is a Pages project there. */
  readonly pages?: boolean | undefined;
}

export const databaseOptions = {
  local: { type: 'boolean' },
  remote: { type: 'boolean' },
  pages: { type: 'boolean' },
} as const;

/**
 * Finds the place.
 * @returns `undefined` where a person said neither
 * @throws Refused for both, or for a local one that is not there yet
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
