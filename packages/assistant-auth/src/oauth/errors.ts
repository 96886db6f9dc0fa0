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
  /** The name of the class. */
  override readonly name = 'ConfigurationError';
  /** The name or path of the option, for example `issuer` or `clients.<id>.secrets`. */
  readonly option: string;

  /**
   * Creates the error.
   * @param option the name or path of the option
   * @param problem what is wrong with it and what is expected, such as `must be an https URL`
   */
  constructor(option: string, problem: string) {
    super(`${option} ${problem}`);
    this.option = option;
  }
}

/**
 * Refuses options that do not exist: no compiler checks those of a JavaScript caller, and a misspelled one
 * would otherwise be ignored.
 * @param prefix the path in the options with a dot, or empty at the top level, for the error
 * @param given all options, or those that are left after the known ones were read
 * @param known an object with every option. Default: all known ones were read
 * @throws ConfigurationError `<prefix><name>` for the first option that `known` does not have
 */
export const rejectUnknownOptions = (prefix: string, given: object, known: object = {}): void => {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw new ConfigurationError(prefix + unknown, 'is not an option.');
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
  if (innerCause === undefined || depth === 0) return toText(cause);
  return `${toText(cause)}, caused by ${describeCause(innerCause, depth - 1)}`;
};

/** A failure of the publisher's code is logged whatever it threw, even an object that has no text. */
const toText = (cause: unknown): string => {
  try {
    return String(cause);
  } catch {
    return typeof cause;
  }
};

/**
 * Returns the stack of an error without its message, or `undefined` if it has none. `describeCause` formats
 * the message.
 */
export const formatStack = (cause: unknown): string | undefined =>
  cause instanceof Error ? cause.stack?.match(/(?<=^\s*)at .*$/gm)?.join(' ') : undefined;
