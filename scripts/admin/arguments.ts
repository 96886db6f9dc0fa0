/** Parses the arguments of `npm run admin`. */
import { parseArgs } from 'node:util';
import { CommandError } from '../app/command.ts';
import { type DatabaseFlags, databaseOptions } from '../database/database.ts';

/** A command with its arguments. */
export type AdminCommand =
  | { readonly kind: 'users' | 'no-upstream-token' }
  | { readonly kind: 'grants'; readonly userId: string }
  | { readonly kind: 'audit'; readonly userId?: string }
  | { readonly kind: 'revoke'; readonly target: Target }
  | { readonly kind: 'delete'; readonly userId: string; readonly confirmed: boolean };

export interface Target {
  readonly kind: 'grant' | 'user' | 'client';
  readonly id: string;
}

export interface Arguments {
  readonly adminCommand: AdminCommand;
  readonly databaseFlags: DatabaseFlags;
  readonly page: { readonly limit: number; readonly skip: number };
  readonly outputFormat: 'json' | 'table';
}

export const usage = `Usage: npm run admin -- <command> [options]

Commands:
  users                              list users, newest first
  grants <user>                      list a user's grants and sessions
  revoke grant|user|client <id>      revoke a grant, or all grants of a user or a client
  delete <user>                      delete a user and everything stored about them
  no-upstream-token                  list identities that can't be rechecked at their provider
  audit [<user>]                     list the audit log, newest entry first

Options:
  --local            use the database of npm start (default)
  --remote           use the deployed database
  --pages            the app is a Pages project, not a Worker
  --json             print JSON
  --yes              delete without asking
  --limit <rows>     list at most this many rows (default: 50)
  --skip <rows>      skip this many rows at the start of the list (default: 0)`;

/**
 * @throws CommandError with the usage, or with a message about `--limit` and `--skip`. TypeError for an
 * unknown option
 */
export const readArguments = (args: readonly string[]): Arguments => {
  const { values, positionals } = parseArgs({
    args: moveOptionsFirst(args),
    options,
    allowPositionals: true,
  });
  const { local, remote, pages, json = false, yes = false } = values;
  return {
    adminCommand: parseAdminCommand(positionals, yes),
    // Default: the local database, where a mistake does the least harm.
    databaseFlags: { local: local ?? remote !== true, remote, pages },
    page: { limit: readNumber(values.limit, 50), skip: readNumber(values.skip, 0) },
    outputFormat: json ? 'json' : 'table',
  };
};

const options = {
  ...databaseOptions,
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
  limit: { type: 'string' },
  skip: { type: 'string' },
} as const;

/**
 * Moves options to the front, and puts `--` before everything else, because an ID may start with one or two
 * hyphens. An argument that looks like an option is treated as one, so that a misspelled option is rejected.
 * A random ID practically never consists of two hyphens and only lowercase letters.
 */
const moveOptionsFirst = (args: readonly string[]): string[] => {
  const [optionArguments, positionalArguments]: [string[], string[]] = [[], []];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [option, name, value] = /^--([a-z]+)(=.*)?$/.exec(arg) ?? [];
    (option === undefined ? positionalArguments : optionArguments).push(arg);
    const next = args[index + 1];
    if (!takesValue(name) || value !== undefined || next === undefined) continue;
    optionArguments.push(next);
    index += 1;
  }
  return [...optionArguments, '--', ...positionalArguments];
};

const takesValue = (name: string | undefined): boolean =>
  Object.entries(options).some(([optionName, { type }]) => optionName === name && type === 'string');

const parseAdminCommand = ([command, ...rest]: readonly string[], confirmed: boolean): AdminCommand => {
  const [first, second, ...extraArguments] = rest;
  if (extraArguments.length > 0) throw new CommandError(usage);
  if (command === 'revoke' && second !== undefined)
    return { kind: 'revoke', target: { kind: parseTargetKind(first), id: second } };
  if (second !== undefined) throw new CommandError(usage);
  if (command === 'audit') return { kind: command, ...(first !== undefined && { userId: first }) };
  if (command === 'grants' && first !== undefined) return { kind: command, userId: first };
  if (command === 'delete' && first !== undefined) return { kind: command, userId: first, confirmed };
  if ((command === 'users' || command === 'no-upstream-token') && first === undefined)
    return { kind: command };
  throw new CommandError(usage);
};

const parseTargetKind = (text: string | undefined): Target['kind'] => {
  if (text === 'grant' || text === 'user' || text === 'client') return text;
  throw new CommandError(usage);
};

const readNumber = (text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CommandError('--limit and --skip must be whole numbers from 0 to 999999.');
};
