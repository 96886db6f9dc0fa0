/** The runtimes that the packages are tested on, and the programs that they run in the consumer's project. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The command of each runtime, relative to the consumer's project, and its arguments before the program. */
const commands = {
  'Node 24': [process.execPath],
  'Node 22.13': ['node_modules/node22/bin/node', '--no-warnings'],
  Bun: ['node_modules/.bin/bun', 'run'],
  Deno: ['node_modules/.bin/deno', 'run', '--quiet', '--allow-all', '--no-remote'],
} as const;

export type Runtime = keyof typeof commands;

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
): Promise<string> => {
  const command = buildCommand(consumer, runtime, program, args);
  const { stdout } = await promisify(execFile)(command.file, command.args, {
    cwd: consumer,
    maxBuffer: 100_000_000,
  });
  return stdout;
};
