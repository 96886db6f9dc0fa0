/**
 * Runs a command. An error that the reader can fix is printed as its message, any other error with its stack
 * trace.
 */
import { VariableError } from '../../apps/words/src/config/variables.ts';

/** The command cannot continue, and the message tells the reader everything they need. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** Returns whether the message is enough, without a stack trace. */
export const isUserFacing = (error: unknown): error is Error =>
  error instanceof CommandError || error instanceof VariableError || isWrongArgument(error);

/** Prints the usage if the command was called with `--help` or `-h`, and returns whether it did. */
export const printHelpIfRequested = (usage: string): boolean => {
  const asked = process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');
  if (asked) console.log(usage);
  return asked;
};

/** Runs a command. If an error's message is enough for the reader, prints it and sets the exit code to 1. */
export const runCommand = async (main: () => Promise<void>): Promise<void> => {
  try {
    await main();
  } catch (error) {
    if (!isUserFacing(error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
};

const isWrongArgument = (error: unknown): boolean =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
