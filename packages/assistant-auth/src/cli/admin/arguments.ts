/** Parses the arguments of the command `admin`. */
import {
  type Options,
  type Program,
  parseArguments,
  rejectCommand,
  rejectExtraArguments,
  rejectOtherOptions,
  requireArgument,
  splitAtTerminator,
} from '../arguments.ts';
import { quote, UsageError } from '../command.ts';
import type { DatabaseFlags } from '../database/location.ts';

/** A command with its arguments. */
export type AdminCommand =
  | { readonly kind: 'users' | 'no-upstream-token' | 'providers' }
  | { readonly kind: 'accept'; readonly provider: string; readonly subjectNamespace: string }
  | { readonly kind: 'find'; readonly text: string }
  | { readonly kind: 'grants'; readonly userId: string }
  | { readonly kind: 'audit'; readonly userId?: string }
  | { readonly kind: 'stats'; readonly days: number }
  | { readonly kind: 'revoke'; readonly target: Target }
  | { readonly kind: 'revoke-all'; readonly confirmed: boolean }
  | { readonly kind: 'delete'; readonly userId: string; readonly confirmed: boolean };

export interface Target {
  readonly kind: 'grant' | 'user' | 'client' | 'provider';
  readonly id: string;
}

export interface Arguments {
  readonly adminCommand: AdminCommand;
  readonly databaseFlags: DatabaseFlags;
  readonly page: { readonly limit: number; readonly skip: number };
  readonly outputFormat: 'json' | 'text';
}

/** The names of the commands. */
export const adminCommands = [
  ...(['users', 'find', 'grants', 'revoke', 'delete', 'no-upstream-token'] as const),
  ...(['providers', 'audit', 'stats'] as const),
];

/** Returns the text that `--help` prints. */
export const formatAdminUsage = ({ synopsis, databases }: Program): string => `Usage: ${synopsis}

Commands:
  users                              list users, newest first
  find <text>                        find users by all or part of an email address or name; shows addresses
  grants <user>                      list a user's grants and sessions
  revoke grant|user|client|provider <id>
                                     revoke a grant, or all grants of a user, a client or a provider
  revoke all                         revoke all grants and access tokens: all users sign in again
  delete <user>                      delete a user and everything stored about them
  no-upstream-token                  list identities that can't be rechecked at their provider
  providers                          list the providers that users have signed in with
  providers accept <id> <namespace>  accept that the issuer of a provider has changed, and that its subjects
                                     now belong to this namespace
  audit [<user>]                     list the audit log, newest entry first
  stats                              show the number of users, grants, sign-ins and refused requests

${databases.usage}

Options:
  --json             print JSON
  --yes              delete, or revoke all, without asking
  --limit <rows>     list at most this many rows (default: 50)
  --skip <rows>      skip this many rows at the start of the list (default: 0)
  --days <days>      show statistics for this many days, including today (default: 14, at most 90)
  -h, --help         print this text`;

/** @throws UsageError if an argument is unknown, missing, extra or not valid */
export const readArguments = (args: readonly string[], { databases }: Program): Arguments => {
  const options: Options = { ...databases.options, ...adminOptions };
  const { values, positionals } = parseArguments(moveOptionsFirst(args, options), options);
  const adminCommand = parseAdminCommand(positionals, values);
  const commandName = adminCommand.kind === 'revoke-all' ? 'revoke all' : positionals[0];
  rejectOtherOptions(values, commandName ?? '', optionUses);
  const { json } = values;
  return {
    adminCommand,
    databaseFlags: values,
    page: {
      limit: readNumber(values, 'limit', { fallback: 50, min: 0, max: 999_999 }),
      skip: readNumber(values, 'skip', { fallback: 0, min: 0, max: 999_999 }),
    },
    outputFormat: json === true ? 'json' : 'text',
  };
};

const adminOptions = {
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
  limit: { type: 'string' },
  skip: { type: 'string' },
  days: { type: 'string' },
} as const;

const lists = ['users', 'find', 'no-upstream-token', 'audit'];

/** The commands that an option is for. The other options are for all commands. */
const optionUses = { yes: ['delete', 'revoke all'], limit: lists, skip: lists, days: ['stats'] };

/**
 * Moves options to the front, and puts `--` before everything else, because an ID may start with one or two
 * hyphens. An argument that looks like an option is treated as one, so that a misspelled option is rejected,
 * unless it follows `--`. A random ID practically never consists of two hyphens and only lowercase words.
 */
const moveOptionsFirst = (args: readonly string[], options: Options): string[] => {
  const [before, after] = splitAtTerminator(args);
  const [optionArguments, positionalArguments]: [string[], string[]] = [[], []];
  for (let index = 0; index < before.length; index++) {
    const arg = before[index] ?? '';
    const [option, name, value] = /^--([a-z]+(?:-[a-z]+)*)(=.*)?$/s.exec(arg) ?? [];
    (option === undefined ? positionalArguments : optionArguments).push(arg);
    const next = before[index + 1];
    const takesValue = name !== undefined && options[name]?.type === 'string';
    if (!takesValue || value !== undefined || next === undefined) continue;
    optionArguments.push(next);
    index += 1;
  }
  return [...optionArguments, '--', ...positionalArguments, ...after];
};

/** The options that were passed, by name. */
type Values = DatabaseFlags;

const parseAdminCommand = ([command, ...args]: readonly string[], values: Values): AdminCommand => {
  const [first, ...others] = args;
  const { yes } = values;
  switch (command) {
    case 'users':
    case 'no-upstream-token':
      rejectExtraArguments(args);
      return { kind: command };
    case 'providers':
      return first === undefined ? { kind: command } : parseAcceptance(args);
    case 'find':
      if (others[0] !== undefined)
        throw new UsageError(`Unexpected argument ${quote(others[0])}. Put quotes around text with spaces.`);
      return { kind: command, text: parseSearch(requireArgument(first, command, 'text')) };
    case 'audit':
      rejectExtraArguments(others);
      return { kind: command, ...(first !== undefined && { userId: first }) };
    case 'grants':
      rejectExtraArguments(others);
      return { kind: command, userId: requireArgument(first, command, 'user') };
    case 'delete':
      rejectExtraArguments(others);
      return {
        ...{ kind: command, userId: requireArgument(first, command, 'user') },
        confirmed: yes === true,
      };
    case 'revoke':
      if (first === 'all') {
        rejectExtraArguments(others);
        return { kind: 'revoke-all', confirmed: yes === true };
      }
      rejectExtraArguments(others.slice(1));
      return { kind: command, target: parseTarget(first, others[0]) };
    case 'stats':
      rejectExtraArguments(args);
      return { kind: command, days: readNumber(values, 'days', { fallback: 14, min: 1, max: 90 }) };
    default:
      return rejectCommand(command, adminCommands);
  }
};

const parseAcceptance = ([
  action = '',
  provider,
  subjectNamespace,
  ...extra
]: readonly string[]): AdminCommand => {
  if (action !== 'accept')
    throw new UsageError(`Unexpected argument ${quote(action)}. Expected "accept", or nothing.`);
  rejectExtraArguments(extra);
  return {
    kind: 'accept',
    provider: requireArgument(provider, 'providers accept', 'id'),
    subjectNamespace: requireArgument(subjectNamespace, 'providers accept', 'namespace'),
  };
};

const parseTarget = (kind: string | undefined, id: string | undefined): Target => {
  const expected = 'Expected grant, user, client or provider';
  if (kind === undefined) throw new UsageError(`"revoke" needs a target. ${expected}, and an ID; or all.`);
  if (kind !== 'grant' && kind !== 'user' && kind !== 'client' && kind !== 'provider')
    throw new UsageError(`Unexpected argument ${quote(kind)}. ${expected}, or all.`);
  return { kind, id: requireArgument(id, `revoke ${kind}`, 'id') };
};

/** A single letter would list almost everyone. The names of some people have two. */
const minSearchLength = 2;

/** No label is longer. */
const maxSearchLength = 320;

const parseSearch = (argument: string): string => {
  const text = argument.trim();
  if ([...text].length >= minSearchLength && text.length <= maxSearchLength) return text;
  throw new UsageError(
    `The text to find must have ${minSearchLength} to ${maxSearchLength} characters, not ${[...text].length}: ${quote(argument)}.`,
  );
};

interface NumberRange {
  /** The number if the option was not passed. */
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

const readNumber = (values: Values, name: string, { fallback, min, max }: NumberRange): number => {
  const text = values[name];
  if (text === undefined) return fallback;
  const number = /^\d{1,6}$/.test(String(text)) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${quote(String(text))}.`);
};
