/** The steps of a deployment, each as a description and a Wrangler command. */
import { unstable_readConfig } from 'wrangler';
import { wranglerConfig } from '../app/paths.ts';

export interface Step {
  readonly description: string;
  /** The arguments of Wrangler. */
  readonly command: readonly string[];
}

/** The step that needs the secrets, which are written to a file only when it runs. */
interface UploadStep {
  readonly description: string;
  /** Returns the arguments of Wrangler, for the file that contains the secrets as JSON. */
  readonly command: (secretsFile: string) => readonly string[];
}

export interface Deployment {
  readonly domain: string;
  /** The folder of the site. */
  readonly site: string;
  /** The names of the secrets, for the description. */
  readonly secretNames: readonly string[];
}

const configArguments = ['--config', wranglerConfig];

/** Reads the name of the database from the Wrangler file. */
export const readDatabaseName = (): string => {
  const [database] = unstable_readConfig({ config: wranglerConfig }).d1_databases;
  if (database?.database_name === undefined) throw new Error(`${wranglerConfig} has no database`);
  return database.database_name;
};

/** Lists the account's databases as JSON. */
export const listDatabasesCommand: readonly string[] = ['d1', 'list', '--json', ...configArguments];

/** Runs only if the database does not exist yet. */
export const buildCreateDatabaseStep = (name: string): Step => ({
  description: `create the D1 database "${name}" if it does not exist`,
  // Without the last argument, Wrangler would change its configuration file, which is in git.
  command: ['d1', 'create', name, ...configArguments, '--update-config=false'],
});

/** Runs before the upload. The migrations keep the tables compatible with the code that runs until then. */
export const migrateStep: Step = {
  description: 'apply the pending migrations',
  command: ['d1', 'migrations', 'apply', 'DB', '--remote', ...configArguments],
};

/** Code, files and secrets are one version: they are deployed together, and rolled back together. */
export const buildUploadStep = ({ domain, site, secretNames }: Deployment): UploadStep => ({
  description: `upload the Worker and the site for ${domain}, with the secrets ${secretNames.join(', ')}`,
  command: (secretsFile) => [
    ...['deploy', '--minify', ...configArguments],
    ...['--assets', site, '--domain', domain, '--secrets-file', secretsFile],
  ],
});
