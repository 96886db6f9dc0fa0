/** Executes SQL with Wrangler, on the local database, even while `npm start` runs, or on the deployed one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import type { ExecuteText } from 'assistant-auth/d1';
import { CommandError } from '../app/command.ts';
import { buildWranglerEnvironment } from '../app/wrangler.ts';
import type { DatabaseLocation } from './location.ts';

const { SEALING_KEYS: _, ...environmentWithoutKeys } = process.env;

const cli = createRequire(import.meta.url).resolve('wrangler');

/**
 * Creates a function that executes statements on a database. The key ring, which `npm run keys` reads from
 * the environment, is not passed to Wrangler. The statements are arguments of a process, which other
 * processes on the machine can read, so no statement may contain a secret.
 * @returns a function that throws CommandError with the database's message if the database fails; nothing was
 * changed then
 */
export const createSqlExecutor =
  (databaseLocation: DatabaseLocation): ExecuteText =>
  async (statements) => {
    const command = [
      'd1',
      'execute',
      'DB',
      '--json',
      '--yes',
      '--config',
      databaseLocation.config,
      ...buildLocationArguments(databaseLocation),
    ];
    const child = spawn(
      process.execPath,
      ['--no-warnings', cli, ...command, '--command', statements.join(';\n')],
      {
        stdio: ['inherit', 'pipe', 'pipe'],
        env: { ...environmentWithoutKeys, ...buildEnvironment(databaseLocation) },
      },
    );
    const [output, errorOutput, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (code === 0) return output;
    throw new CommandError(
      `The database did not carry it out: ${readErrorMessage(output) ?? readErrorMessage(errorOutput) ?? errorOutput}`,
    );
  };

const buildLocationArguments = ({ local }: DatabaseLocation): readonly string[] =>
  local === undefined ? ['--remote'] : ['--local', '--persist-to', local.stateFolder];

const buildEnvironment = ({ local }: DatabaseLocation): Readonly<Record<string, string>> =>
  local === undefined ? { WRANGLER_HIDE_BANNER: 'true' } : buildWranglerEnvironment(local.dataFolder);

/** Reads the error message from Wrangler's JSON output. */
const readErrorMessage = (output: string): string | undefined => {
  try {
    const reason: unknown = Object(Object(JSON.parse(output)).error).text;
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    return undefined;
  }
};
