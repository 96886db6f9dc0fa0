/** The runtimes that the packages are tested on, and the programs that they run in the consumer's project. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { localEnvironment } from '../packages/assistant-auth/src/cli/database/wrangler.ts';
import { buildWranglerFolders } from '../scripts/app/wrangler.ts';

/** The command of each runtime, relative to the consumer's project, and its arguments before the program. */
const commands = {
  'Node 24': [process.execPath],
  'Node 22.13': ['node_modules/node22/bin/node', '--no-warnings'],
  Bun: ['node_modules/.bin/bun', 'run'],
  Deno: ['node_modules/.bin/deno', 'run', '--quiet', '--allow-all', '--no-remote'],
} as const;

export type Runtime = keyof typeof commands;

/** The drivers of `programs/open-database.ts`. */
export type Driver = 'node:sqlite' | 'bun:sqlite' | 'libsql';

/** How to start a program in the consumer's project. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export const buildCommand = (
  consumer: string,
  runtime: Runtime,
  program: string,
  args: readonly string[],
): Command => {
  const [file, ...options] = commands[runtime];
  return {
    file: file.startsWith('node_modules') ? join(consumer, file) : file,
    args: [...options, join(consumer, 'programs', `${program}.js`), ...args],
  };
};

/**
 * Runs a program until it ends.
 * @returns its standard output
 * @throws Error with its output if it fails
 */
export const runProgram = async (
  consumer: string,
  runtime: Runtime,
  program: string,
  args: readonly string[],
): Promise<string> => runCommand(consumer, buildCommand(consumer, runtime, program, args));

/**
 * Runs a command in a project until it ends. Wrangler stays offline, and keeps its logs in the project.
 * @returns its standard output
 * @throws Error with its output if it fails
 */
export const runCommand = async (project: string, { file, args }: Command): Promise<string> => {
  const env = { ...process.env, ...localEnvironment, ...buildWranglerFolders(project), CI: 'true' };
  const { stdout } = await promisify(execFile)(file, args, { cwd: project, env, maxBuffer: 100_000_000 });
  return stdout;
};
