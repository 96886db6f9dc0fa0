/**
 * The command `migrations`: writes this package's SQL files into the project for D1, where Wrangler applies
 * them, or applies them to a SQLite file.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '../storage/sqlite/sqlite.ts';
import { isHelpRequested, parseArguments, rejectExtraArguments, withUsageHint } from './arguments.ts';
import { CommandError, UsageError } from './command.ts';
import { describeSqliteError, openSqliteFile } from './database/sqlite-file.ts';

/** The package's migrations, both in `src` and in `dist`. */
const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));

const command = 'npx assistant-auth migrations';

const usage = `Usage: ${command} --out <dir>
       ${command} --database <file>

Creates the tables of assistant-auth. A later version of the package may have more migrations: run the
command again after an update.

Options:
  --out <dir>        for D1: write the SQL files into this folder, from which Wrangler applies them
  --database <file>  for SQLite: apply the SQL files that were not applied yet; creates the database if it
                     does not exist
  -h, --help         print this text`;

/**
 * Runs the command.
 * @returns what to print to standard output
 * @throws UsageError if the arguments are wrong. CommandError if a file with different content exists, or if
 *   the database fails
 */
export const runMigrations = async (args: readonly string[]): Promise<string> => {
  if (isHelpRequested(args)) return usage;
  const { out, database } = await withUsageHint(command, async () => readArguments(args));
  return database === undefined ? writeMigrations(resolve(out), out) : applyMigrations(resolve(database));
};

type MigrationsArguments =
  | { readonly out: string; readonly database?: never }
  | { readonly out?: never; readonly database: string };

const readArguments = (args: readonly string[]): MigrationsArguments => {
  const { values, positionals } = parseArguments(args, {
    out: { type: 'string' },
    database: { type: 'string' },
  });
  rejectExtraArguments(positionals);
  const { out: outValue = '', database: databaseValue = '' } = values;
  const [out, database] = [String(outValue), String(databaseValue)];
  if (out !== '' && database === '') return { out };
  if (database !== '' && out === '') return { database };
  throw new UsageError('Pass either --out <dir> for D1, or --database <file> for SQLite.');
};

/**
 * Writes the files. Nothing is written if one of them exists with different content, so that a folder never
 * contains the migrations of two versions.
 * @param name the folder as it was passed
 */
const writeMigrations = async (folder: string, name: string): Promise<string> => {
  const migrations = await readMigrations();
  const existing = await Promise.all(migrations.map(({ file }) => readIfExists(join(folder, file))));
  const isUnchanged = (index: number, sql: string): boolean =>
    normalizeLineEndings(existing[index]) === normalizeLineEndings(sql);
  const conflicts = migrations.filter(
    ({ sql }, index) => existing[index] !== undefined && !isUnchanged(index, sql),
  );
  if (conflicts.length > 0)
    throw new CommandError(
      `${conflicts.map(({ file }) => join(name, file)).join(', ')} already exists with different content. Nothing was written. Rename your own file, or pass another folder. If Wrangler already applied this file to a database, don't rename or change it.`,
    );
  const missing = migrations.filter((_, index) => existing[index] === undefined);
  await mkdirOrExplain(folder, name);
  for (const { file, sql } of missing) await writeNewFile(join(folder, file), join(name, file), sql);
  return [
    ...migrations.map(({ file }) =>
      missing.some((migration) => migration.file === file)
        ? `Wrote ${join(name, file)}`
        : `${join(name, file)} is already there.`,
    ),
    '',
    'Next, apply them: npx wrangler d1 migrations apply <database> --local',
    'For the deployed database, pass --remote instead of --local. Wrangler reads the folder "migrations" next to',
    'its configuration file, unless migrations_dir of the D1 binding names a different one.',
  ].join('\n');
};

const applyMigrations = async (file: string): Promise<string> => {
  const database = await openSqliteFile(file, 'create');
  try {
    const applied = await migrate(database);
    return applied.length === 0
      ? `${file} already has all migrations.`
      : applied.map((name) => `Applied ${name}`).join('\n');
  } catch (error) {
    throw describeSqliteError(file, error);
  } finally {
    database.close();
  }
};

const readMigrations = async (): Promise<readonly { readonly file: string; readonly sql: string }[]> => {
  const files = (await readdir(migrationsFolder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => ({ file, sql: await readFile(join(migrationsFolder, file), 'utf8') })),
  );
};

const readIfExists = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // A folder is missing, or one of its parents is a file, which `mkdirOrExplain` reports.
    if (['ENOENT', 'ENOTDIR'].includes(String(Object(error).code))) return undefined;
    throw new CommandError(`${path} can't be read: ${Object(error).message}`, { cause: error });
  }
};

/** Git may have changed the line endings of a file that was written before. */
const normalizeLineEndings = (sql: string | undefined): string | undefined => sql?.replaceAll('\r\n', '\n');

/** @throws CommandError if the file can't be written, or if it exists, for example as a symbolic link */
const writeNewFile = async (path: string, name: string, content: string): Promise<void> => {
  try {
    await writeFile(path, content, { flag: 'wx' });
  } catch (cause) {
    throw new CommandError(`${name} can't be written: ${Object(cause).message}`, { cause });
  }
};

/** @throws CommandError if the folder can't be created */
const mkdirOrExplain = async (folder: string, name: string): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new CommandError(`The folder ${name} can't be created: ${Object(cause).message}`, { cause });
  }
};
