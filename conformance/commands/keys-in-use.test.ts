/**
 * Tests `npm run keys` with the database of a local system that is not running: what needs a key, and how a
 * key is promoted, retired and burned.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from 'assistant-auth';
import { createSealer, parseKeyRing } from 'assistant-auth/seal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wranglerConfig } from '../../scripts/app/paths.ts';
import { runWrangler } from '../../scripts/app/wrangler.ts';
import { openDatabase } from '../../scripts/database/databases.ts';
import { findDatabaseLocation } from '../../scripts/database/location.ts';
import { ensureSettings, settingsFile } from '../../scripts/local-system/settings.ts';
import { runCommand } from './command.ts';

const day = 86_400;
const now = Math.floor(Date.now() / 1000);

let dataFolder: string;
let old: string;
let fresh: string;
let ring: string;

const keys = (given: string, ...args: readonly string[]) =>
  runCommand('keys', { SEALING_KEYS: given, LOCAL_DATA_FOLDER: dataFolder }, { args });

/** Opens the local database as the commands do. */
const database = () => {
  const place = findDatabaseLocation({ local: true }, { LOCAL_DATA_FOLDER: dataFolder });
  if (place === undefined) throw new Error('there is no place');
  return openDatabase(place);
};

const cleanup = (at: number, sealingKey: string): Promise<void> => {
  const given: Cleanup = {
    now: at,
    deleteAuditBefore: at - 90 * day,
    sealingKey,
    ringKeys: ring.split(' ').map(idOf),
  };
  return database().storage.cleanUp(given);
};

/** Records a user who signed in twelve days ago, with an upstream token that the old key sealed. */
const signIn = async (): Promise<string> => {
  const sealer = createSealer(parseKeyRing(old), { name: 'notes', issuer: 'https://words.example' });
  const sealedRefreshToken = await sealer.seal(new TextEncoder().encode('theirs'));
  const { storage } = database();
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
    ...{ grantId: 'grant-1', clientId: 'chatgpt', now: now - 12 * day, codeExpiresAt: now, replayGrace: 10 },
    accessExpiresAt: now - 11 * day,
    refreshIdleExpiresAt: now + 48 * day,
    refreshAbsoluteExpiresAt: now + 353 * day,
  });
  return sealedRefreshToken;
};

const idOf = (key: string): string => key.split('.')[0] ?? '';

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const stateFolder = join(dataFolder, 'state');
  await mkdir(stateFolder);
  const target = ['DB', '--local', '--persist-to', stateFolder, '--config', wranglerConfig];
  await runWrangler(['d1', 'migrations', 'apply', ...target], dataFolder);
  old = (await ensureSettings(dataFolder)).sealingKeys;
  const added = (await keys(old, 'add')).stdout.trim();
  fresh = added.split(' ')[1] ?? '';
  ring = (await keys(added, 'promote', idOf(fresh))).stdout.trim();
});

afterAll(() => rm(dataFolder, { recursive: true }));

it('retires a key when nothing needs it any longer, and not before', async () => {
  await cleanup(now - 20 * day, idOf(old));
  const previous = await signIn();
  const rejection = async () => {
    const { code, stdout, stderr } = await keys(ring, 'retire', idOf(old), '--local');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr.trim();
  };
  expect(await rejection()).toBe(
    'No cleanup run has found another key at the front of the ring after the key local yet.',
  );

  await cleanup(now - 10 * day, idOf(fresh));
  expect(await rejection()).toBe(
    '1 stored upstream token is sealed with the key local. Every cleanup run reseals up to a hundred.',
  );

  const sealedRefreshToken = await createSealer(parseKeyRing(fresh), { name: 'x', issuer: 'y' }).seal(
    new Uint8Array(6),
  );
  await database().storage.replaceUpstreamTokens({
    tokens: [{ provider: 'google', subject: "o'hara; --", previous, sealedRefreshToken }],
    ...{ now, recheckLeaseDuration: 60 },
  });
  const until = `${new Date((now + 353 * day) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  expect(await rejection()).toBe(
    `1 active grant may have tokens that the key local sealed, the last one until ${until}.`,
  );
  const { stdout: listed } = await keys(ring, 'list', '--local');
  expect(listed.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    [
      ...['key', 'role', 'stored tokens', 'sealed until', 'active grants'],
      ...['may be promoted from', 'may be retired from'],
    ],
    [idOf(fresh), 'seals and opens', '1', '-', '0', '-', '-'],
    ['local', 'opens', '0', ...[expect.stringMatching(/ UTC$/), '1', expect.stringMatching(/ UTC$/)], until],
    [''],
  ]);
  expect(listed).not.toContain(old.split('.')[1]);

  await database().storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', now);
  expect(await keys(ring, 'retire', idOf(old), '--local')).toEqual({
    ...{ code: 0, stdout: `${fresh}\n`, stderr: '' },
  });
  expect((await keys(ring, 'retire', idOf(fresh), '--local')).stderr).toBe(
    `The key ${idOf(fresh)} is the first in the ring and seals: promote another key first.\n`,
  );
});

describe('a key that was added', () => {
  let added: string;
  let last: string;
  const opening = (at: number, given: string): Promise<void> =>
    database().storage.cleanUp({
      ...{ now: at, deleteAuditBefore: at - 90 * day, sealingKey: idOf(fresh) },
      ringKeys: given.split(' ').map(idOf),
    });
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
    await opening(now + day, added);
    const from = minuteOf(now + day + 3600);
    expect(await rejection('promote', idOf(last))).toBe(
      `The key ${idOf(last)} can be promoted from ${from}. Until then, isolates without this key may still run.`,
    );
    const { stdout: listed } = await keys(added, 'list', '--local');
    expect(listed.split('\n').map((line) => line.split(/ {2,}/).at(-2))).toEqual(
      expect.arrayContaining(['may be promoted from', from]),
    );
    expect(await rejection('promote', idOf(fresh))).toBe(
      `The key ${idOf(fresh)} is the first in the ring: it already seals.`,
    );
  });

  it('T16.3 promote: is refused again after a rollback, and is moved to the front an hour after the next cleanup run', async () => {
    await opening(now - 2 * 3600, ring);
    expect(await rejection('promote', idOf(last))).toContain('has not recorded the key');
    await opening(now - 3660, added);
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

it('takes the local ring where none is given', async () => {
  const { stdout } = await runCommand(
    'keys',
    { LOCAL_DATA_FOLDER: dataFolder },
    { args: ['add', '--local'] },
  );
  expect(stdout.trim().split(' ').slice(0, -1)).toEqual([old]);
  expect(await readFile(settingsFile(dataFolder), 'utf8')).toContain(old);
});

describe('without a database', () => {
  it('lists the keys by their IDs, with their roles', async () => {
    const { stdout } = await keys(ring, 'list');
    expect(stdout).toMatch(/^key +role\n\S+ +seals and opens\nlocal +opens\n$/);
    for (const key of [old, fresh]) expect(stdout).not.toContain(key.split('.')[1]);
  });

  it('T16.5 rollback: burns a key at once, and says what that ends and that a rollback brings the key back', async () => {
    const { code, stdout, stderr } = await keys(ring, 'burn', 'local');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${fresh}\n` });
    expect(stderr).toContain('every token, session and code that the key local sealed stops working');
    expect(stderr).toContain('A rollback brings the key back');
  });

  it.each([
    ['of several', () => ring],
    ['alone', () => fresh],
  ])('burns the first key %s, with a new one in front that has another ID', async (_, given) => {
    const { stdout, stderr } = await keys(given(), 'burn', idOf(fresh));
    const [first = '', ...others] = stdout.trim().split(' ');
    expect(others).toEqual(given().split(' ').slice(1));
    expect(parseKeyRing(stdout).sealingKey.id).not.toBe(idOf(fresh));
    expect(first).not.toBe(fresh);
    expect(stderr).toContain('Isolates that the deployment has not reached yet refuse what this key seals');
  });

  it('reads the ring from standard input', async () => {
    const { stdout } = await runCommand('keys', {}, { args: ['burn', 'local', '-'], input: `${ring}\n` });
    expect(stdout).toBe(`${fresh}\n`);
  });

  it.each([
    [['retire'], 'Write npm run keys, or npm run keys -- with one of'],
    [
      ['retire', 'local'],
      'Pass --local or --remote, so that the command can read from the database what may need the key.',
    ],
    [['retire', 'other', '--local'], 'The ring has no key with this ID. Its keys are '],
    [['burn', 'other'], 'The ring has no key with this ID. Its keys are '],
    [['promote', 'other'], 'The ring has no key with this ID. Its keys are '],
    [['promote', 'other', '--local'], 'The ring has no key with this ID. Its keys are '],
    [['promote', ''], 'The ring has no key with this ID. Its keys are '],
    [['promote'], 'Write npm run keys, or npm run keys -- with one of'],
    [['promote', 'local', 'local'], 'Write npm run keys, or npm run keys -- with one of'],
    [['add', 'local'], 'Write npm run keys, or npm run keys -- with one of'],
    [['list', 'local'], 'Write npm run keys, or npm run keys -- with one of'],
    [['burn'], 'Write npm run keys, or npm run keys -- with one of'],
    [['rotate'], 'Write npm run keys, or npm run keys -- with one of'],
    [['list', '--local', '--remote'], 'Write --local or --remote, not both.'],
    [['list', '--everywhere'], "Unknown option '--everywhere'"],
  ])('says what is wrong, and prints no ring: %j', async (args, sentence) => {
    const { code, stdout, stderr } = await keys(ring, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(sentence)).toBe(true);
    for (const key of [old, fresh]) expect(stderr).not.toContain(key.split('.')[1]);
  });

  it('repeats no damaged ring', async () => {
    const { code, stdout, stderr } = await keys('damaged.secret', 'list');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).not.toContain('damaged');
  });
});
