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

it.each([
  [['--help'], usage],
  [['-h'], usage],
  [['keys', '--help'], 'Usage: npx assistant-auth keys [<command>] [options]\n'],
  [['keys', 'burn', '-h'], 'Usage: npx assistant-auth keys [<command>] [options]\n'],
  [['migrations', '--help'], 'Usage: npx assistant-auth migrations --out <dir>\n'],
  [['admin', '--help'], 'Usage: npx assistant-auth admin <command> [options]\n'],
  [['admin', 'delete', '-h'], 'Usage: npx assistant-auth admin <command> [options]\n'],
])('prints the usage to standard output, and does nothing else: %j', async (args, expected) => {
  const { code, stdout, stderr } = await runCommand(folder, args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.startsWith(expected)).toBe(true);
  expect(stdout).not.toContain('npm run');
});

it('prints the version of the package', async () => {
  const manifest = JSON.parse(readFileSync('packages/assistant-auth/package.json', 'utf8'));
  expect(await runCommand(folder, ['--version'])).toEqual({
    ...{ code: 0, stdout: `${manifest.version}\n`, stderr: '' },
  });
});

const selectDatabase =
  'Pass --database <file>, --local or --remote to select the database.\nRun npx assistant-auth admin --help to show the usage.\n';

it.each([
  [[], usage],
  [['rotate'], usage],
  [['--keys'], usage],
  [['keys', 'rotate'], 'Usage: npx assistant-auth keys [<command>]'],
  [['keys', 'promote'], 'Usage: npx assistant-auth keys [<command>]'],
  [['keys', '--everywhere'], "Unknown option '--everywhere'"],
  [['admin'], 'Usage: npx assistant-auth admin <command>'],
  [['admin', 'users', 'ada'], 'Usage: npx assistant-auth admin <command>'],
  [['admin', 'users'], selectDatabase],
  [['admin', 'users', '--local', '--remote'], 'Pass only one of --database, --local and --remote.\n'],
  [['admin', 'users', '--local', '--database', 'a'], 'Pass only one of --database, --local and --remote.\n'],
  [['admin', 'users', '--database', ''], '--database must not be empty.\n'],
  [['admin', 'users', '--database', 'a', '--binding', 'DB'], '--binding is only for --local and --remote.\n'],
  [['admin', 'users', '--config', 'a'], '--config is only for --local and --remote.\n'],
  [['admin', 'users', '--remote', '--persist-to', 'a'], '--persist-to is only for --local.\n'],
  [['admin', 'users', '--pages'], "Unknown option '--pages'"],
  [['admin', 'users', '--database', 'a', '--limit', 'all'], '--limit and --skip must be whole numbers'],
  [['migrations'], 'Pass either --out <dir> for D1, or --database <file> for SQLite.\n'],
  [['migrations', '--out', 'a', '--database', 'b'], 'Pass either --out <dir> for D1, or --database <file>'],
  [['migrations', '--out', ''], 'Pass either --out <dir> for D1, or --database <file> for SQLite.\n'],
  [['migrations', 'apply'], "Unexpected argument 'apply'."],
])('explains wrong usage on standard error, without a stack trace: %j', async (args, message) => {
  const { code, stdout, stderr } = await runCommand(folder, args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.startsWith(message)).toBe(true);
  expect(stderr).toContain('--help');
  expect(stderr).not.toMatch(/^ +at /m);
});
