/**
 * Where a database is, and the options that select the database of a publisher's project: a SQLite file, or a
 * D1 database.
 */
import { resolve } from 'node:path';
import { UsageError } from '../command.ts';
import type { D1Selection } from './wrangler.ts';

/** Where a database is. */
export type DatabaseLocation = SqliteLocation | LocalD1Location | DeployedD1Location;

interface SqliteLocation {
  readonly kind: 'sqlite-file';
  /** The absolute path. */
  readonly file: string;
}

/** A D1 database that Wrangler stores in a folder. */
export interface LocalD1Location extends D1Selection {
  readonly kind: 'local-d1';
  /** The folder that Wrangler's option `--persist-to` names. Default: the one of `wrangler dev`. */
  readonly persistTo?: string;
  /** Environment variables for Wrangler, besides those that `localEnvironment` sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** The command that may be using the database, for messages. */
  readonly server: string;
}

interface DeployedD1Location extends D1Selection {
  readonly kind: 'deployed-d1';
}

/** The options of a command that select a database. */
export interface DatabaseOptions {
  /** The options, as Node's `parseArgs` takes them. */
  readonly options: Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>;
  /** The lines of the usage that explain them. */
  readonly usage: string;
  /** The options that select a database, for a sentence such as "Pass --local or --remote." */
  readonly names: string;
  /** Those of them that can select the deployed app's database. */
  readonly deployedNames: string;
  /**
   * Finds the selected database.
   * @returns `undefined` if none was selected
   * @throws CommandError if the options contradict each other, or if the database does not exist
   */
  find(flags: DatabaseFlags): DatabaseLocation | undefined;
}

/** The options that were passed, by name. */
export type DatabaseFlags = Readonly<Record<string, string | boolean | undefined>>;

const usage = `Database:
  --database <file>  a SQLite file
  --local            the local D1 database of wrangler dev
  --remote           the deployed D1 database, with the credentials of wrangler login or CLOUDFLARE_API_TOKEN
  --config <file>    the Wrangler file (default: the one that Wrangler finds from the current directory)
  --binding <name>   the D1 binding, if the Wrangler file has more than one
  --persist-to <dir> the folder that is passed to wrangler dev --persist-to (default: .wrangler/state next
                     to the Wrangler file)`;

/**
 * Returns the options for a publisher's project.
 * @param projectFolder the folder whose dependencies contain Wrangler, and to which paths are relative
 */
export const createDatabaseOptions = (projectFolder: string): DatabaseOptions => ({
  options: {
    database: { type: 'string' },
    local: { type: 'boolean' },
    remote: { type: 'boolean' },
    config: { type: 'string' },
    binding: { type: 'string' },
    'persist-to': { type: 'string' },
  },
  usage,
  names: '--database <file>, --local or --remote',
  deployedNames: '--remote or --database <file>',
  find: (flags) => findDatabaseLocation(flags, projectFolder),
});

const findDatabaseLocation = (flags: DatabaseFlags, projectFolder: string): DatabaseLocation | undefined => {
  const selections = ['database', 'local', 'remote'].filter((name) => isPassed(flags, name));
  if (selections.length > 1) throw new UsageError('Pass only one of --database, --local and --remote.');
  const [selection] = selections;
  requireSelection(flags, ['config', 'binding'], selection === 'local' || selection === 'remote');
  requireSelection(flags, ['persist-to'], selection === 'local');
  const [file, config, persistTo] = ['database', 'config', 'persist-to'].map((name) =>
    readPath(flags, name, projectFolder),
  );
  if (file !== undefined) return { kind: 'sqlite-file', file };
  const binding = readText(flags, 'binding');
  const selected = {
    projectFolder,
    ...(config !== undefined && { config }),
    ...(binding !== undefined && { binding }),
  };
  if (selection === 'remote') return { kind: 'deployed-d1', ...selected };
  if (selection !== 'local') return undefined;
  return {
    ...{ kind: 'local-d1', ...selected, environment: {}, server: 'wrangler dev' },
    ...(persistTo !== undefined && { persistTo }),
  };
};

const isPassed = (flags: DatabaseFlags, name: string): boolean => (flags[name] ?? false) !== false;

/** @throws UsageError if one of the options was passed, but not the one that it belongs to */
const requireSelection = (flags: DatabaseFlags, names: readonly string[], isSelected: boolean): void => {
  const name = names.find((candidate) => isPassed(flags, candidate));
  if (name === undefined || isSelected) return;
  throw new UsageError(
    name === 'persist-to'
      ? '--persist-to is only for --local.'
      : `--${name} is only for --local and --remote.`,
  );
};

/** @throws UsageError for an empty value, for example from a shell variable that is not set */
const readText = (flags: DatabaseFlags, name: string): string | undefined => {
  const text = flags[name];
  if (text === '') throw new UsageError(`--${name} must not be empty.`);
  return typeof text === 'string' ? text : undefined;
};

const readPath = (flags: DatabaseFlags, name: string, folder: string): string | undefined => {
  const path = readText(flags, name);
  return path === undefined ? undefined : resolve(folder, path);
};
