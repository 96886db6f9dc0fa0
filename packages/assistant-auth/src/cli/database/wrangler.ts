/**
 * Finds Wrangler, which is not a dependency of this package, in the publisher's project, and reads the D1
 * binding in its configuration (docs/decisions/0032-command-finds-wrangler.md).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError, UsageError } from '../command.ts';

/** Wrangler's command and its API. Both are in one file. */
export interface Wrangler {
  /** The path of the file that runs the command. */
  readonly cli: string;
  readonly api: Pick<typeof import('wrangler'), 'getPlatformProxy' | 'unstable_readConfig'>;
}

/** Selects a D1 database of a project. */
export interface D1Selection {
  /** The folder whose dependencies contain Wrangler. */
  readonly projectFolder: string;
  /** The path of the Wrangler file. Default: the one that Wrangler finds from the current directory. */
  readonly config?: string;
  /** The name of the binding. Default: the only one. */
  readonly binding?: string;
}

/** A D1 binding in a Wrangler file. */
export interface D1Binding {
  /** The path of the Wrangler file. */
  readonly config: string;
  readonly binding: string;
  /** The ID of the database, or its name if the Wrangler file has no ID. */
  readonly database: string | undefined;
  readonly account: string | undefined;
}

/**
 * Loads Wrangler from the dependencies of a project.
 * @throws CommandError if it is not installed there
 */
export const loadWrangler = async (projectFolder: string): Promise<Wrangler> => {
  const cli = findWrangler(projectFolder);
  const api: typeof import('wrangler') = await import(pathToFileURL(cli).href);
  return { cli, api };
};

const findWrangler = (projectFolder: string): string => {
  try {
    // Node would also search folders outside the project, such as one in the home directory.
    if (!listParents(projectFolder).some((folder) => existsSync(join(folder, 'node_modules/wrangler'))))
      throw new Error('no folder node_modules of the project contains it');
    return createRequire(join(projectFolder, 'package.json')).resolve('wrangler');
  } catch (cause) {
    throw new CommandError(
      `Wrangler was not found in ${projectFolder}. --local and --remote need it: run "npm install --save-dev wrangler" in this project, and run the command from its folder.`,
      { cause },
    );
  }
};

const listParents = (folder: string): readonly string[] => {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...listParents(parent)];
};

/**
 * Reads the selected D1 binding.
 * @throws CommandError if there is no Wrangler file, if Wrangler rejects it, or if it does not have exactly
 * one binding that matches
 */
export const readD1Binding = (wrangler: Wrangler, selection: D1Selection): D1Binding => {
  const { configPath, d1_databases, account_id: account } = readConfig(wrangler, selection.config);
  if (configPath === undefined)
    throw new UsageError(
      'No wrangler.jsonc, wrangler.json or wrangler.toml was found. Run the command from the folder of your Worker, or pass --config <file>.',
    );
  const databases: readonly D1Configuration[] = d1_databases;
  if (databases.length === 0) throw new UsageError(`${configPath} has no D1 database in d1_databases.`);
  const names = databases.map(({ binding }) => binding).join(', ');
  if (selection.binding === undefined && databases.length > 1)
    throw new UsageError(
      `${configPath} has more than one D1 database. Pass --binding with one of these: ${names}.`,
    );
  const found = databases.find(({ binding }) => binding === (selection.binding ?? binding));
  if (found === undefined)
    throw new UsageError(
      `${configPath} has no D1 database with the binding ${selection.binding}. It has: ${names}.`,
    );
  const { binding, database_id, database_name } = found;
  return { config: configPath, binding, database: database_id ?? database_name, account };
};

interface D1Configuration {
  readonly binding: string;
  readonly database_id?: string;
  readonly database_name?: string;
}

const readConfig = ({ api }: Wrangler, config: string | undefined) => {
  try {
    return api.unstable_readConfig({ ...(config !== undefined && { config }) }, { hideWarnings: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Wrangler can't read its configuration file: ${reason}`, { cause });
  }
};

/**
 * Starts Wrangler's command in the user's terminal, without the key ring in its environment.
 * @param cli the path of the file that runs the command
 * @param stdout where standard output goes
 * @param environment variables to add to those of this process
 */
export const startWrangler = (
  cli: string,
  command: readonly string[],
  stdout: 'inherit' | 'pipe',
  environment: Readonly<Record<string, string>> = {},
): ChildProcess => {
  const child = spawn(process.execPath, ['--no-warnings', cli, ...command], {
    stdio: ['inherit', stdout, 'inherit'],
    // The project determines the version of Wrangler, so its banner about updates is hidden.
    env: { ...environmentWithoutKeys(), ...environment, WRANGLER_HIDE_BANNER: 'true' },
  });
  // If only this process receives a signal, Wrangler must end too.
  const killAtExit = (): void => void child.kill();
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  return child;
};

/** Returns the environment without the key ring, which no child process needs as an environment variable. */
export const environmentWithoutKeys = (): NodeJS.ProcessEnv => {
  const { SEALING_KEYS: _, ...environment } = process.env;
  return environment;
};

/**
 * Environment variables that keep Wrangler and workerd from contacting other servers, from opening their own
 * pages, and from reading variables of the app that are not in the Wrangler file.
 */
export const localEnvironment: Readonly<Record<string, string>> = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
  CLOUDFLARE_INCLUDE_PROCESS_ENV: 'false',
  // Pages that read and write the database, open to every request with `Host: localhost`.
  X_LOCAL_EXPLORER: 'false',
  // A record of every request's URL, including the codes in callbacks.
  X_LOCAL_OBSERVABILITY: 'false',
};
