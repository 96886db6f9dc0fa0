/**
 * Tests `npm run admin` on the database of a system that runs only for this file, so that no other test adds
 * rows.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildGptCallbackUrl,
  callApi,
  fakeUsers,
  findConsecutivePorts,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalSystem, startLocalSystem } from '../../scripts/local-system/system.ts';
import { signIn } from '../sign-in.ts';
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

/** Returns the JSON output of a command. */
const asked = async (...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await admin(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

interface Row {
  readonly id?: unknown;
  readonly userId?: unknown;
}

const rowsOf = async (...args: readonly string[]): Promise<readonly Row[]> => {
  const rows = await asked(...args);
  return Array.isArray(rows) ? rows.map(Object) : [];
};

const action = (): GptAction => ({
  authorizationUrl: `${system.origin}/authorize`,
  tokenUrl: `${system.origin}/token`,
  clientId: system.gptClientId,
  clientSecret: system.gptClientSecret,
  scope: '',
  redirectUri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
});

const [ada] = fakeUsers;

const tokens = async () => {
  const startedSignIn = startSignIn(action(), crypto.randomUUID());
  const callback = readCallback(startedSignIn, await signIn(startedSignIn.url, ada));
  const answer = callback.kind === 'code' ? await redeemCode(action(), callback.code, fetch) : undefined;
  if (answer?.kind !== 'tokens') throw new Error(`no tokens: ${callback.kind}`);
  return answer;
};

const refreshed = ({ refreshToken }: Awaited<ReturnType<typeof tokens>>) =>
  refreshTokens(action(), refreshToken ?? '', fetch);

it('shows who is there and what happened, ends what is named, and deletes', async () => {
  const first = await tokens();
  const [newest] = await rowsOf('audit', '--limit', '1');
  expect(newest).toMatchObject({
    event: 'signed-in',
    actor: 'user',
    clientId: system.gptClientId,
    provider: 'google',
  });
  const userId = String(newest?.userId);

  const grants = await rowsOf('grants', userId);
  expect(grants).toMatchObject([{ clientId: system.gptClientId, provider: 'google', state: 'active' }]);
  const users = await admin('users', '--local');
  expect(users.stdout).toMatch(/^user +since +identities +active grants +last sign-in\n/);
  expect(users.stdout).toMatch(new RegExp(`^${userId} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC +1 +1 `, 'm'));
  expect(users.stdout).not.toContain('@example.com');

  const target = { kind: 'grant', id: String(grants[0]?.id) };
  expect(await asked('revoke', 'grant', target.id)).toEqual({ revoked: target });
  expect(await refreshed(first)).toMatchObject({ kind: 'error', status: 401 });
  expect(await admin('revoke', 'grant', target.id)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'Nothing was left to end of a grant of that id.\n',
  });
  const [ending] = await rowsOf('audit', userId, '--limit', '1');
  expect(ending).toMatchObject({
    event: 'revoked',
    actor: 'operator',
    reason: 'revoked by the operator',
    userId,
  });

  const second = await tokens();
  expect(await admin('delete', userId)).toMatchObject({ code: 1, stdout: '' });
  expect(await asked('delete', userId, '--yes')).toEqual({ deleted: userId });
  expect(await refreshed(second)).toMatchObject({ kind: 'error', status: 401 });
  const call = { method: 'GET', url: `${system.origin}/api/scoring` } as const;
  const called = async () => (await callApi(call, second.accessToken, fetch)).kind;
  await expect.poll(called, { timeout: 60_000 }).toBe('unauthorized');
  expect(await rowsOf('audit', userId)).toEqual([]);
  const [deletion] = await rowsOf('audit', '--limit', '1');
  expect(deletion).toEqual({ at: expect.any(Number), event: 'deleted', actor: 'operator' });
  expect(await admin('grants', userId)).toMatchObject({ code: 1, stderr: 'There is no such user.\n' });
});

it('has a list of those whose provider cannot be asked', async () => {
  for (const row of await rowsOf('no-upstream-token'))
    expect(row).toMatchObject({ userId: expect.any(String) });
});

describe('wrong usage', () => {
  it.each([
    [[], 'Write npm run admin -- with one of'],
    [['users', 'ada'], 'Write npm run admin -- with one of'],
    [['grants'], 'Write npm run admin -- with one of'],
    [['revoke', 'everything', 'x'], 'Write npm run admin -- with one of'],
    [['revoke', 'grant'], 'Write npm run admin -- with one of'],
    [['delete', 'a', 'b'], 'Write npm run admin -- with one of'],
    [['users', '--limit', 'all'], '--limit and --skip take a number of rows.'],
    [['users', '--local', '--remote'], 'Write --local or --remote, not both.'],
    [['users', '--locale'], "Unknown option '--locale'"],
    [['audit', '--jsn=1'], "Unknown option '--jsn'"],
    [['delete', 'a'], 'Where nobody can be asked, a deletion takes --yes.'],
  ])('is told what may be written: %j', async (args, sentence) => {
    const { code, stdout, stderr } = await admin(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(sentence)).toBe(true);
  });

  it('is told that there is no database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
    const { code, stderr } = await runCommand('admin', { LOCAL_DATA_FOLDER: folder }, { args: ['users'] });
    await rm(folder, { recursive: true });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `There is no local database in ${folder}: npm start makes one.\n`,
    });
  });
});
