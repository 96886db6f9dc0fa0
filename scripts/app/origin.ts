/** Parses the option `--origin` of the commands: the origin at which clients reach the app. */
import { parseArgs } from 'node:util';
import { readOrigin } from '../../apps/words/src/config/urls.ts';
import { VariableError } from '../../apps/words/src/config/variables.ts';

/**
 * Reads `--origin` from the arguments of a command that has no other options.
 * @returns `undefined` if it was not passed
 * @throws VariableError for `--origin` unless it is an https origin without a path, or http on loopback
 */
export const readOriginOption = (args: readonly string[]): string | undefined => {
  const { origin } = parseArgs({ args: [...args], options: { origin: { type: 'string' } } }).values;
  return origin === undefined ? undefined : parseOrigin('--origin', origin);
};

/**
 * Checks an origin.
 * @throws VariableError with the given name
 */
export const parseOrigin = (name: string, text: string): string => {
  try {
    return readOrigin({ ORIGIN: text });
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    throw new VariableError(name, error.message.slice('ORIGIN '.length), { cause: error });
  }
};
