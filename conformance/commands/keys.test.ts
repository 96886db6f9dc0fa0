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
import { wranglerConfig } from '../../scripts/app/paths.ts';
import { runWrangler } from '../../scripts/app/wrangler.ts';
import { openDatabase } from '../../scripts/database/database.ts';
import { ensureSettings, settingsFile } from '../../scripts/local-system/settings.ts';
import { runCommand } from './command.ts';

const fresh = async (): Promise<string> => (await runCommand('keys', {})).stdout.trim();

const idOf = (key: string): string => key.split('.')[0] ?? '';

it.each([
  ['add, and no ring anywhere', ['add'], ''],
  ['add, and an empty file on standard input', ['add', '-'], '\n'],
  ['no command, and an empty file on standard input', ['-'], ' '],
])('prints no new ring if there is none to add a key to: %s', async (_, args, input) => {
  const { code, stdout, stderr } = await runCommand('keys', { VARIABLES_FILE: '/nowhere' }, { args, input });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('No key ring was found.');
});

it('prints a new ring with one key each time', async () => {
  const [one, other] = await Promise.all([runCommand('keys', {}), runCommand('keys', {})]);
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(parseKeyRing(one.stdout).keys.size).toBe(1);
  expect(one.stdout).not.toBe(other.stdout);
});

it.each([
  ['SEALING_KEYS', (ring: string) => runCommand('keys', { SEALING_KEYS: ring })],
  ['SEALING_KEYS, with add', (ring: string) => runCommand('keys', { SEALING_KEYS: ring }, { args: ['add'] })],
  ['standard input', (ring: string) => runCommand('keys', {}, { args: ['-'], input: `${ring}\n` })],
  ['standard input, with add', (ring: string) => runCommand('keys', {}, { args: ['add', '-'], input: ring })],
])('appends a new key that does not seal yet, and prints the next step: %s', async (_, add) => {
  const old = await fresh();
  const { code, stdout, stderr } = await add(old);
  const [first, last = '', ...more] = stdout.trim().split(' ');
  expect({ code, first, more }).toEqual({ code: 0, first: old, more: [] });
  expect(parseKeyRing(stdout).sealingKey.id).toBe(idOf(old));
  expect(idOf(last)).not.toBe(idOf(old));
  expect(stderr).toContain(`promote ${idOf(last)}`);
  for (const key of [old, last]) expect(stderr).not.toContain(key.split('.')[1]);
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
    const ring = (await runCommand('keys', { SEALING_KEYS: await fresh() })).stdout.trim();
    const [first = '', last = ''] = ring.split(' ');
    const three = (await runCommand('keys', { SEALING_KEYS: ring })).stdout.trim();
    const promoted = await runCommand('keys', { SEALING_KEYS: three }, { args: ['promote', idOf(last)] });
    expect(promoted.code).toBe(0);
    expect(promoted.stdout).toBe(`${last} ${first} ${three.split(' ')[2]}\n`);
    expect(promoted.stderr).toContain('this command did not check whether the deployed app has the key');
    for (const key of three.split(' ')) expect(promoted.stderr).not.toContain(key.split('.')[1]);
  });
});

it('names every place where it looked for a ring', async () => {
  const { code, stdout, stderr } = await runCommand(
    'keys',
    { VARIABLES_FILE: '/nowhere' },
    { args: ['list'] },
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const place of ['SEALING_KEYS', 'standard input', '/nowhere']) expect(stderr).toContain(place);
});

describe('npm run keys -- audience', () => {
  const issuer = 'https://words.example';
  const resource = 'https://api.example/v1';

  it.each([
    ['SEALING_KEYS', (ring: string) => ({ SEALING_KEYS: ring }), [], () => ''],
    ['standard input', () => ({}), ['-'], (ring: string) => `${ring}\n`],
  ])('derives the keys of the resource from the ring in %s', async (_, variables, last, input) => {
    const ring = await fresh();
    const { code, stdout } = await runCommand(
      'keys',
      { ...variables(ring), ORIGIN: issuer },
      { args: ['audience', resource, ...last], input: input(ring) },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${await deriveResourceKeys({ sealingKeys: ring, issuer, resource })}\n`);
  });

  const usage = 'Set ORIGIN and pass the resource, for example: ORIGIN=https://words.example npm run keys';
  it.each([
    ['no issuer', { ORIGIN: '' }, [resource], usage],
    ['no resource', {}, [], usage],
    ['no ring', { SEALING_KEYS: '' }, [resource], 'sealingKeys must contain at least one key.'],
    ['an invalid resource', {}, ['api'], 'resource must be'],
  ])('prints what is wrong and no key, with %s', async (_, changes, args, sentence) => {
    const variables = { SEALING_KEYS: await fresh(), ORIGIN: issuer, ...changes };
    const { code, stdout, stderr } = await runCommand('keys', variables, { args: ['audience', ...args] });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});

describe('the rotation of a ring in use', () => {
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);

  let dataFolder: string;
  let old: string;
  let current: string;
  let storage: BrokerStorage;
  let close: () => Promise<void>;
  let ring: string;

  const keys = (given: string, ...args: readonly string[]) =>
    runCommand('keys', { SEALING_KEYS: given, LOCAL_DATA_FOLDER: dataFolder }, { args });

  /** Simulates a cleanup run of a deployment with this ring. */
  const cleanUp = (at: number, sealingKey: string, deployed: string): Promise<void> =>
    storage.cleanUp({
      ...{ now: at, deleteAuditBefore: at - 90 * day, sealingKey: idOf(sealingKey) },
      ringKeys: deployed.split(' ').map(idOf),
    });

  /** Records a user who signed in twelve days ago, with an upstream token that the old key sealed. */
  const signIn = async (): Promise<string> => {
    const sealer = createSealer(parseKeyRing(old), { name: 'notes', issuer: 'https://words.example' });
    const sealedRefreshToken = await sealer.seal(new TextEncoder().encode('theirs'));
    await storage.recordSignIn({
      now: now - 12 * day,
      limits: { signIns: 20, period: 600, activeGrants: 200 },
      identity: { provider: 'google', subject: "o'hara; --", sealedRefreshToken },
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
    ({ storage, close } = await openDatabase({ config: wranglerConfig, local: { dataFolder, stateFolder } }));
    old = (await ensureSettings(dataFolder)).sealingKeys;
    const added = (await keys(old, 'add')).stdout.trim();
    current = added.split(' ')[1] ?? '';
    ring = (await keys(added, 'promote', idOf(current))).stdout.trim();
  });

  afterAll(async () => {
    await close();
    await rm(dataFolder, { recursive: true });
  });

  it('retires a key only when nothing needs it anymore', async () => {
    await cleanUp(now - 20 * day, old, ring);
    const previous = await signIn();
    const rejection = async () => {
      const { code, stdout, stderr } = await keys(ring, 'retire', idOf(old), '--local');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      return stderr.trim();
    };
    expect(await rejection()).toBe(
      'No cleanup run has found another key at the front of the ring after the key local yet.',
    );

    await cleanUp(now - 10 * day, current, ring);
    expect(await rejection()).toBe(
      '1 stored upstream token is sealed with the key local. Every cleanup run reseals up to a hundred.',
    );

    const sealedRefreshToken = await createSealer(parseKeyRing(current), { name: 'x', issuer: 'y' }).seal(
      new Uint8Array(6),
    );
    await storage.replaceUpstreamTokens({
      tokens: [{ provider: 'google', subject: "o'hara; --", previous, sealedRefreshToken }],
      ...{ now, recheckLeaseDuration: 60 },
    });
    const until = `${new Date((now + 353 * day) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    expect(await rejection()).toBe(
      `1 active grant may have tokens that the key local sealed, the last one until ${until}.`,
    );
    const utc = / UTC$/;
    const { stdout: listed } = await keys(ring, 'list', '--local');
    expect(listed.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      [
        ...['key', 'role', 'stored tokens', 'sealed until', 'active grants'],
        ...['can be promoted after', 'can be retired after'],
      ],
      [idOf(current), 'seals and opens', '1', '-', '0', '-', '-'],
      ['local', 'opens', '0', expect.stringMatching(utc), '1', expect.stringMatching(utc), until],
      [''],
    ]);
    expect(listed).not.toContain(old.split('.')[1]);

    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', now);
    expect(await keys(ring, 'retire', idOf(old), '--local')).toEqual({
      ...{ code: 0, stdout: `${current}\n`, stderr: '' },
    });
    expect((await keys(ring, 'retire', idOf(current), '--local')).stderr).toBe(
      `The key ${idOf(current)} is the first in the ring and seals: promote another key first.\n`,
    );
  });

  describe('a key that was added', () => {
    let added: string;
    let last: string;
    const rejection = async (command: 'promote' | 'retire', id: string) => {
      const { code, stdout, stderr } = await keys(added, command, id, '--local');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      for (const key of added.split(' ')) expect(stderr).not.toContain(key.split('.')[1]);
      return stderr.trim();
    };
    const minuteOf = (at: number): string =>
      `${new Date(Math.ceil(at / 60) * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

    beforeAll(async () => {
      added = (await keys(ring, 'add')).stdout.trim();
      last = added.split(' ').at(-1) ?? '';
    });

    it('T16.3 promote: is not promoted before it has been in the deployed ring for an hour', async () => {
      expect(await rejection('promote', idOf(last))).toBe(
        `The deployment has not recorded the key ${idOf(last)} yet. Deploy the ring with this key at the end. The next cleanup run records the key.`,
      );
      await cleanUp(now + day, current, added);
      const from = minuteOf(now + day + 3600);
      expect(await rejection('promote', idOf(last))).toBe(
        `The key ${idOf(last)} can be promoted after ${from}. Until then, isolates without this key may still be running.`,
      );
      const { stdout: listed } = await keys(added, 'list', '--local');
      expect(listed.split('\n').map((line) => line.split(/ {2,}/).at(-2))).toEqual(
        expect.arrayContaining(['can be promoted after', from]),
      );
      expect(await rejection('promote', idOf(current))).toBe(
        `The key ${idOf(current)} is the first in the ring: it already seals.`,
      );
    });

    it('T16.3 promote: is refused again after a rollback, and is moved to the front an hour after the next cleanup run', async () => {
      await cleanUp(now - 2 * 3600, current, ring);
      expect(await rejection('promote', idOf(last))).toContain('has not recorded the key');
      await cleanUp(now - 3660, current, added);
      expect(await keys(added, 'promote', idOf(last), '--local')).toEqual({
        ...{ code: 0, stdout: `${last} ${ring}\n`, stderr: '' },
      });
    });

    it('T16.4 unseen: is not retired if it may have sealed between two cleanup runs, and the message explains when to burn it', async () => {
      expect(await rejection('retire', idOf(last))).toBe(
        `No cleanup run has found the key ${idOf(last)} at the front of the ring. It may still have sealed tokens, if it was promoted and rolled back between two cleanup runs. If it was never deployed as the first key, "burn ${idOf(last)}" removes it and nothing stops working. Otherwise, promote it for more than an hour, then promote another key: after that it can be retired.`,
      );
      expect((await keys(added, 'burn', idOf(last))).stdout).toBe(`${ring}\n`);
    });
  });

  it('uses the local ring with --local if no ring is passed', async () => {
    const { stdout } = await runCommand(
      'keys',
      { LOCAL_DATA_FOLDER: dataFolder },
      { args: ['add', '--local'] },
    );
    expect(stdout.trim().split(' ').slice(0, -1)).toEqual([old]);
    expect(await readFile(settingsFile(dataFolder), 'utf8')).toContain(old);
  });

  describe('without a database', () => {
    it('lists the keys by ID, with their roles', async () => {
      const { stdout } = await keys(ring, 'list');
      expect(stdout).toMatch(/^key +role\n\S+ +seals and opens\nlocal +opens\n$/);
      for (const key of [old, current]) expect(stdout).not.toContain(key.split('.')[1]);
    });

    it('T16.5 rollback: burns a key at once, and warns what stops working and that a rollback brings the key back', async () => {
      const { code, stdout, stderr } = await keys(ring, 'burn', 'local');
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${current}\n` });
      expect(stderr).toContain('every token, session and code that the key local sealed stops working');
      expect(stderr).toContain('A rollback brings the key back');
    });

    it.each([
      ['of several', () => ring],
      ['alone', () => current],
    ])('replaces the first key, %s, with a new key that has another ID', async (_, given) => {
      const { stdout, stderr } = await keys(given(), 'burn', idOf(current));
      const [first = '', ...others] = stdout.trim().split(' ');
      expect(others).toEqual(given().split(' ').slice(1));
      expect(parseKeyRing(stdout).sealingKey.id).not.toBe(idOf(current));
      expect(first).not.toBe(current);
      expect(stderr).toContain('Isolates that the deployment has not reached yet refuse what this key seals');
    });

    it('reads the ring from standard input', async () => {
      const { stdout } = await runCommand('keys', {}, { args: ['burn', 'local', '-'], input: `${ring}\n` });
      expect(stdout).toBe(`${current}\n`);
    });

    it.each([
      [['retire'], 'Usage: npm run keys [-- <command>]'],
      [
        ['retire', 'local'],
        'Pass --local or --remote. The command checks there whether something still needs the key.',
      ],
      [['retire', 'other', '--local'], 'The ring has no key with this ID. Its keys are '],
      [['burn', 'other'], 'The ring has no key with this ID. Its keys are '],
      [['promote', 'other'], 'The ring has no key with this ID. Its keys are '],
      [['promote', 'other', '--local'], 'The ring has no key with this ID. Its keys are '],
      [['promote', ''], 'The ring has no key with this ID. Its keys are '],
      [['promote'], 'Usage: npm run keys [-- <command>]'],
      [['promote', 'local', 'local'], 'Usage: npm run keys [-- <command>]'],
      [['add', 'local'], 'Usage: npm run keys [-- <command>]'],
      [['list', 'local'], 'Usage: npm run keys [-- <command>]'],
      [['burn'], 'Usage: npm run keys [-- <command>]'],
      [['rotate'], 'Usage: npm run keys [-- <command>]'],
      [['list', '--local', '--remote'], 'Pass --local or --remote, not both.'],
      [['list', '--everywhere'], "Unknown option '--everywhere'"],
    ])('prints what is wrong and no ring: %j', async (args, sentence) => {
      const { code, stdout, stderr } = await keys(ring, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.startsWith(sentence)).toBe(true);
      for (const key of [old, current]) expect(stderr).not.toContain(key.split('.')[1]);
    });

    it('does not print a damaged ring', async () => {
      const { code, stdout, stderr } = await keys('damaged.secret', 'list');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).not.toContain('damaged');
    });
  });
});
