/** What the commands share when they read their arguments. */
import { CommandError, isWrongArgument, UsageError } from './command.ts';
import type { DatabaseOptions } from './database/location.ts';

/** How a command is called, which differs between a publisher's project and this repository. */
export interface Program {
  /** The command with its arguments, for the first line of the usage. */
  readonly synopsis: string;
  /** What precedes the arguments in a shell, for example `npx assistant-auth admin`. */
  readonly command: string;
  /** The options that select a database. */
  readonly databases: DatabaseOptions;
}

/**
 * Runs a part of a command that reads its arguments.
 * @param command what precedes `--help` in a shell
 * @throws CommandError for wrong arguments, with a message that says how to show the usage
 */
export const withUsageHint = async <Result>(
  command: string,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UsageError || isWrongArgument(error))) throw error;
    throw new CommandError(`${error.message}\nRun ${command} --help to show the usage.`, { cause: error });
  }
};

/** Returns whether the arguments ask for the usage. */
export const isHelpRequested = (args: readonly string[]): boolean =>
  args.some((argument) => argument === '--help' || argument === '-h');
