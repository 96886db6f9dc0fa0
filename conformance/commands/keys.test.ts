/**
 * Tests `npm run keys`: a new key ring, the steps of its rotation with and without the database of a local
 * system that is not running, and the keys of an API in another process.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrokerStorage, deriveResourceKeys } from 'assistant-auth';
import { createSealer, parseKeyRing } from 'assistant-auth/seal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../packages/assistant-auth/src/cli/database/database.ts';
import { wranglerConfig } from '../../scripts/app/paths.ts';
import { runWrangler } from '../../scripts/app/wrangler.ts';
import { describeLocalDatabase } from '../../scripts/database/database.ts';
import { ensureSettings, settingsFile } from '../../scripts/local-system/settings.ts';
import { runCommand } from './command.ts';

const generateRing = async (): Promise<string> => (await runCommand('keys', {})).stdout.trim();

const readKeyId = (key: string): string => key.split('.')[0] ?? '';

it.each([
  ['add, and no ring anywhere', ['add'], ''],
  ['add, and an empty file on standard input', ['add', '-'], '\n'],
  ['no command, and an empty file on standard input', ['-'], ' '],
])('prints no new ring if there is none to add a key to: %s', async (_, args, input) => {
  const { code, stdout, stderr } = await runCommand('keys', { VARIABLES_FILE: '/nowhere' }, { args, input });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('No key ring was found.');
});

it('prints a new ring with one key each time', async () => {
  const [firstRun, secondRun] = await Promise.all([runCommand('keys', {}), runCommand('keys', {})]);
  expect(firstRun).toMatchObject({ code: 0, stderr: '' });
  expect(parseKeyRing(firstRun.stdout).keys.size).toBe(1);
  expect(firstRun.stdout).not.toBe(secondRun.stdout);
});

it.each([
  ['SEALING_KEYS', (ring: string) => runCommand('keys', { SEALING_KEYS: ring })],
  ['SEALING_KEYS, with add', (ring: string) => runCommand('keys', { SEALING_KEYS: ring }, { args: ['add'] })],
  ['standard input', (ring: string) => runCommand('keys', {}, { args: ['-'], input: `${ring}\n` })],
  ['standard input, with add', (ring: string) => runCommand('keys', {}, { args: ['add', '-'], input: ring })],
])('appends a new key that does not seal yet, and prints the next step: %s', async (_, add) => {
  const oldRing = await generateRing();
  const { code, stdout, stderr } = await add(oldRing);
  const [first, last = '', ...rest] = stdout.trim().split(' ');
  expect({ code, first, rest }).toEqual({ code: 0, first: oldRing, rest: [] });
  expect(parseKeyRing(stdout).sealingKey.id).toBe(readKeyId(oldRing));
  expect(readKeyId(last)).not.toBe(readKeyId(oldRing));
  expect(stderr).toContain(`promote ${readKeyId(last)}`);
  for (const key of [oldRing, last]) expect(stderr).not.toContain(key.split('.')[1]);
});

it.each([
  ['no command', []],
  ['add', ['add']],
  ['promote', ['promote', 'damaged']],
])('prints neither a ring nor the damaged ring that was passed: %s', async (_, args) => {
  const { code, stdout, stderr } = await runCommand('keys', { SEALING_KEYS: 'damaged.secret' }, { args });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('must be keys written');
  expect(stderr).not.toContain('damaged');
});

describe('npm run keys -- promote', () => {
  it('moves a key to the front, and warns that it did not check the deployment', async () => {
    const ring = (await runCommand('keys', { SEALING_KEYS: await generateRing() })).stdout.trim();
    const [first = '', last = ''] = ring.split(' ');
    const ringOfThree = (await runCommand('keys', { SEALING_KEYS: ring })).stdout.trim();
    const promoted = await runCommand(
      'keys',
      { SEALING_KEYS: ringOfThree },
      { args: ['promote', readKeyId(last)] },
    );
    expect(promoted.code).toBe(0);
    expect(promoted.stdout).toBe(`${last} ${first} ${ringOfThree.split(' ')[2]}\n`);
    expect(promoted.stderr).toContain('this command did not check whether the deployed app has the key');
    for (const key of ringOfThree.split(' ')) expect(promoted.stderr).not.toContain(key.split('.')[1]);
  });
});

it('names every place where it looked for a ring', async () => {
  const { code, stdout, stderr } = await runCommand(
    'keys',
    { VARIABLES_FILE: '/nowhere' },
    { args: ['list'] },
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const source of ['SEALING_KEYS', 'standard input', '/nowhere']) expect(stderr).toContain(source);
});

describe('npm run keys -- resource', () => {
  const issuer = 'https://words.example';
  const resource = 'https://api.example/v1';

  it.each([
    ['SEALING_KEYS', (ring: string) => ({ SEALING_KEYS: ring }), [], () => ''],
    ['standard input', () => ({}), ['-'], (ring: string) => `${ring}\n`],
  ])('derives the keys of the resource from the ring in %s', async (_, variables, lastArguments, input) => {
    const ring = await generateRing();
    const { code, stdout } = await runCommand(
      'keys',
      { ...variables(ring), ORIGIN: issuer },
      { args: ['resource', resource, ...lastArguments], input: input(ring) },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${await deriveResourceKeys({ sealingKeys: ring, issuer, resource })}\n`);
  });

  const usage =
    'Pass the resource and the issuer, for example: npm run -s keys -- resource https://api.example';
  it.each([
    ['no issuer', { ORIGIN: '' }, [resource], 2, usage],
    ['no resource', {}, [], 2, usage],
    ['no ring', { SEALING_KEYS: '' }, [resource], 1, 'sealingKeys must contain at least one key.'],
    ['an invalid resource', {}, ['api'], 1, 'resource must be'],
  ])('prints what is wrong and no key, with %s', async (_, changedVariables, args, exitCode, message) => {
    const variables = { SEALING_KEYS: await generateRing(), ORIGIN: issuer, ...changedVariables };
    const { code, stdout, stderr } = await runCommand('keys', variables, { args: ['resource', ...args] });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('the rotation of a ring in use', () => {
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);

  let dataFolder: string;
  let oldKey: string;
  let currentKey: string;
  let storage: BrokerStorage;
  let close: () => Promise<void>;
  let ring: string;

  const keys = (ringInUse: string, ...args: readonly string[]) =>
    runCommand('keys', { SEALING_KEYS: ringInUse, LOCAL_DATA_FOLDER: dataFolder }, { args });

  /** Simulates a cleanup run of a deployment with this ring. */
  const cleanUp = (at: number, sealingKey: string, deployedRing: string): Promise<void> =>
    storage.cleanUp({
      ...{ now: at, deleteAuditBefore: at - 90 * day, sealingKey: readKeyId(sealingKey) },
      ringKeys: deployedRing.split(' ').map(readKeyId),
    });

  /** Records a user who signed in twelve days ago, with an upstream token that the old key sealed. */
  const signIn = async (): Promise<string> => {
    const sealer = createSealer(parseKeyRing(oldKey), { name: 'notes', issuer: 'https://words.example' });
    const sealedRefreshToken = await sealer.seal(new TextEncoder().encode('an upstream token'));
    await storage.recordSignIn({
      now: now - 12 * day,
      limits: { signIns: 20, period: 600, activeGrants: 200 },
      identity: { provider: 'google', subject: "o'hara; --", sealedRefreshToken },
      subjectNamespace: 'https://provider.example',
      user: { kind: 'by-identity', newId: 'user-1' },
      grant: {
        ...{ id: 'grant-1', clientId: 'chatgpt', redirectUri: 'https://chat.example/', scopes: ['score'] },
        ...{ resource: 'https://words.example', refreshPolicy: 'stable', claims: {} },
      },
    });
    await storage.redeemCode({
      ...{ grantId: 'grant-1', clientId: 'chatgpt', now: now - 12 * day },
      ...{ codeExpiresAt: now, replayGrace: 10 },
      accessExpiresAt: now - 11 * day,
      refreshIdleExpiresAt: now + 48 * day,
      refreshAbsoluteExpiresAt: now + 353 * day,
    });
    return sealedRefreshToken;
  };

  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
    const stateFolder = join(dataFolder, 'state');
    await mkdir(stateFolder);
    const target = ['DB', '--local', '--persist-to', stateFolder, '--config', wranglerConfig];
    await runWrangler(['d1', 'migrations', 'apply', ...target], dataFolder);
    ({ storage, close } = await openDatabase(describeLocalDatabase(dataFolder)));
    oldKey = (await ensureSettings(dataFolder)).sealingKeys;
    const added = (await keys(oldKey, 'add')).stdout.trim();
    currentKey = added.split(' ')[1] ?? '';
    ring = (await keys(added, 'promote', readKeyId(currentKey))).stdout.trim();
  });

  afterAll(async () => {
    await close();
    await rm(dataFolder, { recursive: true });
  });

  it('retires a key only when nothing needs it anymore', async () => {
    await cleanUp(now - 20 * day, oldKey, ring);
    const previous = await signIn();
    const readRejection = async () => {
      const { code, stdout, stderr } = await keys(ring, 'retire', readKeyId(oldKey), '--local');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      return stderr.trim();
    };
    expect(await readRejection()).toBe(
      'No cleanup run has found another key at the front of the ring after the key local yet.',
    );

    await cleanUp(now - 10 * day, currentKey, ring);
    expect(await readRejection()).toBe(
      '1 stored upstream token is sealed with the key local. Every cleanup run reseals up to a hundred.',
    );

    const sealedRefreshToken = await createSealer(parseKeyRing(currentKey), { name: 'x', issuer: 'y' }).seal(
      new Uint8Array(6),
    );
    await storage.replaceUpstreamTokens({
      tokens: [{ provider: 'google', subject: "o'hara; --", previous, sealedRefreshToken }],
      ...{ now, recheckLeaseDuration: 60 },
    });
    const lastExpiry = `${new Date((now + 353 * day) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    expect(await readRejection()).toBe(
      `1 active grant may have tokens that the key local sealed, the last one until ${lastExpiry}.`,
    );
    const utcPattern = / UTC$/;
    const { stdout: printedList } = await keys(ring, 'list', '--local');
    expect(printedList.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      [
        ...['key', 'role', 'stored tokens', 'sealed until', 'active grants'],
        ...['can be promoted after', 'can be retired after'],
      ],
      [readKeyId(currentKey), 'seals and opens', '1', '-', 'in use', '-', '-'],
      [
        'local',
        'opens',
        '0',
        expect.stringMatching(utcPattern),
        '1',
        expect.stringMatching(utcPattern),
        lastExpiry,
      ],
      [''],
    ]);
    expect(printedList).not.toContain(oldKey.split('.')[1]);

    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', now);
    expect(await keys(ring, 'retire', readKeyId(oldKey), '--local')).toEqual({
      ...{ code: 0, stdout: `${currentKey}\n`, stderr: '' },
    });
    expect((await keys(ring, 'retire', readKeyId(currentKey), '--local')).stderr).toBe(
      `The key ${readKeyId(currentKey)} is the first in the ring and seals: promote another key first.\n`,
    );
  });

  describe('a key that was added', () => {
    let added: string;
    let last: string;
    const readRejection = async (command: 'promote' | 'retire', id: string) => {
      const { code, stdout, stderr } = await keys(added, command, id, '--local');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      for (const key of added.split(' ')) expect(stderr).not.toContain(key.split('.')[1]);
      return stderr.trim();
    };
    const formatMinute = (at: number): string =>
      `${new Date(Math.ceil(at / 60) * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

    beforeAll(async () => {
      added = (await keys(ring, 'add')).stdout.trim();
      last = added.split(' ').at(-1) ?? '';
    });

    it('T16.3 promote: is not promoted before it has been in the deployed ring for an hour', async () => {
      expect(await readRejection('promote', readKeyId(last))).toBe(
        `The deployment has not recorded the key ${readKeyId(last)} yet. Deploy the ring with this key at the end. The next cleanup run records the key.`,
      );
      await cleanUp(now + day, currentKey, added);
      const promotableFrom = formatMinute(now + day + 3600);
      expect(await readRejection('promote', readKeyId(last))).toBe(
        `The key ${readKeyId(last)} can be promoted after ${promotableFrom}. Until then, isolates without this key may still be running.`,
      );
      const { stdout: printedList } = await keys(added, 'list', '--local');
      expect(printedList.split('\n').map((line) => line.split(/ {2,}/).at(-2))).toEqual(
        expect.arrayContaining(['can be promoted after', promotableFrom]),
      );
      expect(await readRejection('promote', readKeyId(currentKey))).toBe(
        `The key ${readKeyId(currentKey)} is the first in the ring: it already seals.`,
      );
    });

    it('T16.3 promote: is refused again after a rollback, and is moved to the front an hour after the next cleanup run', async () => {
      await cleanUp(now - 2 * 3600, currentKey, ring);
      expect(await readRejection('promote', readKeyId(last))).toContain('has not recorded the key');
      await cleanUp(now - 3660, currentKey, added);
      expect(await keys(added, 'promote', readKeyId(last), '--local')).toEqual({
        ...{ code: 0, stdout: `${last} ${ring}\n`, stderr: '' },
      });
    });

    it('T16.4 unseen: is not retired if it may have sealed between two cleanup runs, and the message explains when to burn it', async () => {
      expect(await readRejection('retire', readKeyId(last))).toBe(
        `No cleanup run has found the key ${readKeyId(last)} at the front of the ring. It may still have sealed tokens, if it was promoted and rolled back between two cleanup runs. If it was never deployed as the first key, "burn ${readKeyId(last)}" removes it and nothing stops working. Otherwise, promote it for more than an hour, then promote another key: after that it can be retired.`,
      );
      expect((await keys(added, 'burn', readKeyId(last))).stdout).toBe(`${ring}\n`);
    });
  });

  it('uses the local ring with --local if no ring is passed', async () => {
    const { stdout } = await runCommand(
      'keys',
      { LOCAL_DATA_FOLDER: dataFolder },
      { args: ['add', '--local'] },
    );
    expect(stdout.trim().split(' ').slice(0, -1)).toEqual([oldKey]);
    expect(await readFile(settingsFile(dataFolder), 'utf8')).toContain(oldKey);
  });

  describe('without a database', () => {
    it('lists the keys by ID, with their roles', async () => {
      const { stdout } = await keys(ring, 'list');
      expect(stdout).toMatch(/^key +role\n\S+ +seals and opens\nlocal +opens\n$/);
      for (const key of [oldKey, currentKey]) expect(stdout).not.toContain(key.split('.')[1]);
    });

    it('T16.5 rollback: burns a key at once, and warns what stops working and that a rollback brings the key back', async () => {
      const { code, stdout, stderr } = await keys(ring, 'burn', 'local');
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${currentKey}\n` });
      expect(stderr).toContain('every token, session and code that the key local sealed stops working');
      expect(stderr).toContain('A rollback brings the key back');
    });

    it.each([
      ['of several', () => ring],
      ['alone', () => currentKey],
    ])('replaces the first key, %s, with a new key that has another ID', async (_, getRing) => {
      const { stdout, stderr } = await keys(getRing(), 'burn', readKeyId(currentKey));
      const [first = '', ...others] = stdout.trim().split(' ');
      expect(others).toEqual(getRing().split(' ').slice(1));
      expect(parseKeyRing(stdout).sealingKey.id).not.toBe(readKeyId(currentKey));
      expect(first).not.toBe(currentKey);
      expect(stderr).toContain('Isolates that the deployment has not reached yet refuse what this key seals');
    });

    it('reads the ring from standard input', async () => {
      const { stdout } = await runCommand('keys', {}, { args: ['burn', 'local', '-'], input: `${ring}\n` });
      expect(stdout).toBe(`${currentKey}\n`);
    });

    const noSuchKey = 'The ring has no key with this ID. Its keys are ';
    it.each([
      [['retire', 'other', '--local'], noSuchKey],
      [['burn', 'other'], noSuchKey],
      [['promote', 'other'], noSuchKey],
      [['promote', 'other', '--local'], noSuchKey],
      [['promote', ''], noSuchKey],
    ])('prints what is wrong and no ring: %j', async (args, message) => {
      const { code, stdout, stderr } = await keys(ring, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.startsWith(message)).toBe(true);
      for (const key of [oldKey, currentKey]) expect(stderr).not.toContain(key.split('.')[1]);
    });

    it.each([
      [['retire'], 'The argument <id> of "retire" is missing.'],
      [
        ['retire', 'local'],
        'Pass --local or --remote. The command checks in that database whether anything needs the key.',
      ],
      [['promote'], 'The argument <id> of "promote" is missing.'],
      [['promote', 'local', 'local'], 'Unexpected argument "local".'],
      [['add', 'local'], 'Unexpected argument "local".'],
      [['list', 'local'], 'Unexpected argument "local".'],
      [['burn'], 'The argument <id> of "burn" is missing.'],
      [
        ['rotate'],
        'Unknown command "rotate". The commands are add, promote, list, retire, burn and resource.',
      ],
      [['list', '--local', '--remote'], 'Pass --local or --remote, not both.'],
      [['list', '--everywhere'], 'Unknown option "--everywhere".'],
    ])('says which argument is wrong, and prints no ring: %j', async (args, message) => {
      expect(await keys(ring, ...args)).toEqual({
        ...{ code: 2, stdout: '' },
        stderr: `${message}\nRun "npm run -s keys -- --help" for usage.\n`,
      });
    });

    it('does not print a damaged ring', async () => {
      const { code, stdout, stderr } = await keys('damaged.secret', 'list');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).not.toContain('damaged');
    });
  });
});
