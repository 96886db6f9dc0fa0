/**
 * Tests `npm run admin` on the database of a local system, which runs only for this file so that no other
 * test adds rows.
 */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  buildGptAction,
  callApi,
  fakeUsers,
  findConsecutivePorts,
  refreshTokens,
} from '@words-with-chat/lab';
import type { BrokerStorage } from 'assistant-auth';
import { d1Admin, d1Storage, type StorageAdmin } from 'assistant-auth/d1';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readArguments } from '../../packages/assistant-auth/src/cli/admin/arguments.ts';
import { revocationReason, verifyRevocation } from '../../packages/assistant-auth/src/cli/admin/commands.ts';
import { openDatabase } from '../../packages/assistant-auth/src/cli/database/database.ts';
import { findLocalD1, openLocalD1 } from '../../packages/assistant-auth/src/cli/database/local-d1.ts';
import { createDatabaseOptions, describeLocalDatabase } from '../../scripts/database/database.ts';
import { type LocalSystem, startLocalSystem } from '../../scripts/local-system/system.ts';
import { obtainTokens } from '../sign-in.ts';
import { runCommand } from './command.ts';

let dataFolder: string;
let system: LocalSystem;

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const port = await findConsecutivePorts(6);
  system = await startLocalSystem({ port, fakeProviderPort: port + 1, dataFolder, log: () => {} });
});

afterAll(async () => {
  await system.close();
  await rm(dataFolder, { recursive: true });
});

const admin = (...args: readonly string[]) =>
  runCommand('admin', { LOCAL_DATA_FOLDER: dataFolder }, { args });

/** Returns the JSON output of a command, which prints nothing else. */
const readJson = async (...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await admin(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

/** ISO 8601 in UTC, to the second. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

interface Row {
  readonly id?: unknown;
  readonly userId?: unknown;
}

const readRows = async (...args: readonly string[]): Promise<readonly Row[]> => {
  const rows = await readJson(...args);
  if (!Array.isArray(rows)) throw new Error(`not a list: ${JSON.stringify(rows)}`);
  return rows.map(Object);
};

describe('while npm start runs', () => {
  const action = () =>
    buildGptAction(system.origin, {
      clientId: system.gptClientId,
      clientSecret: system.gptClientSecret,
    });

  const [ada] = fakeUsers;

  const signInAda = () => obtainTokens(action(), ada);

  const refresh = ({ refreshToken }: Awaited<ReturnType<typeof signInAda>>) =>
    refreshTokens(action(), refreshToken ?? '', fetch);

  it('lists users, grants and the audit log, revokes a grant, and deletes a user', async () => {
    const firstTokens = await signInAda();
    const [newestEntry] = await readRows('audit', '--limit', '1');
    expect(newestEntry).toMatchObject({
      event: 'signed-in',
      actor: 'user',
      clientId: system.gptClientId,
      provider: 'google',
    });
    const userId = String(newestEntry?.userId);

    const grants = await readRows('grants', userId);
    expect(grants).toMatchObject([{ clientId: system.gptClientId, provider: 'google', state: 'active' }]);
    const users = await admin('users', '--local');
    expect(users.stdout).toMatch(/^user +created +identities +active grants +last sign-in\n/);
    expect(users.stdout).toMatch(
      new RegExp(`^${userId} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC +1 +1 `, 'm'),
    );
    expect(users.stdout).not.toContain('@example.com');

    const target = { kind: 'grant', id: String(grants[0]?.id) };
    expect(await readJson('revoke', 'grant', target.id)).toEqual({ revoked: target });
    expect(await refresh(firstTokens)).toMatchObject({ kind: 'error', status: 401 });
    expect(await admin('revoke', 'grant', target.id)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Nothing was revoked. The grant ID is unknown, or the grant was already revoked.\n',
    });
    const [revocation] = await readRows('audit', userId, '--limit', '1');
    expect(revocation).toMatchObject({
      event: 'revoked',
      actor: 'operator',
      reason: 'revoked by the operator',
      userId,
    });

    const secondTokens = await signInAda();
    expect(await admin('delete', userId)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'In a non-interactive shell, pass --yes to confirm the deletion.\n',
    });
    expect(await readJson('delete', userId, '--yes')).toEqual({ deleted: userId });
    expect(await refresh(secondTokens)).toMatchObject({ kind: 'error', status: 401 });
    const call = { method: 'GET', url: `${system.origin}/api/scoring` } as const;
    const callWithToken = async () => (await callApi(call, secondTokens.accessToken, fetch)).kind;
    await expect.poll(callWithToken, { timeout: 60_000 }).toBe('unauthorized');
    expect(await readRows('audit', userId)).toEqual([]);
    const [deletion] = await readRows('audit', '--limit', '1');
    expect(deletion).toEqual({ at: expect.stringMatching(timestamp), event: 'deleted', actor: 'operator' });
    expect(await admin('grants', userId)).toEqual({
      ...{ code: 1, stdout: '', stderr: 'No user has this ID.\n' },
    });
  });
});

describe('on a database with users', () => {
  /** Releases the write lock during the pause with this number. Default: never. */
  let releaseAt: number | undefined;
  let pausesMs: number[];
  let lockConnection: DatabaseSync;
  let close: () => Promise<void>;
  let storage: BrokerStorage;
  let storageAdmin: StorageAdmin;
  const day = 86_400;

  beforeAll(async () => {
    const folder = join(dataFolder, 'state/v3/d1/miniflare-D1DatabaseObject');
    const [file = ''] = readdirSync(folder).filter((name) => /^[\da-f]{64}\.sqlite$/.test(name));
    lockConnection = new DatabaseSync(join(folder, file));
    const local = await openLocalD1(await findLocalD1(describeLocalDatabase(dataFolder)), async (ms) => {
      if (pausesMs.push(ms) === releaseAt) lockConnection.exec('ROLLBACK');
    });
    close = local.close;
    storage = d1Storage(local.db);
    storageAdmin = d1Admin(local.db);
  });

  beforeEach(() => {
    releaseAt = undefined;
    pausesMs = [];
  });

  afterEach(() => lockConnection.isTransaction && lockConnection.exec('ROLLBACK'));

  afterAll(async () => {
    lockConnection.close();
    await close();
  });

  /** Records a user with one active grant and without an upstream token. */
  const recordUser = async (userId: string): Promise<void> => {
    const now = await storageAdmin.readClock();
    await storage.recordSignIn({
      now,
      limits: { signIns: 20, period: 600, activeGrants: 200 },
      identity: { provider: 'github', subject: userId },
      subjectNamespace: 'https://provider.example',
      user: { kind: 'by-identity', newId: userId },
      grant: {
        ...{ id: `grant of ${userId}`, clientId: 'chatgpt', redirectUri: 'https://chat.example/callback' },
        ...{ scopes: ['score'], resource: system.origin, refreshPolicy: 'stable', claims: {} },
      },
    });
    await storage.redeemCode({
      ...{ grantId: `grant of ${userId}`, clientId: 'chatgpt', now, replayGrace: 10 },
      ...{ codeExpiresAt: now + 60, accessExpiresAt: now + 3600 },
      ...{ refreshIdleExpiresAt: now + 60 * day, refreshAbsoluteExpiresAt: now + 365 * day },
    });
  };

  const revokeUser = async (id: string): Promise<void> =>
    storage.revoke({ kind: 'user', id }, revocationReason, await storageAdmin.readClock(), 'operator');

  it('lists the identities that cannot be rechecked', async () => {
    await recordUser('without a token');
    expect(await readRows('no-upstream-token')).toEqual([
      {
        provider: 'github',
        userId: 'without a token',
        since: expect.stringMatching(timestamp),
        activeGrants: 1,
      },
    ]);
    const { stdout } = await admin('no-upstream-token');
    expect(stdout).toMatch(/^provider +user +last sign-in +active grants +refreshable until\n/);
    expect(stdout).toMatch(/^github +without a token +\S+ \S+ UTC +1 +-$/m);
    expect(await readJson('delete', 'without a token', '--yes')).toEqual({ deleted: 'without a token' });
    expect(await readRows('no-upstream-token')).toEqual([]);
  });

  it.each(['-x\'; DROP TABLE users; --"?1', 'ü😀 \u2028'])(
    'treats an ID as a value, not as SQL: %j',
    async (id) => {
      await recordUser(id);
      await recordUser(`not ${id}`);
      expect(await readRows('grants', id)).toMatchObject([{ id: `grant of ${id}`, state: 'active' }]);
      expect(await readJson('revoke', 'user', id)).toEqual({ revoked: { kind: 'user', id } });
      expect(await storageAdmin.listGrants(id, 0)).toMatchObject([{ state: 'revoked' }]);
      expect(await storageAdmin.listGrants(`not ${id}`, 0)).toMatchObject([{ state: 'active' }]);
      expect(await readRows('audit', id, '--limit', '1')).toMatchObject([{ event: 'revoked', userId: id }]);
      expect(await readJson('delete', id, '--yes')).toEqual({ deleted: id });
      expect(await storageAdmin.listGrants(id, 0)).toBeUndefined();
      expect(await storageAdmin.listGrants(`not ${id}`, 0)).toMatchObject([{ state: 'active' }]);
    },
  );

  it('finds no user for an ID with an unpaired surrogate', async () => {
    const before = await storageAdmin.listAuditEntries({ limit: 100, skip: 0 });
    expect(await storageAdmin.listGrants('\ud800', 0)).toBeUndefined();
    await revokeUser('\ud800');
    expect(await storageAdmin.listAuditEntries({ limit: 100, skip: 0 })).toEqual(before);
  });

  it('waits while another process writes, and then makes the change once', async () => {
    await recordUser('waiting');
    releaseAt = 4;
    lockConnection.exec('BEGIN IMMEDIATE');
    await revokeUser('waiting');
    expect(pausesMs).toEqual([50, 100, 200, 400]);
    expect(await storageAdmin.listGrants('waiting', 0)).toMatchObject([{ state: 'revoked' }]);
    const entries = await storageAdmin.listAuditEntries({ limit: 100, skip: 0 }, 'waiting');
    expect(entries.map(({ event }) => event)).toEqual(['revoked', 'signed-in']);
  });

  it('also waits before it reads', async () => {
    releaseAt = 2;
    lockConnection.exec('BEGIN IMMEDIATE');
    expect(await storageAdmin.listGrants('nobody', 0)).toBeUndefined();
    expect(pausesMs).toEqual([50, 100]);
  });

  it('gives up after about ten seconds, and has changed nothing', async () => {
    await recordUser('locked');
    lockConnection.exec('BEGIN IMMEDIATE');
    const message =
      'Another process kept the local database locked for ten seconds. The query changed nothing. Try again later, or stop npm start.';
    const now = Math.floor(Date.now() / 1000);
    const error = storage.revoke({ kind: 'user', id: 'locked' }, revocationReason, now, 'operator');
    await expect(error).rejects.toHaveProperty('cause.message', message);
    expect(pausesMs.reduce((sum, ms) => sum + ms, 0)).toBe(10_150);
    for (const args of [
      ['revoke', 'user', 'locked'],
      ['users', '--json'],
    ])
      expect(await admin(...args)).toEqual({ code: 1, stdout: '', stderr: `${message}\n` });
    lockConnection.exec('ROLLBACK');
    expect(await storageAdmin.listGrants('locked', 0)).toMatchObject([{ state: 'active' }]);
  });

  it('prints the error message of the database', async () => {
    await recordUser('unlucky');
    lockConnection.exec(
      "CREATE TRIGGER fail BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    const { code, stdout, stderr } = await admin('revoke', 'user', 'unlucky');
    lockConnection.exec('DROP TRIGGER fail');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^The local database failed: D1_ERROR: disk full: .*\. The query changed nothing\.\n$/,
    );
    expect(await storageAdmin.listGrants('unlucky', 0)).toMatchObject([{ state: 'active' }]);
  });
});

it('does not pass the key ring to other processes', async () => {
  Object.assign(process.env, { SEALING_KEYS: 'a.secret' });
  const { close } = await openDatabase(describeLocalDatabase(dataFolder));
  await close();
  expect(process.env).not.toHaveProperty('SEALING_KEYS');
});

describe('wrong usage', () => {
  it.each([
    [[], 'A command is missing. The commands are users, find, '],
    [['users', 'ada'], 'Unexpected argument "ada".'],
    [['grants'], 'The argument <user> of "grants" is missing.'],
    [
      ['revoke', 'everything', 'x'],
      'Unexpected argument "everything". Expected grant, user, client or provider, or all.',
    ],
    [['revoke', 'grant'], 'The argument <id> of "revoke grant" is missing.'],
    [['delete', 'a', 'b'], 'Unexpected argument "b".'],
    [['users', '--limit', 'all'], '--limit must be a whole number from 0 to 999999, not "all".'],
    [['users', '--local', '--remote'], 'Pass --local or --remote, not both.'],
    [['users', '--locale'], 'Unknown option "--locale".'],
    [['audit', '--jsn=1'], 'Unknown option "--jsn".'],
  ])('%j: explains what is expected', async (args, message) => {
    const { code, stdout, stderr } = await admin(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
    expect(stderr.endsWith('\nRun "npm run admin -- --help" for usage.\n')).toBe(true);
  });

  it('says that there is no local database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
    const result = await runCommand('admin', { LOCAL_DATA_FOLDER: folder }, { args: ['users'] });
    await rm(folder, { recursive: true });
    expect(result).toEqual({
      code: 2,
      stdout: '',
      stderr: `There is no local database in ${folder}. Run npm start to create it.\nRun "npm run admin -- --help" for usage.\n`,
    });
  });
});

describe('the arguments', () => {
  const read = (args: readonly string[]) =>
    readArguments(args, {
      ...{ synopsis: 'npm run admin -- <command> [options]', command: 'npm run admin --' },
      databases: createDatabaseOptions({}, 'local'),
    });

  // One in 64 random IDs starts with a hyphen.
  it.each(['-tEmfJooYR-dbAlS_W6RWw', '--mfJooYR-dbAlS_W6RWw', '--limitYR-dbAlS_W6RWw'])(
    'may contain an ID that starts with hyphens: %s',
    (id) => {
      expect(read(['grants', id]).adminCommand).toEqual({ kind: 'grants', userId: id });
      expect(read(['--local', 'revoke', 'user', id, '--json'])).toMatchObject({
        adminCommand: { kind: 'revoke', target: { kind: 'user', id } },
        outputFormat: 'json',
      });
      expect(read(['delete', '--yes', id])).toMatchObject({
        adminCommand: { kind: 'delete', userId: id, confirmed: true },
      });
      expect(read(['audit', id, '--limit', '5', '--skip=3'])).toMatchObject({
        adminCommand: { kind: 'audit', userId: id },
        page: { limit: 5, skip: 3 },
      });
    },
  );

  it('may contain an ID that looks like an option after --', () => {
    expect(read(['--json', 'grants', '--', '--local'])).toMatchObject({
      adminCommand: { kind: 'grants', userId: '--local' },
      outputFormat: 'json',
    });
  });

  it.each([
    [['users', '--everything'], 'Unknown option "--everything".'],
    [['--limit'], '--limit needs a value.'],
    [['grants'], 'The argument <user> of "grants" is missing.'],
    [['delete', 'one', 'another'], 'Unexpected argument "another".'],
    [[], 'A command is missing.'],
  ])('are rejected: %j', (args, message) => {
    expect(() => read(args)).toThrow(message);
  });
});

describe('a revocation', () => {
  const now = 1_700_000_000;
  const row = { at: now, event: 'revoked', actor: 'operator', reason: revocationReason } as const;
  const userRow = { ...row, userId: 'ada' };
  const clientRow = { ...row, clientId: 'words-gpt' };
  const grantRow = { ...row, userId: 'ada', clientId: 'words-gpt', provider: 'google' };
  const laterRow = { ...row, at: now + 1, event: 'signed-in', actor: 'user', userId: 'ada' } as const;

  describe.each([
    [{ kind: 'user', id: 'ada' }, userRow, [clientRow, grantRow, { ...row, userId: 'bruno' }]],
    [{ kind: 'client', id: 'words-gpt' }, clientRow, [userRow, grantRow, { ...row, clientId: 'app' }]],
    [{ kind: 'grant', id: 'some-grant' }, grantRow, [userRow, clientRow]],
  ] as const)('of %j', (target, matchingRow, otherRows) => {
    it('is confirmed by its audit row', () => {
      expect(verifyRevocation(target, [laterRow, ...otherRows, matchingRow], now).json).toEqual({
        revoked: target,
      });
    });

    it.each([
      ['no row', []],
      ['rows of other revocations in that second', otherRows],
      ['a revocation in another second', [{ ...matchingRow, at: now - 1 }]],
      ['a revocation for another reason', [{ ...matchingRow, reason: 'deleted' }]],
      ['another event', [{ ...matchingRow, event: 'signed-in' as const }]],
    ])('is not confirmed by %s', (_, newestRows) => {
      expect(() => verifyRevocation(target, newestRows, now)).toThrow(
        `Nothing was revoked. The ${target.kind} ID is unknown, or `,
      );
    });
  });
});
