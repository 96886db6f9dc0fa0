/**
 * Tests `npm run admin` and `npm run keys` with `--remote`. They send their requests to a fake of
 * Cloudflare's API, which runs the statements on a real SQLite database.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerStorage } from 'assistant-auth';
import { d1Admin, d1Storage, type StorageAdmin } from 'assistant-auth/d1';
import { generateKey } from 'assistant-auth/seal';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../packages/assistant-auth/src/cli/database/database.ts';
import { openDeployedD1 } from '../../packages/assistant-auth/src/cli/database/deployed-d1.ts';
import { repositoryFolder, wranglerConfig } from '../../scripts/app/paths.ts';
import { runCommand } from '../commands/command.ts';
import { accountId, type CloudflareOptions, type FakeCloudflare, startFakeCloudflare } from './cloudflare.ts';

const migrationsFolder = 'packages/assistant-auth/migrations';
const selection = { projectFolder: repositoryFolder, config: wranglerConfig };

let cloudflare: FakeCloudflare;
let storage: BrokerStorage;
let storageAdmin: StorageAdmin;

afterEach(() => cloudflare.close());

const start = async (options: Partial<CloudflareOptions> = {}): Promise<void> => {
  cloudflare = await startFakeCloudflare({ database: 'present', ...options });
  const { d1 } = cloudflare;
  for (const file of (await readdir(migrationsFolder)).toSorted())
    d1.query({ sql: await readFile(join(migrationsFolder, file), 'utf8') });
  storage = d1Storage(d1.db);
  storageAdmin = d1Admin(d1.db);
};

const admin = (...args: readonly string[]) =>
  runCommand('admin', cloudflare.environment, { args: [...args, '--remote', '--json'] });

const readRows = async (...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await admin(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

const day = 86_400;

/** Records a user with one active grant, whose access token has not expired. */
const signIn = async (userId: string): Promise<void> => {
  const now = await storageAdmin.readClock();
  await storage.recordSignIn({
    now,
    limits: { signIns: 20, period: 600, activeGrants: 200 },
    identity: { provider: 'google', subject: userId, label: `${userId}@example.com` },
    subjectNamespace: 'https://provider.example',
    user: { kind: 'by-identity', newId: userId },
    grant: {
      ...{ id: `grant of ${userId}`, clientId: 'chatgpt', redirectUri: 'https://chat.example/' },
      ...{ scopes: ['score'], resource: 'https://words.example', refreshPolicy: 'stable', claims: {} },
    },
  });
  await storage.redeemCode({
    ...{ grantId: `grant of ${userId}`, clientId: 'chatgpt', now, codeExpiresAt: now + 60, replayGrace: 10 },
    ...{ accessExpiresAt: now + 3600, refreshIdleExpiresAt: now + 60 * day },
    refreshAbsoluteExpiresAt: now + 365 * day,
  });
};

const readAudit = () => storageAdmin.listAuditEntries({ limit: 100, skip: 0 });

/** Returns the bodies of the requests with statements. */
const readQueries = (): readonly { readonly batch: readonly { readonly sql: string }[] }[] =>
  cloudflare.calls
    .filter(({ path }) => path === '/d1/database/11111111-1111-4111-8111-111111111111/query')
    .map(({ body }) => JSON.parse(body));

const unusualId = '-x\'; DROP TABLE users; --"?1 ü😀\u2028';

describe('npm run admin -- --remote', () => {
  it('lists users, grants, identities and the audit log of the database in the Wrangler file', async () => {
    await start();
    await signIn('user-1');
    const anyTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await readRows('users')).toEqual([
      { id: 'user-1', createdAt: anyTime, identities: 1, activeGrants: 1, lastSignInAt: anyTime },
    ]);
    expect(await readRows('grants', 'user-1')).toMatchObject([{ id: 'grant of user-1', state: 'active' }]);
    expect(await readRows('no-upstream-token')).toMatchObject([{ userId: 'user-1', activeGrants: 1 }]);
    expect(await readRows('audit')).toEqual([
      {
        at: anyTime,
        event: 'signed-in',
        actor: 'user',
        userId: 'user-1',
        clientId: 'chatgpt',
        provider: 'google',
      },
    ]);
    expect(await readRows('find', 'USER-1@')).toEqual([
      {
        ...{ userId: 'user-1', provider: 'google', label: 'user-1@example.com', activeGrants: 1 },
        lastSignInAt: anyTime,
      },
    ]);
    await storage.recordRefusals([{ day: '2000-01-01', reason: 'token.code', count: 1 }]);
    expect(await readRows('stats', '--days', '1')).toMatchObject({
      ...{ at: anyTime, users: 1, topClients: [{ clientId: 'chatgpt', activeGrants: 1 }] },
      ...{ days: [{ signIns: 1, refusals: 0 }], refusals: [] },
    });
    expect(new Set(cloudflare.calls.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer a-token']),
    );
  });

  it('revokes the grants of a user whose ID looks like SQL, and of no other user', async () => {
    const id = unusualId;
    await start();
    for (const userId of [id, 'someone else']) await signIn(userId);
    expect(await readRows('revoke', 'user', id)).toEqual({ revoked: { kind: 'user', id } });
    expect(await storageAdmin.listGrants(id, 0)).toMatchObject([
      { state: 'revoked', reason: 'revoked by the operator' },
    ]);
    expect(await storageAdmin.listGrants('someone else', 0)).toMatchObject([{ state: 'active' }]);
    expect(await storage.readRevocations(undefined, 0, 10)).toMatchObject({
      kind: 'page',
      revocations: [{ kind: 'user', id }],
    });
    expect((await readAudit())[0]).toMatchObject({ event: 'revoked', actor: 'operator', userId: id });
    for (const { batch } of readQueries()) for (const { sql } of batch) expect(sql).not.toContain(id);
  });

  it('deletes a user whose ID looks like SQL, and finds no user afterwards', async () => {
    const id = unusualId;
    await start();
    await signIn(id);
    expect(await readRows('delete', id, '--yes')).toEqual({ deleted: id });
    expect(await admin('grants', id)).toEqual({ code: 1, stdout: '', stderr: 'No user has this ID.\n' });
    expect(await readAudit()).toEqual([{ at: expect.any(Number), event: 'deleted', actor: 'operator' }]);
  });

  it('changes nothing, and says so, if there is nothing to revoke or to delete', async () => {
    await start();
    await signIn('user-1');
    const before = await readAudit();
    expect(await admin('revoke', 'user', 'user-2')).toEqual({
      ...{ code: 1, stdout: '' },
      stderr:
        'Nothing was revoked. The user ID is unknown, or all grants of the user were already revoked.\n',
    });
    expect(await admin('delete', 'user-2', '--yes')).toEqual({
      ...{ code: 1, stdout: '', stderr: 'No user has this ID.\n' },
    });
    expect(await readAudit()).toEqual(before);
  });

  it('revokes nothing if one statement of the revocation fails', async () => {
    await start();
    await signIn('user-1');
    cloudflare.d1.query({
      sql: "CREATE TRIGGER fail BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    });
    expect(await admin('revoke', 'user', 'user-1')).toEqual({
      ...{ code: 1, stdout: '' },
      stderr:
        "Cloudflare's API responded with status 400: disk full (code 7500). Before you try again, check whether the change was made.\n",
    });
    expect(await storageAdmin.listGrants('user-1', 0)).toMatchObject([{ state: 'active' }]);
    expect(await storage.readRevocations(undefined, 0, 10)).toMatchObject({ revocations: [] });
  });

  it('runs nothing if the API binds numbers as text, because comparisons would be wrong', async () => {
    await start({ parameters: 'text' });
    await signIn('user-1');
    expect(await admin('revoke', 'user', 'user-1')).toEqual({
      ...{ code: 1, stdout: '' },
      stderr:
        "Cloudflare's API does not bind numbers as numbers, so the command can't use it. Nothing was changed.\n",
    });
    expect(await storageAdmin.listGrants('user-1', 0)).toMatchObject([{ state: 'active' }]);
  });

  it('prints the reason from Cloudflare’s response, and not the token', async () => {
    await start({ failingPath: /query/ });
    const { code, stdout, stderr } = await admin('audit');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      "Cloudflare's API responded with status 400: refused (code 7500). Before you try again, check whether the change was made.\n",
    );
  });

  it('reports that the API cannot be reached', async () => {
    await start();
    const { CLOUDFLARE_API_BASE_URL: _, ...environment } = cloudflare.environment;
    const unreachable = { ...environment, CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9/client/v4' };
    expect(await runCommand('admin', unreachable, { args: ['users', '--remote'] })).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: "The request to Cloudflare's API at http://127.0.0.1:9 failed.\n",
    });
  });
});

describe('the credentials', () => {
  afterEach(() => vi.unstubAllEnvs());

  const openWithStubbedEnvironment = async (): Promise<void> => {
    for (const [name, value] of Object.entries(cloudflare.environment)) vi.stubEnv(name, value);
    await openDatabase({ kind: 'deployed-d1', ...selection });
  };

  it('are read without passing the key ring to other processes in the environment', async () => {
    await start();
    vi.stubEnv('SEALING_KEYS', 'a.secret');
    await openWithStubbedEnvironment();
    expect(process.env).not.toHaveProperty('SEALING_KEYS');
    expect(cloudflare.calls.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\/query$/));
  });

  it('are not sent to the target of a redirect', async () => {
    await start();
    const { CLOUDFLARE_API_BASE_URL } = cloudflare.environment;
    const server = createServer((_, response) => {
      response.writeHead(307, { location: `${CLOUDFLARE_API_BASE_URL}/elsewhere` }).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = Object(server.address());
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'a-token');
    const database = openDeployedD1(selection, {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_ACCOUNT_ID: accountId,
    });
    await expect(database).rejects.toThrow(
      `The request to Cloudflare's API at http://127.0.0.1:${port} failed.`,
    );
    server.close();
    expect(cloudflare.calls).toEqual([]);
  });

  it.each([
    [
      { CLOUDFLARE_API_BASE_URL: 'http://api.example/client/v4' },
      'CLOUDFLARE_API_BASE_URL must be an https URL.',
    ],
    [{ CLOUDFLARE_API_BASE_URL: 'api.example' }, 'CLOUDFLARE_API_BASE_URL must be an https URL.'],
    [
      { CLOUDFLARE_COMPLIANCE_REGION: 'fedramp_high' },
      'With CLOUDFLARE_COMPLIANCE_REGION or WRANGLER_API_ENVIRONMENT, set CLOUDFLARE_API_BASE_URL to the URL of that API.',
    ],
  ])('are not sent in clear text or to an API other than Wrangler’s: %j', async (environment, message) => {
    await start();
    await expect(openDeployedD1(selection, environment)).rejects.toThrow(message);
    expect(cloudflare.calls).toEqual([]);
  });
});

describe('the account', () => {
  const otherAccount = 'b'.repeat(32);
  const withoutAccount = (): Readonly<Record<string, string>> => {
    const { CLOUDFLARE_ACCOUNT_ID: _, ...environment } = cloudflare.environment;
    return environment;
  };
  const listUsers = (environment: Readonly<Record<string, string>>) =>
    runCommand('admin', environment, { args: ['users', '--remote', '--json'] });

  it.each([
    ['the only one', [accountId]],
    ['the one that has the database', [otherAccount, accountId]],
  ])('is %s, if CLOUDFLARE_ACCOUNT_ID is not set', async (_, accounts) => {
    await start({ accounts });
    await signIn('user-1');
    const { code, stdout, stderr } = await listUsers(withoutAccount());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'user-1' }]);
  });

  it('has to be set if several accounts have the database', async () => {
    await start({ accounts: [accountId, accountId] });
    expect(await listUsers(withoutAccount())).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `Several Cloudflare accounts have a D1 database "words". Set CLOUDFLARE_ACCOUNT_ID to one of them: ${accountId}, ${accountId}.\n`,
    });
  });

  it('must have the database', async () => {
    await start({ database: 'missing' });
    expect(await listUsers(cloudflare.environment)).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `Cloudflare has no D1 database "words" in the account ${accountId}. Deploy the app first, or set CLOUDFLARE_ACCOUNT_ID to the account that has the database.\n`,
    });
  });

  it('is accessed with the login of Wrangler if there is no token in the environment', async () => {
    await start();
    const { CLOUDFLARE_API_TOKEN: _, ...environment } = cloudflare.environment;
    const HOME = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
    const folder = join(HOME, '.config/.wrangler/config');
    await mkdir(folder, { recursive: true });
    const loginFile = ['oauth_token = "a-login"', 'expiration_time = "2999-01-01T00:00:00.000Z"'];
    await writeFile(join(folder, 'default.toml'), loginFile.join('\n'));
    const loggedIn = await listUsers({ ...environment, HOME });
    await writeFile(join(folder, 'default.toml'), '');
    const loggedOut = await listUsers({ ...environment, HOME });
    await rm(HOME, { recursive: true });
    expect(loggedIn).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
    expect(new Set(cloudflare.calls.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer a-login']),
    );
    expect(loggedOut).toMatchObject({ code: 1, stdout: '' });
    expect(loggedOut.stderr).toContain(
      'Wrangler has no credentials for Cloudflare. Run npx wrangler login or set CLOUDFLARE_API_TOKEN, and try again.\n',
    );
  });
});

describe('npm run keys -- --remote', () => {
  it('reads from the deployed database what needs a key', async () => {
    await start();
    await signIn('user-1');
    const generateTestKey = (id: string) =>
      generateKey(id, (length) => crypto.getRandomValues(new Uint8Array(length)));
    const [first, second] = [generateTestKey('first'), generateTestKey('second')];
    const promote = () =>
      runCommand(
        'keys',
        { ...cloudflare.environment, SEALING_KEYS: `${first} ${second}` },
        { args: ['promote', 'second', '--remote'] },
      );
    const { code, stdout, stderr } = await promote();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The deployment has not recorded the key second yet\./);
    const now = await storageAdmin.readClock();
    const ringKeys = ['first', 'second'];
    await storage.cleanUp({ now: now - 7200, deleteAuditBefore: 0, sealingKey: 'first', ringKeys });
    expect(await promote()).toEqual({ code: 0, stdout: `${second} ${first}\n`, stderr: '' });
  });
});
