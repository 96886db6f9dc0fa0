/**
 * Runs a command of this repository. An error that the reader can fix is printed as its message, any other
 * error with its stack trace.
 */

import { VariableError } from '../../apps/words/src/config/variables.ts';
import { isHelpRequested } from '../../packages/assistant-auth/src/cli/arguments.ts';
import * as cli from '../../packages/assistant-auth/src/cli/command.ts';

export {
  CommandError,
  escapeControls,
  escapeControlsInLines,
  printOutput,
  UsageError,
} from '../../packages/assistant-auth/src/cli/command.ts';

/** Returns whether the message is enough, without a stack trace. */
export const isUserFacing = (error: unknown): error is Error =>
  cli.isUserFacing(error) || error instanceof VariableError;

/** Prints the usage if the command was called with `--help` or `-h`, and returns whether it did. */
export const printHelpIfRequested = (usage: string): boolean => {
  const isRequested = isHelpRequested(process.argv.slice(2));
  if (isRequested) console.log(usage);
  return isRequested;
};

/** Runs a command. If an error's message is enough for the reader, prints it and sets the exit code to 1. */
export const runCommand = (main: () => Promise<void>): Promise<void> => cli.runCommand(main, isUserFacing);
