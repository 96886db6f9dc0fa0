/**
 * Runs a command, and formats what it prints. An error that the reader can fix is printed as its message, any
 * other error with its stack trace.
 */
import { inspect } from 'node:util';
import { ConfigurationError } from '../oauth/errors.ts';

/** The command cannot continue, and the message tells the reader everything they need. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/**
 * The command was called incorrectly. The message says what is wrong; `withUsageHint` adds how to show the
 * usage.
 */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}

/** Returns whether the message of an error is enough for the reader, without a stack trace. */
export const isUserFacing = (error: unknown): error is Error =>
  error instanceof CommandError || error instanceof ConfigurationError || isWrongArgument(error);

/** Returns whether Node's `parseArgs` rejected the arguments. */
export const isWrongArgument = (error: unknown): error is TypeError =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

/**
 * Runs a command. If it fails, prints the message of the error, or its stack trace, and sets the exit code: 2
 * if the command was called incorrectly, otherwise 1.
 * @param isExpected returns whether the message of an error is enough. Default: `isUserFacing`
 */
export const runCommand = async (
  main: () => Promise<void>,
  isExpected: (error: unknown) => error is Error = isUserFacing,
): Promise<void> => {
  try {
    await main();
  } catch (error) {
    console.error(escapeControlsInLines(isExpected(error) ? error.message : inspect(error)));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
};

/**
 * The characters that can change what a terminal shows: control characters (C0, DEL and C1, with which
 * terminals are controlled), line and paragraph separators, and those that change the direction of text.
 */
const controlPattern = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Replaces each control character with its escape sequence in JSON, such as `\u001b`. Use it for each value
 * from a database, a request or the arguments that is printed.
 */
export const escapeControls = (text: string): string =>
  text.replace(controlPattern, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Replaces control characters in a text of several lines, such as JSON, which stays the same value. */
export const escapeControlsInLines = (text: string): string =>
  text.split('\n').map(escapeControls).join('\n');

/** Formats a value that a message is about, such as an argument. */
export const quote = (text: string): string => `"${escapeControls(text)}"`;

/** Prints the output of a command, which can contain anything from a database. */
export const printOutput = (text: string): void => console.log(escapeControlsInLines(text));

/** Formats rows with headers. Each column is as wide as its longest cell. Escapes control characters. */
export const formatTable = (headers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const allRows = [headers, ...rows].map((row) => row.map(escapeControls));
  const widths = headers.map((_, column) => Math.max(...allRows.map((row) => (row[column] ?? '').length)));
  const formatLine = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return allRows.map(formatLine).join('\n');
};

/** Formats a time to the minute, or `-` if there is none. */
export const formatInstant = (seconds: number | undefined): string =>
  seconds === undefined ? '-' : `${formatTimestamp(seconds).slice(0, 16).replace('T', ' ')} UTC`;

/** Formats a time in ISO 8601, in UTC and to the second. */
const formatTimestamp = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

/** The output of a command. */
export interface CommandOutput {
  /** The output with `--json`. Times are in seconds since 1970, in members whose names match `timeName`. */
  readonly json: unknown;
  /** The output as readable text. */
  readonly text: string;
}

/** The names of members that are times. */
const timeName = /^(?:at|since)$|(?:At|Until|From)$/;

/**
 * Formats the output of a command. In JSON, it replaces each time with a timestamp, so that no command has to.
 */
export const formatOutput = ({ json, text }: CommandOutput, format: 'json' | 'text'): string =>
  format === 'text'
    ? text
    : JSON.stringify(
        json,
        (name, value) => (typeof value === 'number' && timeName.test(name) ? formatTimestamp(value) : value),
        2,
      );
