/** Tests `assistant-auth admin` on a SQLite file with users. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BrokerStorage } from 'assistant-auth';
import { generateKey } from 'assistant-auth/seal';
import { migrate, sqliteAdmin, sqliteStorage } from 'assistant-auth/sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { adminCommands, readArguments } from '../../src/cli/admin/arguments.ts';
import { buildDeletionQuestion } from '../../src/cli/admin/commands.ts';
import {
  escapeControls,
  escapeControlsInLines,
  runCommand as runCliCommand,
  UsageError,
} from '../../src/cli/command.ts';
import { createDatabaseOptions } from '../../src/cli/database/location.ts';
import { runCommand } from './run-command.ts';
import { cleanUp, recordUser } from './sample-data.ts';

let folder: string;
let database: DatabaseSync;
let storage: BrokerStorage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
  database = new DatabaseSync(join(folder, 'auth.db'));
  await migrate(database);
  storage = sqliteStorage(database);
  const now = Math.floor(Date.now() / 1000);
  await recordUser(storage, 'ada', now - 60);
  await recordUser(storage, '-bruno', now - 30);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const admin = (...args: readonly string[]) => runCommand(folder, ['admin', ...args, '--database', 'auth.db']);

const readJson = async (...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await admin(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

/** ISO 8601 in UTC, to the second. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const formatTimestamp = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

const readAudit = () => sqliteAdmin(database).listAuditEntries({ limit: 100, skip: 0 });
const readGrants = (userId: string) => sqliteAdmin(database).listGrants(userId, 0);

it('lists users, grants, identities and the audit log, as a table and as JSON', async () => {
  const { stdout } = await admin('users');
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual(['user', '-bruno', 'ada', '']);
  expect(stdout).toMatch(/^ada +\d{4}-\d\d-\d\d \d\d:\d\d UTC +1 +1 +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/m);
  expect(await readJson('users', '--limit', '1', '--skip', '1')).toMatchObject([{ id: 'ada' }]);
  expect(await readJson('grants', '-bruno')).toMatchObject([
    { id: 'grant of -bruno', clientId: 'chatgpt', scopes: ['score'], state: 'active' },
  ]);
  expect(await readJson('no-upstream-token')).toMatchObject([{ userId: 'ada' }, { userId: '-bruno' }]);
  expect(await readJson('audit', 'ada')).toEqual([
    {
      ...{ at: expect.stringMatching(timestamp), event: 'signed-in', actor: 'user', userId: 'ada' },
      ...{ clientId: 'chatgpt', provider: 'github' },
    },
  ]);
});

it('revokes the grants of one user, and writes an audit entry', async () => {
  expect(await readJson('revoke', 'user', '-bruno')).toEqual({ revoked: { kind: 'user', id: '-bruno' } });
  expect(await readGrants('-bruno')).toMatchObject([{ state: 'revoked', reason: 'revoked by the operator' }]);
  expect(await readGrants('ada')).toMatchObject([{ state: 'active' }]);
  const [entry] = await readAudit();
  expect(entry).toMatchObject({ event: 'revoked', actor: 'operator', userId: '-bruno' });
});

it('revokes all grants and access tokens, in a non-interactive shell only with --yes', async () => {
  const before = await readAudit();
  expect(await admin('revoke', 'all')).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: 'In a non-interactive shell, pass --yes to confirm the revocation.\n',
  });
  expect(await readAudit()).toEqual(before);
  expect(await readGrants('ada')).toMatchObject([{ state: 'active' }]);
  expect(await admin('revoke', 'all', '--yes')).toEqual({
    ...{ code: 0, stderr: '' },
    stdout:
      'Revoked 2 grants and sessions, and all access tokens that were issued until now. Refresh tokens and sessions stop working immediately, and access tokens within ten seconds, or within 60 while storage is unreachable.\n',
  });
  for (const userId of ['ada', '-bruno'])
    expect(await readGrants(userId)).toMatchObject([{ state: 'revoked', reason: 'revoked by the operator' }]);
  const [entry] = await readAudit();
  expect(entry).toEqual({
    ...{ at: expect.any(Number), event: 'revoked', actor: 'operator', reason: 'revoked by the operator' },
  });
  // Access tokens of grants that are not in the database end, too, so it is no error that there are none left.
  expect(await readJson('revoke', 'all', '--yes')).toEqual({ revoked: { kind: 'all' }, grants: 0 });
});

it('revokes the grants of a provider, whether it is configured or not', async () => {
  expect(await readJson('revoke', 'provider', 'github')).toEqual({
    ...{ revoked: { kind: 'provider', id: 'github' }, grants: 2, upstreamTokens: 0 },
  });
  for (const userId of ['ada', '-bruno'])
    expect(await readGrants(userId)).toMatchObject([{ state: 'revoked', reason: 'revoked by the operator' }]);
  const [entry] = await readAudit();
  expect(entry).toMatchObject({ event: 'revoked', actor: 'operator', provider: 'github' });
});

it('lists the providers, and accepts a changed issuer', async () => {
  const now = Math.floor(Date.now() / 1000);
  await recordUser(storage, 'carol', now, { subjectNamespace: 'https://renamed.example' });
  const { stdout } = await admin('providers');
  expect(stdout).toMatch(
    /^github +https:\/\/provider\.example +2 +https:\/\/renamed\.example +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/m,
  );
  expect(await readJson('providers')).toEqual([
    {
      ...{ id: 'github', subjectNamespace: 'https://provider.example', identities: 2 },
      ...{ refusedNamespace: 'https://renamed.example', refusedAt: formatTimestamp(now) },
    },
  ]);
  const nothingChanged = {
    ...{ code: 1, stdout: '' },
    stderr:
      'Nothing was changed: this is not the namespace that was refused last for this provider. Run npx assistant-auth admin providers to see it.\n',
  };
  const before = await readAudit();
  expect(await admin('providers', 'accept', 'github', 'https://stranger.example')).toEqual(nothingChanged);
  expect(await readAudit()).toEqual(before);
  expect(await admin('providers', 'accept', 'github', 'https://renamed.example')).toEqual({
    ...{ code: 0, stderr: '' },
    stdout:
      'The subjects of the provider github now belong to https://renamed.example. Before, they belonged to https://provider.example. Deleted 0 upstream tokens of the previous issuer.\n',
  });
  const [entry] = await readAudit();
  expect(entry).toMatchObject({ event: 'provider-accepted', actor: 'operator', provider: 'github' });
  expect(await admin('providers', 'accept', 'github', 'https://renamed.example')).toEqual(nothingChanged);
});

describe('find', () => {
  beforeEach(async () => {
    const now = Math.floor(Date.now() / 1000);
    await recordUser(storage, 'carol', now - 20, { label: 'Carol@Example.com' });
    await recordUser(storage, 'chloe', now - 10, { label: 'chloé.carol@example.com' });
  });

  const nobodyFound = `No users found. These users can't be found by their email address:
- users of GitHub: search for their login
- users whose provider sent another address, such as a relay address of Apple, or no address: search for their name
- users whose provider sent neither an address nor a name: they can't be found by name, either
`;

  it('lists the users whose address or name contains the text, exact matches first', async () => {
    const { code, stdout, stderr } = await admin('find', ' carol@example.com ');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^user {3}provider {2}address or name {10}last sign-in +active grants\ncarol {2}github {4}Carol@Example\.com {8}\d{4}-\d\d-\d\d \d\d:\d\d UTC {2}1\nchloe {2}github {4}chloé\.carol@example\.com {2}\S+ \S+ UTC {2}1\n$/,
    );
    expect(await readJson('find', 'CHLOÉ')).toEqual([
      {
        ...{ userId: 'chloe', provider: 'github', label: 'chloé.carol@example.com', activeGrants: 1 },
        lastSignInAt: expect.stringMatching(timestamp),
      },
    ]);
    expect(await readJson('find', 'example.com', '--limit', '1', '--skip', '1')).toMatchObject([
      { userId: 'carol' },
    ]);
  });

  it('says if nobody was found, and who can’t be found', async () => {
    // The user IDs are not searched.
    for (const text of ['-bruno', 'carol%', '--', '--limit=5'])
      expect(await runCommand(folder, ['admin', 'find', '--database', 'auth.db', '--', text])).toEqual({
        code: 0,
        stdout: nobodyFound,
        stderr: '',
      });
    expect(await readJson('find', 'nobody@example.com')).toEqual([]);
    expect(await admin('find', 'carol', '--skip', '9')).toEqual({ code: 0, stdout: 'None.\n', stderr: '' });
  });
});

describe('stats', () => {
  const today = () => new Date().toISOString().slice(0, 10);

  it('shows totals, clients, each day, and the reasons of refusals', async () => {
    const now = Math.floor(Date.now() / 1000);
    const registered = `R.${'x'.repeat(900)}`;
    database
      .prepare('INSERT INTO clients (id, name, metadata, retain_until) VALUES (?1, ?2, ?3, ?4)')
      .run(registered, 'Claude Code', '{}', now + 9999);
    database.prepare("UPDATE grants SET client_id = ?1 WHERE user_id = 'ada'").run(registered);
    await storage.recordRefusals([
      { day: today(), reason: 'token.code', count: 2 },
      { day: today(), reason: 'client.unknown', count: 40_000 },
      { day: '2000-01-01', reason: 'token.code', count: 7 },
    ]);
    const { code, stdout, stderr } = await admin('stats', '--days', '2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const yesterday = new Date(Date.parse(today()) - 1).toISOString().slice(0, 10);
    expect(stdout).toBe(`users  active grants  clients with active grants
2      2              2

client                                                        name         active grants
R.${'x'.repeat(57)}…  Claude Code  1
chatgpt                                                       -            1

day (UTC)   sign-ins  refused requests
${today()}  2         40002
${yesterday}  0         0

reason of the refusal  requests
client.unknown         40000
token.code             2
`);
    expect(await readJson('stats', '--days', '1')).toEqual({
      ...{ at: expect.stringMatching(timestamp), users: 2, activeGrants: 2, activeClients: 2 },
      topClients: [
        { clientId: registered, name: 'Claude Code', activeGrants: 1 },
        { clientId: 'chatgpt', activeGrants: 1 },
      ],
      days: [{ day: today(), signIns: 2, refusals: 40_002 }],
      refusals: [
        { reason: 'client.unknown', count: 40_000, days: [{ day: today(), count: 40_000 }] },
        { reason: 'token.code', count: 2, days: [{ day: today(), count: 2 }] },
      ],
    });
  });

  it('adds the refusals of several days, and shows 14 days by default', async () => {
    const days = [0, 1, 13, 14].map((ago) => new Date(Date.parse(today()) - ago * 86_400_000));
    await storage.recordRefusals(
      days.map((day, index) => ({
        day: day.toISOString().slice(0, 10),
        reason: 'token.code',
        count: index + 1,
      })),
    );
    expect(await readJson('stats')).toMatchObject({
      days: { length: 14 },
      refusals: [{ reason: 'token.code', count: 6, days: [{ count: 1 }, { count: 2 }, { count: 3 }] }],
    });
  });

  it('shows a database without users and refusals', async () => {
    database.exec('DELETE FROM users');
    expect((await admin('stats', '--days=1')).stdout).toBe(`users  active grants  clients with active grants
0      0              0

day (UTC)   sign-ins  refused requests
${today()}  0         0

No refused requests were stored for these days.
`);
  });

  it('says how many clients are not listed', async () => {
    for (let index = 0; index < 12; index++)
      await recordUser(storage, `user ${index}`, 2_000_000_000 + index);
    database.exec("UPDATE grants SET client_id = 'client of ' || user_id");
    expect((await admin('stats')).stdout).toMatch(/\n\nOther clients: 4\n\nday \(UTC\) /);
  });

  it('names the command that creates the tables of this version', async () => {
    database.exec('DROP TABLE refusals');
    expect(await admin('stats')).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `${join(folder, 'auth.db')} lacks tables of this version of assistant-auth. Pass the file that your app uses, or run "npx assistant-auth migrations --database ${join(folder, 'auth.db')}" to create the tables.\n`,
    });
  });
});

describe('--json', () => {
  /** One call of each command, by its name. The output of the calls contains every time that can be printed. */
  const calls: Readonly<Record<(typeof adminCommands)[number], readonly string[]>> = {
    users: ['users'],
    find: ['find', 'ada@'],
    grants: ['grants', 'ada'],
    'no-upstream-token': ['no-upstream-token'],
    providers: ['providers'],
    audit: ['audit'],
    stats: ['stats'],
    revoke: ['revoke', 'user', 'ada'],
    delete: ['delete', 'ada', '--yes'],
  };

  /** Returns all members of objects in a value, at any depth. */
  const listMembers = (value: unknown): readonly (readonly [name: string, value: unknown])[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) => [[name, member] as const, ...listMembers(member)])
      : [];

  const expectTimestamps = (json: unknown): readonly string[] => {
    const members = listMembers(json);
    expect(members.length).toBeGreaterThan(0);
    // A number of seconds or milliseconds since 1970 would be greater.
    for (const [name, value] of members)
      if (typeof value === 'number') expect([name, value < 100_000_000]).toEqual([name, true]);
    return members.flatMap(([name, value]) => (timestamp.test(String(value)) ? [name] : []));
  };

  it('contains each time as a timestamp in UTC, in the output of every command', async () => {
    const now = Math.floor(Date.now() / 1000);
    await recordUser(storage, 'carol', now, { subjectNamespace: 'https://renamed.example' });
    database.exec(`UPDATE identities SET label = 'ada@example.com', refreshable_until = ${now + 60}`);
    await storage.recordRefusals([{ day: '2026-11-29', reason: 'token.code', count: 2 }]);
    expect(Object.keys(calls).toSorted()).toEqual(adminCommands.toSorted());
    const times: Record<string, readonly string[]> = {};
    for (const [name, args] of Object.entries(calls))
      times[name] = [...new Set(expectTimestamps(await readJson(...args)))];
    expect(times).toEqual({
      ...{
        users: ['createdAt', 'lastSignInAt'],
        find: ['lastSignInAt'],
        grants: ['createdAt', 'lastUsedAt'],
      },
      ...{ 'no-upstream-token': ['since', 'refreshableUntil'], providers: ['refusedAt'], audit: ['at'] },
      ...{ stats: ['at'], revoke: [], delete: [] },
    });
    expectTimestamps(await readJson('revoke', 'provider', 'github'));
    expectTimestamps(await readJson('providers', 'accept', 'github', 'https://renamed.example'));
  });

  it('of keys list contains each time as a timestamp in UTC', async () => {
    const now = Math.floor(Date.now() / 1000);
    const ring = `${generateKey('a')} ${generateKey('b')}`;
    await cleanUp(storage, ring.split(' ').toReversed().join(' '), now - 9000);
    await cleanUp(storage, ring, now);
    const { stdout } = await runCommand(folder, ['keys', 'list', '--json', '--database', 'auth.db'], {
      variables: { SEALING_KEYS: ring },
    });
    expect(expectTimestamps(JSON.parse(stdout))).toEqual(
      expect.arrayContaining(['sealedUntil', 'promotableFrom', 'retirableFrom', 'lastGrantExpiresAt']),
    );
  });
});

it('rejects any wrong arguments with a message for the operator, and nothing else', () => {
  const program = {
    ...{ synopsis: 'admin', command: 'admin' },
    databases: createDatabaseOptions(folder),
  };
  const argument = fc.oneof(
    fc.constantFrom<string>(...adminCommands, 'accept', 'user', 'grant', '--', '-', ''),
    fc.constantFrom(
      '--days',
      '--limit',
      '--skip',
      '--json',
      '--yes',
      '--local',
      '--database',
      '--bogus',
      '-h',
    ),
    fc
      .tuple(fc.constantFrom('--days', '--limit', '--skip', '--json'), fc.string())
      .map((pair) => pair.join('=')),
    fc.constantFrom('٣', '1e3', '0x10', '-1', '1.5', ' 7', '7 ', '٠', 'NaN', 'Infinity', '9'.repeat(400)),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), (args) => {
      try {
        const { page, adminCommand } = readArguments(args, program);
        for (const number of [page.limit, page.skip, 'days' in adminCommand ? adminCommand.days : 1])
          expect(Number.isSafeInteger(number)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
    { numRuns: 2000 },
  );
});

it('deletes a user in a non-interactive shell only with --yes', async () => {
  const before = await readAudit();
  expect(await admin('delete', 'ada')).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: 'In a non-interactive shell, pass --yes to confirm the deletion.\n',
  });
  expect(await readAudit()).toEqual(before);
  expect(await readJson('delete', 'ada', '--yes')).toEqual({ deleted: 'ada' });
  expect(await readGrants('ada')).toBeUndefined();
  expect(await readGrants('-bruno')).toMatchObject([{ state: 'active' }]);
});

it.each([
  [['grants', 'nobody'], 'No user has this ID.\n'],
  [['delete', 'nobody', '--yes'], 'No user has this ID.\n'],
  [
    ['revoke', 'grant', 'nothing'],
    'Nothing was revoked. The grant ID is unknown, or the grant was already revoked.\n',
  ],
  [
    ['revoke', 'provider', 'nothing'],
    'Nothing was revoked. The provider ID is unknown, or all grants of the provider were already revoked.\n',
  ],
])('changes nothing, and says so: %j', async (args, stderr) => {
  const before = await readAudit();
  expect(await admin(...args)).toEqual({ code: 1, stdout: '', stderr });
  expect(await readAudit()).toEqual(before);
});

it('refuses a database without the tables', async () => {
  new DatabaseSync(join(folder, 'other.db')).exec('CREATE TABLE users (id TEXT)');
  const { code, stdout, stderr } = await runCommand(folder, ['admin', 'users', '--database', 'other.db']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    `${join(folder, 'other.db')} has no tables of assistant-auth. Pass the file that your app uses, or run "npx assistant-auth migrations --database ${join(folder, 'other.db')}" to create the tables.\n`,
  );
});

it('prints SQLite’s error message, and has changed nothing', async () => {
  database.exec("CREATE TRIGGER fail BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  expect(await admin('revoke', 'user', 'ada')).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: `The database ${join(folder, 'auth.db')} failed: disk full. The query changed nothing.\n`,
  });
  expect(await readGrants('ada')).toMatchObject([{ state: 'active' }]);
});

it('gives up after five seconds while another process writes, and has changed nothing', async () => {
  database.exec('BEGIN IMMEDIATE');
  const result = await admin('revoke', 'user', 'ada');
  database.exec('ROLLBACK');
  expect(result).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: `Another process kept the database ${join(folder, 'auth.db')} locked for five seconds. The query changed nothing. Try again later.\n`,
  });
  expect(await readGrants('ada')).toMatchObject([{ state: 'active' }]);
});

describe('control characters', () => {
  // Each would change what the terminal shows: clear the screen, set its title, overwrite or reorder the line.
  const controls = [
    ...['\x1b[2J', '\x1b]0;title\x07', '\r', '\n', '\t', '\b', '\x7f', '\x85', '\x9b31m', '\x9d0;x\x9c'],
    ...['\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c'],
  ];
  const userId = `eve${controls.join('x')} 漢字é🙂`;
  const expectPrintable = (text: string): void => {
    expect(text).not.toMatch(/[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  };

  beforeEach(() => recordUser(storage, userId, Math.floor(Date.now() / 1000), { label: userId }));

  it.each([
    ['users', ['users'], 5],
    ['no-upstream-token', ['no-upstream-token'], 5],
    ['audit', ['audit'], 5],
    ['grants', ['grants', userId], 3],
    ['find', ['find', 'eve'], 3],
  ])(
    'W22.1 tables: %s escapes them in every cell, and keeps one line for each row',
    async (_, args, lines) => {
      database
        .prepare('UPDATE grants SET client_id = ?1, redirect_uri = ?1, scopes = json_array(?1)')
        .run(userId);
      const { code, stdout, stderr } = await admin(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expectPrintable(stdout);
      expect(stdout.split('\n')).toHaveLength(lines);
      expect(stdout).toContain('eve\\u001b[2Jx\\u001b]0;title\\u0007x\\u000dx\\u000ax');
      expect(stdout).toContain('\\u009b31m');
      expect(stdout).toContain('\\u202e');
      expect(stdout).toContain('漢字é🙂');
    },
  );

  it('W22.2 JSON: escapes them, and stays the same value', async () => {
    const { stdout } = await admin('users', '--json');
    expectPrintable(stdout);
    expect(JSON.parse(stdout)).toMatchObject([{ id: userId }, { id: '-bruno' }, { id: 'ada' }]);
  });

  it('W22.3 sentences: a revocation, the question before a deletion, and errors escape them', async () => {
    const revoked = await admin('revoke', 'user', userId);
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(revoked.stdout).toMatch(/^Revoked all grants of the user eve\\u001b\[2J.*\n$/);
    expectPrintable(revoked.stdout);
    const question = buildDeletionQuestion(userId);
    expect(question).toMatch(/^Permanently delete the user eve\\u001b.*🙂\? Type yes to confirm: $/);
    expectPrintable(question);
    for (const args of [
      ['revoke', '\x1b[2J', 'x'],
      ['users', '--\x1b[2J'],
      ['users', '--limit', '\x9b'],
    ]) {
      const { code, stdout, stderr } = await admin(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expectPrintable(stderr);
    }
    const keys = await runCommand(
      folder,
      ['keys', 'resource', 'https://a\x1b[2J\u202e', '--issuer', '\x9bx'],
      {
        variables: { SEALING_KEYS: generateKey('k') },
      },
    );
    expect(keys).toMatchObject({ code: 1, stdout: '' });
    expectPrintable(keys.stderr);
    const missing = await runCommand(folder, ['admin', 'users', '--database', 'no\x1b[2J\x9b.db']);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('no\\u001b[2J\\u009b.db');
    expectPrintable(missing.stderr);
  });

  it('W22.3 errors that nothing expects: are printed with their stack trace, escaped', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    await runCliCommand(() => Promise.reject(new RangeError(`no such page: ${userId}`, { cause: userId })));
    const [[text] = []] = printed.mock.calls;
    printed.mockRestore();
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
    expect(text).toMatch(/^RangeError: no such page: eve\\u001b.*\n {4}at /s);
    expectPrintable(String(text));
  });

  it('W22.4 any text: no control character is left, and JSON stays the same value', () => {
    const anyText = fc.string({
      unit: fc.oneof(fc.constantFrom(...controls), fc.string({ unit: 'binary' })),
    });
    fc.assert(
      fc.property(anyText, (text) => {
        expectPrintable(escapeControls(text));
        expect(escapeControls(text)).not.toContain('\n');
        const json = JSON.stringify({ text, list: [text] }, null, 2);
        expectPrintable(escapeControlsInLines(json));
        expect(JSON.parse(escapeControlsInLines(json))).toEqual({ text, list: [text] });
      }),
    );
  });
});
