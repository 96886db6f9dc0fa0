/** Tests how the command `assistant-auth` finds its commands, and its messages about wrong usage. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
});

afterAll(() => {
  // No test in this file writes a file.
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

const usage = 'Usage: npx assistant-auth <command>\n';

const keysUsage = 'Usage: npx assistant-auth keys [<command>] [options]\n';
const migrationsUsage = 'Usage: npx assistant-auth migrations --out <dir>\n';
const adminUsage = 'Usage: npx assistant-auth admin <command> [options]\n';

const helpRequests: readonly (readonly [args: readonly string[], usage: string])[] = [
  [['--help'], usage],
  [['-h'], usage],
  [['help'], usage],
  [['keys', '--help'], keysUsage],
  [['keys', 'help'], keysUsage],
  [['help', 'keys'], keysUsage],
  [['keys', 'burn', '-h'], keysUsage],
  [['migrations', '--help'], migrationsUsage],
  [['migrations', '-h'], migrationsUsage],
  [['migrations', 'help'], migrationsUsage],
  [['help', 'migrations'], migrationsUsage],
  [['admin', '--help'], adminUsage],
  [['admin', 'help'], adminUsage],
  [['help', 'admin'], adminUsage],
  ...['users', 'find', 'grants', 'revoke', 'delete', 'no-upstream-token', 'providers', 'audit', 'stats'].map(
    (command) => [['admin', command, '-h'], adminUsage] as const,
  ),
  [['admin', 'delete', 'ada', '--yes', '--database', 'auth.db', '--help'], adminUsage],
];

it.each(helpRequests)(
  'prints the usage to standard output, and does nothing else: %j',
  async (args, expected) => {
    const { code, stdout, stderr } = await runCommand(folder, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(expected)).toBe(true);
    expect(stdout).not.toContain('npm run');
  },
);

it('prints the version of the package', async () => {
  const manifest = JSON.parse(readFileSync('packages/assistant-auth/package.json', 'utf8'));
  expect(await runCommand(folder, ['--version'])).toEqual({
    ...{ code: 0, stdout: `${manifest.version}\n`, stderr: '' },
  });
});

const adminCommandList =
  'The commands are users, find, grants, revoke, delete, no-upstream-token, providers, audit and stats.';
const keysCommandList = 'The commands are add, promote, list, retire, burn and resource.';
const commandList = 'The commands are keys, migrations and admin.';
const selectDatabase = 'Pass --database <file>, --local or --remote to select the database.';
const oneDatabase = 'Pass only one of --database, --local and --remote.';
const eitherOption = 'Pass either --out <dir> for D1, or --database <file> for SQLite.';

/** The arguments, and the message about them. The first argument is the command in the hint. */
const wrongUsages: readonly (readonly [args: readonly string[], message: string])[] = [
  [[], `A command is missing. ${commandList}`],
  [['rotate'], `Unknown command "rotate". ${commandList}`],
  [['--keys'], `Unknown command "--keys". ${commandList}`],
  [['help', 'rotate'], `Unknown command "rotate". ${commandList}`],
  [['keys', 'rotate'], `Unknown command "rotate". ${keysCommandList}`],
  [['keys', 'promote'], 'The argument <id> of "promote" is missing.'],
  [['keys', 'burn', 'a', 'b'], 'Unexpected argument "b".'],
  [['keys', 'list', 'a'], 'Unexpected argument "a".'],
  [['keys', 'add', 'a'], 'Unexpected argument "a".'],
  [['keys', 'resource', 'a', 'b'], 'Unexpected argument "b".'],
  [['keys', '--everywhere'], 'Unknown option "--everywhere".'],
  [['keys', '-x'], 'Unknown option "-x".'],
  [['keys', 'add', '--json'], '--json is only for list.'],
  [['keys', 'list', '--issuer', 'a'], '--issuer is only for resource.'],
  [['keys', 'resource', '--issuer'], '--issuer needs a value.'],
  [['keys', 'resource', '--issuer', '--local'], '--issuer needs a value.'],
  [['keys', 'list', '--json=yes'], '--json takes no value.'],
  [['admin'], `A command is missing. ${adminCommandList}`],
  [['admin', 'user'], `Unknown command "user". ${adminCommandList}`],
  [['admin', 'users', 'ada'], 'Unexpected argument "ada".'],
  [['admin', 'users', '-n'], 'Unexpected argument "-n".'],
  [['admin', 'stats', '7'], 'Unexpected argument "7".'],
  [['admin', 'no-upstream-token', 'ada'], 'Unexpected argument "ada".'],
  [['admin', 'audit', 'ada', 'bob'], 'Unexpected argument "bob".'],
  [['admin', 'grants'], 'The argument <user> of "grants" is missing.'],
  [['admin', 'grants', 'ada', 'bob'], 'Unexpected argument "bob".'],
  [['admin', 'grants', '--', '--ada', '--json'], 'Unexpected argument "--json".'],
  [['admin', 'delete'], 'The argument <user> of "delete" is missing.'],
  [['admin', 'delete', 'ada', 'bob'], 'Unexpected argument "bob".'],
  [
    ['admin', 'revoke'],
    '"revoke" needs a target. Expected grant, user, client or provider, and an ID; or all.',
  ],
  [
    ['admin', 'revoke', 'everything'],
    'Unexpected argument "everything". Expected grant, user, client or provider, or all.',
  ],
  [['admin', 'revoke', 'all', 'users'], 'Unexpected argument "users".'],
  [['admin', 'revoke', 'user', 'ada', '--yes'], '--yes is only for delete, revoke all.'],
  [['admin', 'revoke', 'user'], 'The argument <id> of "revoke user" is missing.'],
  [['admin', 'revoke', 'user', 'a', 'b'], 'Unexpected argument "b".'],
  [['admin', 'providers', 'github'], 'Unexpected argument "github". Expected "accept", or nothing.'],
  [['admin', 'providers', 'accept'], 'The argument <id> of "providers accept" is missing.'],
  [['admin', 'providers', 'accept', 'a'], 'The argument <namespace> of "providers accept" is missing.'],
  [['admin', 'providers', 'accept', 'a', 'b', 'c'], 'Unexpected argument "c".'],
  [['admin', 'find'], 'The argument <text> of "find" is missing.'],
  [
    ['admin', 'find', 'ada', 'lovelace'],
    'Unexpected argument "lovelace". Put quotes around text with spaces.',
  ],
  [['admin', 'find', ''], 'The text to find must have 2 to 320 characters, not 0: "".'],
  [['admin', 'find', '  '], 'The text to find must have 2 to 320 characters, not 0: "  ".'],
  [['admin', 'find', '\t@ '], 'The text to find must have 2 to 320 characters, not 1: "\\u0009@ ".'],
  [['admin', 'find', '🙂'], 'The text to find must have 2 to 320 characters, not 1: "🙂".'],
  [
    ['admin', 'find', 'x'.repeat(321)],
    `The text to find must have 2 to 320 characters, not 321: "${'x'.repeat(321)}".`,
  ],
  [['admin', 'users'], selectDatabase],
  [['admin', 'users', '--local', '--remote'], oneDatabase],
  [['admin', 'users', '--local', '--database', 'a'], oneDatabase],
  [['admin', 'users', '--database', ''], '--database must not be empty.'],
  [['admin', 'users', '--database'], '--database needs a value.'],
  [['admin', 'users', '--database', 'a', '--binding', 'DB'], '--binding is only for --local and --remote.'],
  [['admin', 'users', '--config', 'a'], '--config is only for --local and --remote.'],
  [['admin', 'users', '--remote', '--persist-to', 'a'], '--persist-to is only for --local.'],
  [['admin', 'users', '--pages'], 'Unknown option "--pages".'],
  [['admin', 'users', '--yes'], '--yes is only for delete, revoke all.'],
  [['admin', 'users', '--days', '3'], '--days is only for stats.'],
  [['admin', 'stats', '--limit', '3'], '--limit is only for users, find, no-upstream-token, audit.'],
  [['admin', 'grants', 'ada', '--skip', '3'], '--skip is only for users, find, no-upstream-token, audit.'],
  ...['all', '-1', '', '1000000'].map(
    (value) =>
      [
        ['admin', 'users', `--limit=${value}`],
        `--limit must be a whole number from 0 to 999999, not "${value}".`,
      ] as const,
  ),
  [
    ['admin', 'find', 'ada', '--skip', 'b\n\u202e'],
    '--skip must be a whole number from 0 to 999999, not "b\\u000a\\u202e".',
  ],
  ...['0', '91', '1.5'].map(
    (value) =>
      [
        ['admin', 'stats', `--days=${value}`],
        `--days must be a whole number from 1 to 90, not "${value}".`,
      ] as const,
  ),
  [['admin', 'stats', '--days'], '--days needs a value.'],
  [['migrations'], eitherOption],
  [['migrations', '--out', 'a', '--database', 'b'], eitherOption],
  [['migrations', '--out', ''], eitherOption],
  [['migrations', '--out'], '--out needs a value.'],
  [['migrations', 'apply'], 'Unexpected argument "apply".'],
  [['migrations', '--json'], 'Unknown option "--json".'],
];

it.each(wrongUsages)('says what is wrong, names --help, and exits with 2: %j', async (args, message) => {
  const [first = ''] = args;
  const program = ['keys', 'migrations', 'admin'].includes(first)
    ? `npx assistant-auth ${first}`
    : 'npx assistant-auth';
  expect(await runCommand(folder, args)).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: `${message}\nRun "${program} --help" for usage.\n`,
  });
});
