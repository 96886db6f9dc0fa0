/** Parses the arguments of the command `admin`. */
import { parseArgs } from 'node:util';
import type { Program } from '../arguments.ts';
import { CommandError, UsageError } from '../command.ts';
import type { DatabaseFlags, DatabaseOptions } from '../database/location.ts';

/** A command with its arguments. */
export type AdminCommand =
  | { readonly kind: 'users' | 'no-upstream-token' | 'providers' }
  | { readonly kind: 'accept'; readonly provider: string; readonly subjectNamespace: string }
  | { readonly kind: 'grants'; readonly userId: string }
  | { readonly kind: 'audit'; readonly userId?: string }
  | { readonly kind: 'revoke'; readonly target: Target }
  | { readonly kind: 'delete'; readonly userId: string; readonly confirmed: boolean };

export interface Target {
  readonly kind: 'grant' | 'user' | 'client' | 'provider';
  readonly id: string;
}

export interface Arguments {
  readonly adminCommand: AdminCommand;
  readonly databaseFlags: DatabaseFlags;
  readonly page: { readonly limit: number; readonly skip: number };
  readonly outputFormat: 'json' | 'table';
}

/** Returns the text that `--help` prints. */
export const formatAdminUsage = ({ synopsis, databases }: Program): string => `Usage: ${synopsis}

Commands:
  users                              list users, newest first
  grants <user>                      list a user's grants and sessions
  revoke grant|user|client|provider <id>
                                     revoke a grant, or all grants of a user, a client or a provider
  delete <user>                      delete a user and everything stored about them
  no-upstream-token                  list identities that can't be rechecked at their provider
  providers                          list the providers that users have signed in with
  providers accept <id> <namespace>  accept that the issuer of a provider has changed, and that its subjects
                                     now belong to this namespace
  audit [<user>]                     list the audit log, newest entry first

${databases.usage}

Options:
  --json             print JSON
  --yes              delete without asking
  --limit <rows>     list at most this many rows (default: 50)
  --skip <rows>      skip this many rows at the start of the list (default: 0)
  -h, --help         print this text`;

/**
 * @throws CommandError with the usage, or with a message about `--limit` and `--skip`. TypeError for an
 * unknown option
 */
export const readArguments = (args: readonly string[], program: Program): Arguments => {
  const options = listOptions(program.databases);
  const { values, positionals } = parseArgs({
    args: moveOptionsFirst(args, options),
    options,
    allowPositionals: true,
  });
  const { json, yes, limit, skip } = values;
  return {
    adminCommand: parseAdminCommand(positionals, yes === true, formatAdminUsage(program)),
    databaseFlags: values,
    page: { limit: readNumber(limit, 50), skip: readNumber(skip, 0) },
    outputFormat: json === true ? 'json' : 'table',
  };
};

const listOptions = ({ options }: DatabaseOptions): DatabaseOptions['options'] => ({
  ...options,
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
  limit: { type: 'string' },
  skip: { type: 'string' },
});

/**
 * Moves options to the front, and puts `--` before everything else, because an ID may start with one or two
 * hyphens. An argument that looks like an option is treated as one, so that a misspelled option is rejected.
 * A random ID practically never consists of two hyphens and only lowercase words.
 */
const moveOptionsFirst = (args: readonly string[], options: DatabaseOptions['options']): string[] => {
  const [optionArguments, positionalArguments]: [string[], string[]] = [[], []];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [option, name, value] = /^--([a-z]+(?:-[a-z]+)*)(=.*)?$/s.exec(arg) ?? [];
    (option === undefined ? positionalArguments : optionArguments).push(arg);
    const next = args[index + 1];
    const takesValue = name !== undefined && options[name]?.type === 'string';
    if (!takesValue || value !== undefined || next === undefined) continue;
    optionArguments.push(next);
    index += 1;
  }
  return [...optionArguments, '--', ...positionalArguments];
};

const parseAdminCommand = (
  [command, ...rest]: readonly string[],
  confirmed: boolean,
  usage: string,
): AdminCommand => {
  const [first, second, third, ...extraArguments] = rest;
  if (extraArguments.length > 0) throw new CommandError(usage);
  if (command === 'providers' && first === 'accept' && second !== undefined && third !== undefined)
    return { kind: 'accept', provider: second, subjectNamespace: third };
  if (third !== undefined) throw new CommandError(usage);
  if (command === 'revoke' && second !== undefined)
    return { kind: 'revoke', target: { kind: parseTargetKind(first, usage), id: second } };
  if (second !== undefined) throw new CommandError(usage);
  if (command === 'audit') return { kind: command, ...(first !== undefined && { userId: first }) };
  if (command === 'grants' && first !== undefined) return { kind: command, userId: first };
  if (command === 'delete' && first !== undefined) return { kind: command, userId: first, confirmed };
  const isList = command === 'users' || command === 'no-upstream-token' || command === 'providers';
  if (isList && first === undefined) return { kind: command };
  throw new CommandError(usage);
};

const parseTargetKind = (text: string | undefined, usage: string): Target['kind'] => {
  if (text === 'grant' || text === 'user' || text === 'client' || text === 'provider') return text;
  throw new CommandError(usage);
};

const readNumber = (text: string | boolean | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  if (/^\d{1,6}$/.test(String(text))) return Number(text);
  throw new UsageError('--limit and --skip must be whole numbers from 0 to 999999.');
};
