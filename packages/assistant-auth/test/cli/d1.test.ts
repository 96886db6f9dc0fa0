/**
 * Tests `assistant-auth migrations` and `assistant-auth admin` with D1, in a project that has Wrangler: its
 * configuration, its local databases, and requests to a fake of Cloudflare's API.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteStorage } from 'assistant-auth/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunOptions, runCommand, runNode } from './run-command.ts';
import { recordUser } from './sample-data.ts';

const wrangler = createRequire(import.meta.url).resolve('wrangler');

const [firstId, secondId] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const project = { name: 'notes', compatibility_date: '2026-10-20', vars: { GREETING: 'hello' } };
const auth = { binding: 'AUTH', database_name: 'auth', database_id: firstId };
const other = { binding: 'OTHER', database_name: 'other', database_id: secondId };

let folder: string;

const write = (file: string, content: string | object): void =>
  writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  write('package.json', { name: 'notes', type: 'module' });
  write('wrangler.jsonc', { ...project, d1_databases: [auth] });
  write('two.json', { ...project, d1_databases: [auth, other] });
  write('broken.json', '{ "name": "notes"');
  write('none.toml', 'name = "notes"\ncompatibility_date = "2026-10-20"\n');
  mkdirSync(join(folder, 'migrations'));
  write('migrations/0001_init.sql', 'CREATE TABLE notes (id TEXT PRIMARY KEY);');
  await runCommand(folder, ['migrations', '--out', 'migrations']);
});

afterAll(() => rmSync(folder, { recursive: true }));

const hint = 'Run "npx assistant-auth admin --help" for usage.\n';

const admin = (args: readonly string[], options?: RunOptions) =>
  runCommand(folder, ['admin', ...args], options);

const applyMigrations = (...args: readonly string[]) =>
  runNode(folder, [wrangler, 'd1', 'migrations', 'apply', 'AUTH', '--local', ...args]);

/** Opens the only database in a folder that Wrangler stores local databases in. */
const openStoredD1 = (stateFolder: string): DatabaseSync => {
  const objects = join(folder, stateFolder, 'v3/d1/miniflare-D1DatabaseObject');
  const [file = '', ...others] = readdirSync(objects).filter((name) => /^[\da-f]{64}\.sqlite$/.test(name));
  expect(others).toEqual([]);
  return new DatabaseSync(join(objects, file));
};

describe('--local', () => {
  const now = Math.floor(Date.now() / 1000);

  it('creates no database, and names the command that does', async () => {
    expect(await admin(['users', '--local'])).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: `There is no local D1 database in ${join(folder, '.wrangler/state')}. Run "npx wrangler d1 migrations apply AUTH --local" to create it, or pass --persist-to <dir> if it is in another folder.\n${hint}`,
    });
    expect(existsSync(join(folder, '.wrangler/state'))).toBe(false);
  });

  it('names the command that creates the tables, if the database has none', async () => {
    mkdirSync(join(folder, 'empty/v3/d1'), { recursive: true });
    expect(await admin(['users', '--local', '--persist-to', 'empty'])).toEqual({
      ...{ code: 1, stdout: '' },
      stderr:
        'The local D1 database of the binding AUTH has no tables of assistant-auth. Apply the migrations with "npx wrangler d1 migrations apply AUTH --local".\n',
    });
  });

  it('uses the database to which Wrangler applied the migrations, next to those of the project', async () => {
    const { code, stdout } = await applyMigrations();
    expect(code).toBe(0);
    const files = [
      ...['0001_broker.sql', '0001_init.sql', '0002_clients.sql', '0003_providers.sql'],
      ...['0004_refusals.sql', '0005_account_page.sql'],
    ];
    for (const file of files) expect(stdout).toContain(file);
    expect((await applyMigrations()).stdout).toContain('No migrations to apply');
    const database = openStoredD1('.wrangler/state');
    await recordUser(sqliteStorage(database), 'ada', now);
    const names = database.prepare('SELECT name FROM d1_migrations ORDER BY id').all();
    expect(names.map(({ name }) => name)).toEqual(files);
    database.close();

    const users = await admin(['users', '--local', '--json']);
    expect({ ...users, stdout: JSON.parse(users.stdout) }).toMatchObject({
      ...{ code: 0, stderr: '', stdout: [{ id: 'ada', activeGrants: 1 }] },
    });
    expect(await admin(['revoke', 'user', 'ada', '--local', '--json'])).toMatchObject({
      code: 0,
      stderr: '',
    });
    const grants = await admin(['grants', 'ada', '--local', '--json']);
    expect(JSON.parse(grants.stdout)).toMatchObject([{ id: 'grant of ada', state: 'revoked' }]);
  });

  it('uses the folder in --persist-to, and the Wrangler file in --config from another folder', async () => {
    expect((await applyMigrations('--persist-to', 'elsewhere')).code).toBe(0);
    const database = openStoredD1('elsewhere');
    await recordUser(sqliteStorage(database), 'bruno', now);
    database.close();
    const api = join(folder, 'api');
    mkdirSync(api);
    const args = ['--local', '--config', '../wrangler.jsonc', '--persist-to', '../elsewhere', '--json'];
    const { code, stdout, stderr } = await runCommand(api, ['admin', 'users', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'bruno' }]);
    expect(readdirSync(api)).not.toContain('.wrangler');
  });

  it('tells an operator that a key was not recorded in the database', async () => {
    const { stdout: ring } = await runCommand(folder, ['keys']);
    const variables = { SEALING_KEYS: ring.trim() };
    const { stdout: added } = await runCommand(folder, ['keys', 'add'], { variables });
    const [, last = ''] = added.trim().split(' ');
    const [id = '', secret = ''] = last.split('.');
    const { code, stdout, stderr } = await runCommand(folder, ['keys', 'promote', id, '--local'], {
      variables: { SEALING_KEYS: added.trim() },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(`The deployment has not recorded the key ${id} yet.`)).toBe(true);
    expect(stderr).not.toContain(secret);
  });
});

describe('the Wrangler file', () => {
  it.each([
    [
      ['--config', 'two.json'],
      'two.json has more than one D1 database. Pass --binding with one of these: AUTH, OTHER.',
    ],
    [
      ['--config', 'two.json', '--binding', 'DB'],
      'two.json has no D1 database with the binding DB. It has: AUTH, OTHER.',
    ],
    [['--config', 'none.toml'], 'none.toml has no D1 database in d1_databases.'],
  ])('is rejected with a message that lists its databases: %j', async (args, message) => {
    for (const location of ['--local', '--remote'])
      expect(await admin(['users', location, ...args])).toEqual({
        ...{ code: 2, stdout: '', stderr: `${join(folder, message)}\n${hint}` },
      });
  });

  it.each([
    [['--config', 'missing.json'], "Wrangler can't read its configuration file: "],
    [['--config', 'broken.json'], "Wrangler can't read its configuration file: "],
  ])('is reported if Wrangler can’t read it: %j', async (args, message) => {
    const { code, stdout, stderr } = await admin(['users', '--local', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('is not read with a Wrangler from outside the project', async () => {
    const project = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
    const home = join(project, 'home');
    mkdirSync(join(home, '.node_modules/wrangler'), { recursive: true });
    writeFileSync(join(home, '.node_modules/wrangler/index.js'), 'console.log("loaded")');
    const { code, stdout, stderr } = await runCommand(project, ['admin', 'users', '--local'], {
      variables: { HOME: home },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`Wrangler was not found in ${project}.`);
    rmSync(project, { recursive: true });
  });

  it('is required, and so is Wrangler', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
    expect(await runCommand(empty, ['admin', 'users', '--local'])).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `Wrangler was not found in ${empty}. --local and --remote need it: run "npm install --save-dev wrangler" in this project, and run the command from its folder.\n`,
    });
    symlinkSync(resolve('node_modules'), join(empty, 'node_modules'));
    expect(await runCommand(empty, ['admin', 'users', '--remote'])).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: `No wrangler.jsonc, wrangler.json or wrangler.toml was found. Run the command from the folder of your Worker, or pass --config <file>.\n${hint}`,
    });
    expect(readdirSync(empty)).toEqual(['node_modules']);
    rmSync(empty, { recursive: true });
  });
});

describe('--remote', () => {
  it('looks for the database of the binding in the account, with the credentials of Wrangler', async () => {
    const calls: unknown[] = [];
    const server = createServer(({ method, url, headers }, response) => {
      calls.push({ method, url, authorization: headers.authorization });
      response.writeHead(404).end('{"success":false,"errors":[{"code":7404,"message":"not found"}]}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const variables = {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${Object(address).port}`,
      CLOUDFLARE_API_TOKEN: 'a-token',
      CLOUDFLARE_ACCOUNT_ID: 'an-account',
    };
    const args = ['users', '--remote', '--config', 'two.json', '--binding', 'OTHER'];
    const result = await admin(args, { variables });
    server.close();
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(`Cloudflare has no D1 database "${secondId}" in the account an-account.`);
    expect(result.stderr).not.toContain('a-token');
    expect(calls).toEqual([
      {
        method: 'GET',
        url: `/accounts/an-account/d1/database/${secondId}?fields=uuid,name`,
        authorization: 'Bearer a-token',
      },
    ]);
  });
});
