/**
 * The error for an invalid configuration, checks that several options share, and how the causes of errors are
 * formatted for the log.
 */
import type { Seconds } from './identifiers.ts';

/**
 * An option or a key that is unsafe or invalid. Thrown when options or keys are parsed, for example by
 * `createBroker`.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** The name or path of the option, for example `issuer` or `clients.<id>.secrets`. */
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`${option} ${problem}`);
    this.option = option;
  }
}

/**
 * Checks the names of options: no compiler checks those of a JavaScript caller, and a misspelled one would
 * otherwise be ignored.
 * @param path the path in the options, for the error; empty at the top level
 * @throws ConfigurationError `<path>.<name>` for a name that is not known
 */
export const rejectUnknownOptions = (path: string, given: object, known: readonly string[]): void => {
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new ConfigurationError(
        path === '' ? name : `${path}.${name}`,
        `is unknown; use ${known.join(', ')}.`,
      );
};

/**
 * Checks a duration.
 * @param option the path in the options, for the error
 * @throws ConfigurationError `<option>` if it is not a whole number or is out of bounds
 */
export const parseSeconds = (option: string, value: Seconds, min: Seconds, max: Seconds): Seconds => {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ConfigurationError(option, `must be a whole number of seconds from ${min} to ${max}.`);
};

/** Errors of the broker have fewer nested causes. The limit ends a circular chain. */
const maxDepth = 5;

/**
 * Formats an error and its causes, outermost first. A value that is not an error is converted to a string.
 */
export const describeCause = (cause: unknown, depth = maxDepth): string => {
  const innerCause = cause instanceof Error ? cause.cause : undefined;
  if (innerCause === undefined || depth === 0) return String(cause);
  return `${String(cause)}, caused by ${describeCause(innerCause, depth - 1)}`;
};

/**
 * Returns the stack of an error without its message, or `undefined` if it has none. `describeCause` formats
 * the message.
 */
export const formatStack = (cause: unknown): string | undefined =>
  cause instanceof Error ? cause.stack?.match(/(?<=^\s*)at .*$/gm)?.join(' ') : undefined;
