/** Tests `assistant-auth keys`: rings from the environment and standard input, and their rotation. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type BrokerStorage, deriveResourceKeys } from 'assistant-auth';
import { generateKey, parseKeyRing } from 'assistant-auth/seal';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';
import { cleanUp, recordUser } from './sample-data.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const createKey = (id: string): string => generateKey(id, (length) => new Uint8Array(randomBytes(length)));

const [first, second, third] = [createKey('a'), createKey('bb'), createKey('ccc')];
const ring = `${first} ${second} ${third}`;

const runKeys = (args: readonly string[], sealingKeys = '', input = '') =>
  runCommand(folder, ['keys', ...args], { variables: { SEALING_KEYS: sealingKeys }, input });

const hint = 'Run "npx assistant-auth keys --help" for usage.\n';

/** Fails if a text contains the secret part of a key. */
const expectNoSecret = (text: string): void => {
  for (const key of [first, second, third]) expect(text).not.toContain(key.split('.')[1]);
};

it('prints a new ring with one key, and nothing else', async () => {
  const [one, another] = await Promise.all([runKeys([]), runKeys([])]);
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(one.stdout).toMatch(/^\d{4}-\d\d-\d\d-[a-z2-9]{5}\.[\w-]{43}\n$/);
  expect(parseKeyRing(one.stdout).keys.size).toBe(1);
  expect(one.stdout).not.toBe(another.stdout);
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ['SEALING_KEYS', [], ring, ''],
  ['SEALING_KEYS, with add', ['add'], ring, ''],
  ['standard input', ['-'], '', `${ring}\n`],
  ['standard input, with add', ['add', '-'], 'ignored', ring],
])('appends a new key to the ring in %s, and names the next command', async (_, args, variable, input) => {
  const { code, stdout, stderr } = await runKeys(args, variable, input);
  const added = stdout.trim().split(' ').at(-1) ?? '';
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${ring} ${added}\n` });
  const [id, secret] = added.split('.');
  expect(stderr).toContain(`"npx assistant-auth keys promote ${id}" with --remote or --database <file>`);
  expect(stderr).not.toContain(secret);
  expectNoSecret(stderr);
});

it.each([
  ['no ring', ['add'], '', ''],
  ['no ring', ['list'], ' ', ''],
  ['an empty standard input', ['-'], ring, '\n'],
])('prints no ring if it finds none: %s, %j', async (_, args, variable, input) => {
  expect(await runKeys(args, variable, input)).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: `No key ring was found. Set SEALING_KEYS in the environment, or pass the ring on standard input with - as the last argument.\n${hint}`,
  });
});

it.each([
  [[], 'damaged.secret'],
  [['add'], 'damaged'],
  [['list'], `${first} ${first}`],
  [['promote', 'a'], `${first} damaged.secret`],
  [['burn', 'a'], first.slice(0, -1)],
])('prints neither a ring nor the damaged one that it got: %j', async (args, damaged) => {
  const { code, stdout, stderr } = await runKeys(args, damaged);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^sealingKeys must .*\n$/);
  expect(stderr).not.toContain('damaged');
  expectNoSecret(stderr);
});

it('promotes a key, and warns that it did not check the deployment', async () => {
  const { code, stdout, stderr } = await runKeys(['promote', 'ccc'], ring);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${third} ${first} ${second}\n` });
  expect(stderr).toContain('Without --database <file>, --local or --remote, this command did not check');
  expectNoSecret(stderr);
});

it('burns a key, and replaces the first one with a new key', async () => {
  expect(await runKeys(['burn', 'bb'], ring)).toMatchObject({ code: 0, stdout: `${first} ${third}\n` });
  const { stdout, stderr } = await runKeys(['burn', 'a'], ring);
  const [replacement, ...others] = stdout.trim().split(' ');
  expect(others).toEqual([second, third]);
  expect(replacement).not.toBe(first);
  expectNoSecret(stderr);
});

it('lists the keys without their secrets', async () => {
  const { code, stdout, stderr } = await runKeys(['list'], ring);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe('key  role\na    seals and opens\nbb   opens\nccc  opens\n');
});

it('lists the keys as JSON, without their secrets', async () => {
  const { code, stdout, stderr } = await runKeys(['list', '--json'], ring);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual([
    { id: 'a', role: 'seals' },
    { id: 'bb', role: 'opens' },
    { id: 'ccc', role: 'opens' },
  ]);
  expectNoSecret(stdout);
});

it('does not retire a key without a database', async () => {
  expect(await runKeys(['retire', 'bb'], ring)).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: `Pass --database <file>, --local or --remote. The command checks in that database whether anything needs the key.\n${hint}`,
  });
});

describe('resource', () => {
  const issuer = 'https://words.example';
  const resource = 'https://api.example/v1';

  it.each([
    ['--issuer', ['--issuer', issuer], {}],
    ['ORIGIN', [], { ORIGIN: issuer }],
    ['--issuer rather than ORIGIN', [`--issuer=${issuer}`], { ORIGIN: 'https://other.example' }],
  ])('derives the keys for the issuer in %s', async (_, args, variables) => {
    const options = { variables: { SEALING_KEYS: ring, ...variables } };
    expect(await runCommand(folder, ['keys', 'resource', resource, ...args], options)).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: `${await deriveResourceKeys({ sealingKeys: ring, issuer, resource })}\n`,
    });
  });

  it.each([
    ['no issuer', [resource], 2, 'Pass the resource and the issuer, for example: npx assistant-auth keys'],
    ['no resource', ['--issuer', issuer], 2, 'Pass the resource and the issuer, for example: npx'],
    ['an invalid issuer', [resource, '--issuer', 'words'], 1, 'issuer must be'],
    ['an invalid resource', ['api', '--issuer', issuer], 1, 'resource must be'],
  ])('prints what is wrong and no key, with %s', async (_, args, exitCode, message) => {
    const { code, stdout, stderr } = await runKeys(['resource', ...args], ring);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
    expectNoSecret(stderr);
  });
});

describe('with a SQLite file', () => {
  const now = Math.floor(Date.now() / 1000);
  const hour = 3600;
  let database: DatabaseSync;
  let storage: BrokerStorage;

  beforeEach(async () => {
    database = new DatabaseSync(join(folder, 'auth.db'));
    await migrate(database);
    storage = sqliteStorage(database);
  });

  afterEach(() => database.close());

  it('promotes a key only after it has been in the deployed ring for an hour', async () => {
    const promote = ['promote', 'bb', '--database', 'auth.db'];
    await cleanUp(storage, ring, now - hour + 600);
    const { code, stdout, stderr } = await runKeys(promote, ring);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The key bb can be promoted after \S+ \S+ UTC\. /);
    database.exec(`UPDATE ring_keys SET in_ring_since = ${now - hour - 60}`);
    expect(await runKeys(promote, ring)).toEqual({
      ...{ code: 0, stdout: `${second} ${first} ${third}\n`, stderr: '' },
    });
  });

  it('retires a key only after another one has sealed for a day', async () => {
    const retire = ['retire', 'bb', '--database', join(folder, 'auth.db')];
    await cleanUp(storage, `${second} ${first}`, now - 72 * hour);
    const refused = await runKeys(retire, ring);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^No cleanup run has found another key at the front of the ring after/);
    await cleanUp(storage, ring, now - 48 * hour);
    expect(await runKeys(retire, ring)).toEqual({ code: 0, stdout: `${first} ${third}\n`, stderr: '' });
    const { stdout } = await runKeys(['list', '--database', 'auth.db'], ring);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/)[1])).toEqual([
      ...['role', 'seals and opens', 'opens', 'opens', undefined],
    ]);
    expectNoSecret(stdout);
  });

  it.each([
    ['one key', first, ['in use']],
    ['two keys', `${first} ${second}`, ['in use', '1']],
    ['three keys', ring, ['in use', '1', '0']],
  ])('shows that the key that seals is in use, and what needs the others: %s', async (_, listed, needed) => {
    await cleanUp(storage, `${second} ${first}`, now - 2 * hour);
    await recordUser(storage, 'ada', now - 2 * hour);
    await cleanUp(storage, ring, now - hour);
    const { code, stdout, stderr } = await runKeys(['list', '--database', 'auth.db'], listed);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [header, ...rows] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(header?.slice(0, 5)).toEqual(['key', 'role', 'stored tokens', 'sealed until', 'active grants']);
    expect(rows.map((row) => row[4])).toEqual(needed);
    expect(rows[0]).toEqual(['a', 'seals and opens', '0', '-', 'in use', '-', '-']);
  });

  it('shows as JSON what needs each key, and from when it can be promoted or retired', async () => {
    const start = Math.floor(now / hour) * hour - 10 * hour;
    await cleanUp(storage, `${second} ${first}`, start);
    await recordUser(storage, 'ada', start);
    await cleanUp(storage, ring, start + hour);
    const { code, stdout, stderr } = await runKeys(['list', '--json', '--database', 'auth.db'], ring);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const format = (at: number) => new Date(at * 1000).toISOString().replace('.000Z', 'Z');
    expect(JSON.parse(stdout)).toEqual([
      { id: 'a', role: 'seals', sealedUpstreamTokens: 0 },
      {
        ...{
          id: 'bb',
          role: 'opens',
          sealedUpstreamTokens: 0,
          activeGrants: 1,
          isSealingPeriodUnknown: false,
        },
        ...{ sealedUntil: format(start + 2 * hour), promotableFrom: format(start + hour) },
        lastGrantExpiresAt: format(start + 365 * 24 * hour),
        retirableFrom: format(start + 365 * 24 * hour),
      },
      {
        ...{
          id: 'ccc',
          role: 'opens',
          sealedUpstreamTokens: 0,
          activeGrants: 0,
          isSealingPeriodUnknown: true,
        },
        promotableFrom: format(start + 2 * hour),
      },
    ]);
    expectNoSecret(stdout);
  });

  it('refuses a file that does not exist, and does not create it', async () => {
    const { code, stdout, stderr } = await runKeys(['list', '--database', 'other.db'], ring);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^The database \S+other\.db does not exist\. /);
    expect(stderr.endsWith(hint)).toBe(true);
    expect(readdirSync(folder)).not.toContain('other.db');
  });

  it('refuses a file that is not a database', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'These are notes, not a database. '.repeat(40));
    const { code, stdout, stderr } = await runKeys(['list', '--database', 'notes.txt'], ring);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^\S+notes\.txt can't be opened as a SQLite database: file is not a database\. /);
  });
});
