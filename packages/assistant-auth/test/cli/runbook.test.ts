/**
 * The drills of docs/guides/runbook.md, with a SQLite file and the commands that the page names: what a
 * leaked key or a restored backup makes possible, and that the steps end it.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { accountPages } from 'assistant-auth/account';
import { generateKey, parseKeyRing } from 'assistant-auth/seal';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/oauth/secrets.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { deploy, issuer } from '../testing/deployment.ts';
import { runCommand } from './run-command.ts';

let folder: string;
let database: DatabaseSync;
/** How far the clock of the deployment is ahead, in seconds: a test does not wait until the revocations are read again. */
let ahead: number;

const now = () => Math.floor(Date.now() / 1000) + ahead;
const file = (name: string): string => join(folder, name);

const openDatabase = (): void => {
  database = new DatabaseSync(file('auth.db'));
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
  ahead = 0;
  openDatabase();
  await migrate(database);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** Starts a process of the app with this ring. */
const start = (sealingKeys: string) =>
  deploy({ storage: sqliteStorage(database), now, sealingKeys, account: accountPages() }, { now });

type App = ReturnType<typeof start>;

const run = async (sealingKeys: string, ...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCommand(folder, args, {
    variables: { SEALING_KEYS: sealingKeys },
  });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
};

const admin = (...args: readonly string[]): Promise<string> =>
  run('', 'admin', ...args, '--database', 'auth.db');

const listUserIds = async (): Promise<readonly string[]> => {
  const users: readonly { readonly id: string }[] = JSON.parse(
    await admin('users', '--json', '--limit', '999999'),
  );
  return users.map(({ id }) => id);
};

const signIn = (app: App, name: string) => app.createClient().signIn(['Sign in with Acme', name]);
type Tokens = Awaited<ReturnType<typeof signIn>>;

/** Calls the API, and returns the status. */
const call = async (app: App, { accessToken }: Pick<Tokens, 'accessToken'>): Promise<number> =>
  (await app.createClient().call(`${issuer}/score`, accessToken)).status;

const readUserId = async (app: App, { accessToken }: Tokens): Promise<string> => {
  const response = await app.createClient().call(`${issuer}/score`, accessToken);
  const { user }: { readonly user: string } = await response.json();
  return user;
};

const refresh = (app: App, { refreshToken }: Tokens) => app.createClient().refresh(refreshToken);
const refused = { kind: 'error', status: 400, error: 'invalid_grant' };

describe('a leaked sealing key', () => {
  /** What someone who has the ring can make: an access token for any user. */
  const forgeToken = async (ring: string, userId: string): Promise<string> => {
    const resource = `${issuer}/api`;
    const sealer = createSealers(parseKeyRing(ring), issuer, [resource], systemRandom).access.get(resource);
    if (sealer === undefined) throw new Error('there is no sealer');
    return sealer.seal({
      ...{ userId, grantId: 'AAECAwQFBgcICQoLDA0ODw', clientId: 'server', scopes: ['score'], claims: {} },
      ...{ issuedAt: now() + 100_000, expiresAt: now() + 200_000, isChatGptMcpClient: false },
    });
  };

  it('forges tokens that no revocation ends, until the key is burned', async () => {
    const ring = generateKey('leaked');
    const before = start(ring);
    const tokens = await signIn(before, 'Ada Marlow');
    const forged = { accessToken: await forgeToken(ring, await readUserId(before, tokens)) };
    expect(await call(before, forged)).toBe(200);
    await admin('revoke', 'all', '--yes');
    ahead += 10;
    expect(await call(before, tokens)).toBe(401);
    expect(await call(before, forged)).toBe(200);

    const current = await signIn(before, 'Ada Marlow');
    const burned = await run(ring, 'keys', 'burn', 'leaked');
    expect(burned).toMatch(/^\S+$/);
    expect(burned).not.toContain(ring.split('.')[1]);
    const after = start(burned);
    expect(await call(after, forged)).toBe(401);
    expect(await call(after, current)).toBe(401);
    expect(after.log.at(-1)).toMatchObject({ reason: 'token.unreadable', cause: 'unknown-key' });
    expect(await refresh(after, current)).toMatchObject(refused);
    const next = await signIn(after, 'Ada Marlow');
    expect(await call(after, next)).toBe(200);
    expect(await refresh(after, next)).toMatchObject({ kind: 'tokens' });
  });
});

describe('a restored backup', () => {
  const ring = generateKey('k');

  /** Replaces the file with the backup, as an operator does while the app is stopped. */
  const restore = (): void => {
    database.close();
    for (const suffix of ['-wal', '-shm']) rmSync(file(`auth.db${suffix}`), { force: true });
    copyFileSync(file('backup.db'), file('auth.db'));
    openDatabase();
  };

  it('makes revoked grants and deleted users active again, until everything is revoked and they are deleted', async () => {
    const before = start(ring);
    const [ada, bruno, chiyo] = await Promise.all(
      ['Ada Marlow', 'Bruno Castell', 'Chiyo Tanabe'].map((name) => signIn(before, name)),
    );
    if (ada === undefined || bruno === undefined || chiyo === undefined) throw new Error('nobody signed in');
    database.exec(`VACUUM INTO '${file('backup.db')}'`);

    const [adaId, brunoId] = [await readUserId(before, ada), await readUserId(before, bruno)];
    await admin('revoke', 'user', adaId);
    await admin('delete', brunoId, '--yes');
    const rotated = await refresh(before, chiyo);
    if (rotated.kind === 'error') throw new Error(rotated.error);
    const later = await signIn(before, 'Ada Marlow');
    await before.createClient().revoke(later.accessToken);
    ahead += 10;
    for (const tokens of [ada, bruno, later]) expect(await call(before, tokens)).toBe(401);
    const remaining = await listUserIds();

    restore();
    const restored = start(ring);
    expect(await listUserIds()).toContain(brunoId);
    // Also the token of a grant that the restored database does not contain.
    for (const tokens of [ada, bruno, later]) expect(await call(restored, tokens)).toBe(200);
    expect(await refresh(restored, ada)).toMatchObject({ kind: 'tokens' });
    // Chiyo's current token is newer than the restored row, which accepts the one before it.
    expect(await refresh(restored, { ...chiyo, ...rotated })).toMatchObject(refused);
    expect(await refresh(restored, chiyo)).toMatchObject({ kind: 'tokens' });

    await admin('revoke', 'all', '--yes');
    for (const id of await listUserIds()) if (!remaining.includes(id)) await admin('delete', id, '--yes');
    ahead += 10;
    for (const tokens of [ada, bruno, later, rotated]) expect(await call(restored, tokens)).toBe(401);
    for (const tokens of [ada, bruno, later, chiyo])
      expect(await refresh(restored, tokens)).toMatchObject(refused);
    expect((await listUserIds()).toSorted()).toEqual(remaining.toSorted());
    const next = await signIn(restored, 'Ada Marlow');
    expect(await readUserId(restored, next)).toBe(adaId);
    expect(await refresh(restored, next)).toMatchObject({ kind: 'tokens' });
  });

  it('is not made safe by the revocation of a client, which does not know the newer access tokens', async () => {
    const before = start(ring);
    database.exec(`VACUUM INTO '${file('backup.db')}'`);
    const tokens = await signIn(before, 'Ada Marlow');
    restore();
    const restored = start(ring);
    await expect(admin('revoke', 'client', 'server')).rejects.toThrow('Nothing was revoked.');
    ahead += 10;
    expect(await call(restored, tokens)).toBe(200);
  });
});

it('the runbook contains the commands of these drills', () => {
  const page = readFileSync(new URL('../../../../docs/guides/runbook.md', import.meta.url), 'utf8');
  for (const command of ['keys burn', 'admin revoke all', 'admin users', 'admin delete'])
    expect(page).toContain(`npx assistant-auth ${command} `);
});
