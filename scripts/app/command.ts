/** How a command ends: what its reader can mend is one sentence, everything else a stack trace. */
import { VariableError } from '../../apps/words/src/config/variables.ts';

/** The command cannot go on, and the message says all that its reader needs. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** Tells whether the message says all that there is to say. */
export const isUserFacing = (error: unknown): error is Error =>
  error instanceof CommandError || error instanceof VariableError || isWrongArgument(error);

/** Shows how the command is written to whoever asks `--help`, and tells whether it did. */
export const printHelpIfRequested = (usage: string): boolean => {
  const asked = process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');
  if (asked) console.log(usage);
  return asked;
};

/** Runs a command to its end. */
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
