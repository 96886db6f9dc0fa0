/** What a deployment does, step by step, in words and as commands of wrangler. */
import { unstable_readConfig } from 'wrangler';
import { wranglerConfig } from '../app/paths.ts';

export interface Step {
  readonly description: string;
  /** Arguments of wrangler. */
  readonly command: readonly string[];
}

/** The step that needs the secrets' values, which nobody writes down before it is taken. */
interface UploadStep {
  readonly description: string;
  /** Arguments of wrangler, for the file that holds the values as JSON. */
  readonly command: (secretsFile: string) => readonly string[];
}

export interface Deployment {
  readonly domain: string;
  /** The folder of the site. */
  readonly site: string;
  /** The names of the secrets, for people. */
  readonly secrets: readonly string[];
}

const configured = ['--config', wranglerConfig];

/** The name of the database, from the Wrangler file. */
export const readDatabaseName = (): string => {
  const [database] = unstable_readConfig({ config: wranglerConfig }).d1_databases;
  if (database?.database_name === undefined) throw new Error(`${wranglerConfig} names no database`);
  return database.database_name;
};

/** Lists the account's databases as JSON. */
export const listDatabasesCommand: readonly string[] = ['d1', 'list', '--json', ...configured];

/** Taken only where the database is not there yet. */
export const buildCreateDatabaseStep = (name: string): Step => ({
  description: `create the D1 database "${name}", if the account has none of that name`,
  // Without the last the Wrangler file, which git holds, would be changed.
  command: ['d1', 'create', name, ...configured, '--update-config=false'],
});

/** Tables come before the code that reads them, and stay readable for the code that runs until then. */
export const migrateStep: Step = {
  description: 'apply the migrations that it lacks',
  command: ['d1', 'migrations', 'apply', 'DB', '--remote', ...configured],
};

/** One version: code, files and secrets go live together, and are rolled back together. */
export const buildUploadStep = ({ domain, site, secrets }: Deployment): UploadStep => ({
  description: `upload the Worker and the site for ${domain}, with ${secrets.join(', ')}`,
  command: (secretsFile) => [
    ...['deploy', '--minify', ...configured],
    ...['--assets', site, '--domain', domain, '--secrets-file', secretsFile],
  ],
});
