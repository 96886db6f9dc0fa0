/** `npm run keys` with the database of a local system that does not run: what needs a key, how it is retired, and how burned. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sweep } from '@words-with-chat/broker';
import { createSealer, parseKeyRing } from '@words-with-chat/broker/seal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wranglerConfig } from '../../scripts/app/places.ts';
import { databaseAt } from '../../scripts/database/databases.ts';
import { findPlace } from '../../scripts/database/place.ts';
import { ensureSettings, settingsFile } from '../../scripts/local-system/settings.ts';
import { runWrangler } from '../../scripts/local-system/wrangler.ts';
import { runCommand } from './command.ts';

const day = 86_400;
const now = Math.floor(Date.now() / 1000);

let dataFolder: string;
let old: string;
let fresh: string;
let ring: string;

const keys = (given: string, ...args: readonly string[]) =>
  runCommand('keys', { SEALING_KEYS: given, LOCAL_DATA_FOLDER: dataFolder }, { args });

/** The local database, asked as the commands ask it. */
const database = () => {
  const place = findPlace({ local: true }, { LOCAL_DATA_FOLDER: dataFolder });
  if (place === undefined) throw new Error('there is no place');
  return databaseAt(place);
};

const sweep = (at: number, sealingKey: string): Promise<void> => {
  const given: Sweep = { now: at, auditBefore: at - 90 * day, sealingKey };
  return database().ledger.sweep(given);
};

/** Somebody who signed in twelve days ago, with a provider's token that the old key sealed. */
const signIn = async (): Promise<string> => {
  const sealer = createSealer(parseKeyRing(old), { name: 'notes', issuer: 'https://words.example' });
  const sealedRefreshToken = await sealer.seal(new TextEncoder().encode('theirs'));
  const { ledger } = database();
  await ledger.recordSignIn({
    now: now - 12 * day,
    identity: { provider: 'google', subject: "o'hara; --", sealedRefreshToken },
    user: { kind: 'ours', newId: 'user-1' },
    grant: {
      ...{ id: 'grant-1', clientId: 'chatgpt', redirectUri: 'https://chat.example/', scopes: ['score'] },
      ...{ resource: 'https://words.example', refreshPolicy: 'stable', claims: {} },
    },
  });
  await ledger.redeemCode({
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
  const migration = runWrangler(['d1', 'migrations', 'apply', ...target], { dataFolder, log: () => {} });
  expect(await migration.ended).toBe(0);
  old = (await ensureSettings(dataFolder)).sealingKeys;
  ring = (await keys(old, 'add')).stdout.trim();
  fresh = ring.split(' ')[0] ?? '';
});

afterAll(() => rm(dataFolder, { recursive: true }));

it('retires a key when nothing needs it any longer, and not before', async () => {
  await sweep(now - 20 * day, idOf(old));
  const was = await signIn();
  const refusal = async () => {
    const { code, stdout, stderr } = await keys(ring, 'retire', idOf(old), '--local');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr.trim();
  };
  expect(await refusal()).toBe(
    'The deployment has not swept with a key after local yet; it does so every hour.',
  );

  await sweep(now - 10 * day, idOf(fresh));
  expect(await refusal()).toBe(
    '1 stored token of providers is sealed with the key local; every sweep seals a hundred anew.',
  );

  const sealedRefreshToken = await createSealer(parseKeyRing(fresh), { name: 'x', issuer: 'y' }).seal(
    new Uint8Array(6),
  );
  await database().ledger.replaceTokens({
    tokens: [{ provider: 'google', subject: "o'hara; --", was, sealedRefreshToken }],
    ...{ now, checkLease: 60 },
  });
  const until = `${new Date((now + 353 * day) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  expect(await refusal()).toBe(`1 living grant may hold what the key local sealed, the last until ${until}.`);
  const { stdout: listed } = await keys(ring, 'list', '--local');
  expect(listed.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['key', 'it', 'stored tokens', 'sealed until', 'living grants', 'may retire from'],
    [idOf(fresh), 'seals and opens', '1', '-', '0', '-'],
    ['local', 'opens', '0', expect.stringMatching(/ UTC$/), '1', until],
    [''],
  ]);
  expect(listed).not.toContain(old.split('.')[1]);

  await database().ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', now);
  expect(await keys(ring, 'retire', idOf(old), '--local')).toEqual({
    ...{ code: 0, stdout: `${fresh}\n`, stderr: '' },
  });
  expect((await keys(ring, 'retire', idOf(fresh), '--local')).stderr).toBe(
    `The key ${idOf(fresh)} is the newest and seals: put another in front of it first.\n`,
  );
});

it('takes the local ring where none is given', async () => {
  const { stdout } = await runCommand(
    'keys',
    { LOCAL_DATA_FOLDER: dataFolder },
    { args: ['add', '--local'] },
  );
  expect(stdout.trim().split(' ').slice(1)).toEqual([old]);
  expect(await readFile(settingsFile(dataFolder), 'utf8')).toContain(old);
});

describe('without a database', () => {
  it('lists the keys by their ids, the newest first', async () => {
    const { stdout } = await keys(ring, 'list');
    expect(stdout).toMatch(/^key +it\n\S+ +seals and opens\nlocal +opens\n$/);
    for (const key of [old, fresh]) expect(stdout).not.toContain(key.split('.')[1]);
  });

  it('burns an older key at once, and says what that ends', async () => {
    const { code, stdout, stderr } = await keys(ring, 'burn', 'local');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${fresh}\n` });
    expect(stderr).toContain('this ends every token, session and code that the key local sealed');
  });

  it.each([
    ['of several', () => ring],
    ['alone', () => fresh],
  ])('burns the newest %s, with another in front that has another name', async (_, given) => {
    const { stdout } = await keys(given(), 'burn', idOf(fresh));
    const [first = '', ...others] = stdout.trim().split(' ');
    expect(others).toEqual(given().split(' ').slice(1));
    expect(parseKeyRing(stdout).sealingKey.id).not.toBe(idOf(fresh));
    expect(first).not.toBe(fresh);
  });

  it('reads the ring from standard input', async () => {
    const { stdout } = await runCommand('keys', {}, { args: ['burn', 'local', '-'], input: `${ring}\n` });
    expect(stdout).toBe(`${fresh}\n`);
  });

  it.each([
    [['retire'], 'Write npm run keys, or npm run keys -- with one of'],
    [
      ['retire', 'local'],
      'What may need a key stands in the database of its deployment: write --local or --remote.',
    ],
    [['retire', 'other', '--local'], 'There is no key of that id in the ring, which has '],
    [['burn', 'other'], 'There is no key of that id in the ring, which has '],
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
