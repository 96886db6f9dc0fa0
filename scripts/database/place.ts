/** Which database a command is about: that of `npm start`, or the deployed one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Refused } from '../app/command.ts';
import { wranglerConfigs } from '../app/places.ts';
import { readDataFolder } from '../local-system/data-folder.ts';

export interface Place {
  /** The file that names the database. */
  readonly config: string;
  /** Left out: the deployed one. */
  readonly local?: { readonly dataFolder: string; readonly stateFolder: string };
}

/** How a person says so. */
export interface PlaceFlags {
  readonly local?: boolean | undefined;
  readonly remote?: boolean | undefined;
  /** The app is a Pages project there. */
  readonly pages?: boolean | undefined;
}

export const placeOptions = {
  local: { type: 'boolean' },
  remote: { type: 'boolean' },
  pages: { type: 'boolean' },
} as const;

/**
 * Finds the place.
 * @returns `undefined` where a person said neither
 * @throws Refused for both, or for a local one that is not there yet
 */
export const findPlace = (
  { local = false, remote = false, pages = false }: PlaceFlags,
  environment: NodeJS.ProcessEnv,
): Place | undefined => {
  if (local && remote) throw new Refused('Write --local or --remote, not both.');
  if (!local && !remote) return undefined;
  const config = wranglerConfigs[pages ? 'pages' : 'workers'];
  if (remote) return { config };
  const dataFolder = readDataFolder(environment);
  const stateFolder = join(dataFolder, 'state');
  if (!existsSync(stateFolder))
    throw new Refused(`There is no local database in ${dataFolder}: npm start makes one.`);
  return { config, local: { dataFolder, stateFolder } };
};
