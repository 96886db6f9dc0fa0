/** What the commands share when they read their arguments. */
import { parseArgs } from 'node:util';
import { isWrongArgument, quote, UsageError } from './command.ts';
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
 * Runs a command.
 * @param command what precedes `--help` in a shell
 * @throws UsageError with a message that also says how to show the usage
 */
export const withUsageHint = async <Result>(
  command: string,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\nRun "${command} --help" for usage.`, { cause: error });
  }
};

/** Returns whether the arguments ask for the usage: with `--help` or `-h`, or with `help` as the command. */
export const isHelpRequested = (args: readonly string[]): boolean => {
  const [options] = splitAtTerminator(args);
  return args[0] === 'help' || options.some((argument) => argument === '--help' || argument === '-h');
};

/**
 * Splits arguments at the first `--`. What follows it are not options.
 * @returns the arguments before and after it
 */
export const splitAtTerminator = (
  args: readonly string[],
): readonly [before: readonly string[], after: readonly string[]] => {
  const index = args.indexOf('--');
  return index === -1 ? [args, []] : [args.slice(0, index), args.slice(index + 1)];
};

/** The options of a command, by name. */
export type Options = DatabaseOptions['options'];

/**
 * Parses arguments.
 * @throws UsageError for an unknown option, an option without its value, or one with an unexpected value
 */
export const parseArguments = (args: readonly string[], options: Options) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    if (!isWrongArgument(error)) throw error;
    throw new UsageError(describeWrongArgument(error.message), { cause: error });
  }
};

/** Rewrites a message of Node, without its advice. A message that it does not recognize stays the same. */
const describeWrongArgument = (message: string): string => {
  const [, unknown] = /^Unknown option '(.*?)'(?:\. To specify.*)?$/s.exec(message) ?? [];
  if (unknown !== undefined) return `Unknown option ${quote(unknown)}.`;
  const [, option, problem] = /^Option '(--[a-z-]+)(?: <value>)?' (argument|does not)/.exec(message) ?? [];
  if (option === undefined) return message;
  return problem === 'argument' ? `${option} needs a value.` : `${option} takes no value.`;
};

/** @throws UsageError if the argument is missing */
export const requireArgument = (argument: string | undefined, command: string, name: string): string => {
  if (argument === undefined) throw new UsageError(`The argument <${name}> of "${command}" is missing.`);
  return argument;
};

/** @throws UsageError if there is one */
export const rejectExtraArguments = ([argument]: readonly string[]): void => {
  if (argument !== undefined) throw new UsageError(`Unexpected argument ${quote(argument)}.`);
};

/** @throws UsageError always */
export const rejectCommand = (command: string | undefined, commands: readonly string[]): never => {
  const problem = command === undefined ? 'A command is missing.' : `Unknown command ${quote(command)}.`;
  throw new UsageError(
    `${problem} The commands are ${commands.slice(0, -1).join(', ')} and ${commands.at(-1)}.`,
  );
};

/**
 * @param uses the commands that each option is for
 * @throws UsageError if an option was passed to another command
 */
export const rejectOtherOptions = (
  values: Readonly<Record<string, unknown>>,
  command: string,
  uses: Readonly<Record<string, readonly string[]>>,
): void => {
  for (const [option, commands] of Object.entries(uses))
    if (values[option] !== undefined && !commands.includes(command))
      throw new UsageError(`--${option} is only for ${commands.join(', ')}.`);
};
