/** Finds the database that `npm run keys` and `npm run admin` use: the one of `npm start`, or the deployed one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  DatabaseLocation,
  DatabaseOptions,
  LocalD1Location,
} from '../../packages/assistant-auth/src/cli/database/location.ts';
import { UsageError } from '../app/command.ts';
import { repositoryFolder, wranglerConfig, wranglerConfigs } from '../app/paths.ts';
import { buildWranglerFolders } from '../app/wrangler.ts';
import { getDataFolder } from '../local-system/data-folder.ts';

/**
 * Returns the options that select a database.
 * @param selected which one is used if no option is passed. Default: none
 */
export const createDatabaseOptions = (
  environment: NodeJS.ProcessEnv,
  selected?: 'local',
): DatabaseOptions => ({
  options: { local: { type: 'boolean' }, remote: { type: 'boolean' }, pages: { type: 'boolean' } },
  usage: `Database:
  --local            the database of npm start${selected === 'local' ? ' (default)' : ''}
  --remote           the deployed database
  --pages            the app is a Pages project, not a Worker`,
  names: '--local or --remote',
  deployedNames: '--remote',
  find: ({ local, remote, pages }) => {
    if (local === true && remote === true) throw new UsageError('Pass --local or --remote, not both.');
    const config = wranglerConfigs[pages === true ? 'pages' : 'workers'];
    const selection = { projectFolder: repositoryFolder, config, binding };
    if (remote === true) return { kind: 'deployed-d1', ...selection };
    return (local === true ? 'local' : selected) === 'local'
      ? findLocalDatabase(environment, config)
      : undefined;
  },
});

const binding = 'DB';

/**
 * Finds the database of `npm start`.
 * @throws UsageError if it does not exist yet
 */
export const findLocalDatabase = (
  environment: NodeJS.ProcessEnv,
  config: string = wranglerConfig,
): DatabaseLocation => {
  const dataFolder = getDataFolder(environment);
  if (!existsSync(join(dataFolder, 'state')))
    throw new UsageError(`There is no local database in ${dataFolder}. Run npm start to create it.`);
  return describeLocalDatabase(dataFolder, config);
};

/** Returns the location of the database in a data folder of `npm start`, which may not exist yet. */
export const describeLocalDatabase = (
  dataFolder: string,
  config: string = wranglerConfig,
): LocalD1Location => ({
  ...{ kind: 'local-d1', projectFolder: repositoryFolder, config, binding },
  persistTo: join(dataFolder, 'state'),
  environment: buildWranglerFolders(dataFolder),
  server: 'npm start',
});
