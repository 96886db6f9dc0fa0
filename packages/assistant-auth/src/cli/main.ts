#!/usr/bin/env node
/** The command `assistant-auth`, for a publisher's own project: `keys`, `migrations` and `admin`. */
import { readFile } from 'node:fs/promises';
import { runAdmin } from './admin.ts';
import { rejectCommand, withUsageHint } from './arguments.ts';
import { printOutput, runCommand } from './command.ts';
import { createDatabaseOptions } from './database/location.ts';
import { runKeys } from './keys.ts';
import { runMigrations } from './migrations.ts';

const usage = `Usage: npx assistant-auth <command>

Commands:
  keys               print a key ring for the option sealingKeys, and the rings of a key rotation
  migrations         create the tables, on D1 or in a SQLite file
  admin              show users, grants, providers, statistics and the audit log, revoke grants, and delete
                     users

Run "npx assistant-auth <command> --help" for the options of a command.

Options:
  --version          print the version of the package
  -h, --help         print this text`;

const main = async ([command, ...args]: readonly string[]): Promise<string> => {
  const databases = createDatabaseOptions(process.cwd());
  switch (command) {
    case 'keys':
      return runKeys(args, {
        ...{ synopsis: 'npx assistant-auth keys [<command>] [options]', command: 'npx assistant-auth keys' },
        databases,
      });
    case 'migrations':
      return runMigrations(args);
    case 'admin':
      return runAdmin(args, {
        ...{ synopsis: 'npx assistant-auth admin <command> [options]', command: 'npx assistant-auth admin' },
        databases,
      });
    case '--version':
      return readVersion();
    case 'help':
      return args[0] === undefined ? usage : main([args[0], '--help']);
    case '--help':
    case '-h':
      return usage;
    default:
      return withUsageHint('npx assistant-auth', async () =>
        rejectCommand(command, ['keys', 'migrations', 'admin']),
      );
  }
};

const readVersion = async (): Promise<string> => {
  const manifest: unknown = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return String(Object(manifest).version);
};

await runCommand(async () => printOutput(await main(process.argv.slice(2))));
