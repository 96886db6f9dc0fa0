/** Tests a complete `npm run deploy`. Wrangler sends its requests to a fake of Cloudflare's API. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { d1Admin } from 'assistant-auth/d1';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CommandResult, type RunningCommand, runCommand, startCommand } from '../commands/command.ts';
import { type CloudflareOptions, type FakeCloudflare, startFakeCloudflare } from './cloudflare.ts';

let folder: string;
let file: string;
let cloudflare: FakeCloudflare;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  file = join(folder, 'variables');
  await runCommand('setup', { VARIABLES_FILE: file }, { args: ['--origin', 'https://words.example'] });
});

afterEach(async () => {
  cloudflare.close();
  await rm(folder, { recursive: true });
});

const deploy = async (options: CloudflareOptions): Promise<CommandResult> =>
  (await startDeployment(options)).finished;

const startDeployment = async (options: CloudflareOptions): Promise<RunningCommand> => {
  cloudflare = await startFakeCloudflare(options);
  return startCommand('deploy', {
    ...cloudflare.environment,
    ...{ VARIABLES_FILE: file, BUILD_FOLDER: join(folder, 'dist'), TMPDIR: folder },
    ...{ PUBLISHER_NAME: 'Example Games', CONTACT_EMAIL: 'help@words.example' },
    ...{ GOOGLE_CLIENT_ID: 'words.apps.googleusercontent.com', GOOGLE_CLIENT_SECRET: 'google-secret' },
    GPT_URL: 'https://chatgpt.com/g/g-68f0c2a1b4d8-words',
  });
};

/** Returns the requests that change something, in order. */
const listChanges = (): readonly string[] =>
  cloudflare.calls
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);

const scriptPath = '/workers/scripts/words-with-chat';

it('creates the database and its tables, then deploys one version at the domain, and enables no other URL', async () => {
  const { code, stdout } = await deploy({ database: 'missing' });
  expect(code).toBe(0);
  expect(stdout).toContain('curl https://words.example/.well-known/oauth-authorization-server');
  const query = 'POST /d1/database/11111111-1111-4111-8111-111111111111/query';
  expect([...new Set(listChanges())]).toEqual([
    'POST /d1/database',
    query,
    `POST ${scriptPath}/assets-upload-session`,
    `PUT ${scriptPath}`,
    `POST ${scriptPath}/subdomain`,
    `POST ${scriptPath}/domains/changeset`,
    `PUT ${scriptPath}/schedules`,
    `PUT ${scriptPath}/domains/records`,
  ]);
  // The migrations were applied: the table exists, and is empty.
  expect(await d1Admin(cloudflare.d1.db).listUsers({ limit: 1, skip: 0 }, 0)).toEqual([]);
  expect(findRequestBody(/\/subdomain$/)).toBe('{"enabled":false,"previews_enabled":false}');
  expect(findRequestBody(/\/domains\/changeset/)).toBe('[{"hostname":"words.example"}]');
});

it('uploads the compatibility flag that MCP clients require, and the variables of the Worker as secrets', async () => {
  await deploy({ database: 'present' });
  expect(listChanges()).not.toContain('POST /d1/database');
  const { DAILY_SECRET, GPT_CLIENT_SECRET } = parseEnv(await readFile(file, 'utf8'));
  const metadata = JSON.parse(/^\{"main_module".*$/m.exec(findRequestBody(/words-with-chat\?/))?.[0] ?? '{}');
  expect(metadata.compatibility_flags).toEqual(['global_fetch_strictly_public']);
  const secrets: readonly { type: string; name: string; text: string }[] = metadata.bindings.filter(
    ({ text }: { readonly text?: string }) => text !== undefined,
  );
  expect(secrets.map(({ type }) => type)).toEqual(secrets.map(() => 'secret_text'));
  expect(secrets.map(({ name }) => name).sort()).toEqual([
    'CONTACT_EMAIL',
    'DAILY_SECRET',
    'GOOGLE_CLIENT_ID',
    'GOOGLE_CLIENT_SECRET',
    'GPT_CLIENT_ID',
    'GPT_CLIENT_SECRET',
    'ORIGIN',
    'PUBLISHER_NAME',
    'SEALING_KEYS',
  ]);
  expect(secrets).toContainEqual(expect.objectContaining({ name: 'DAILY_SECRET', text: DAILY_SECRET }));
  expect(secrets).toContainEqual(
    expect.objectContaining({ name: 'GPT_CLIENT_SECRET', text: GPT_CLIENT_SECRET }),
  );
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('secrets'));
});

it('uploads nothing if a migration fails, and says so', async () => {
  const { code, stderr } = await deploy({ database: 'present', failingPath: /\/query$/ });
  expect(code).toBe(1);
  expect(stderr).toContain('wrangler d1 migrations apply DB failed. The remaining steps were not run.\n');
  expect(listChanges().filter((change) => change.includes('/workers/'))).toEqual([]);
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('secrets'));
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  'leaves no secret behind if %s interrupts the upload, and also stops Wrangler',
  async (signal, exitCode) => {
    const { promise: uploadRequested, resolve: onRequest } = Promise.withResolvers<void>();
    const running = await startDeployment({
      database: 'present',
      withoutResponse: { path: /\/assets-upload-session$/, onRequest },
    });
    await Promise.race([uploadRequested, running.finished]);
    expect(await readdir(folder)).toContainEqual(expect.stringContaining('secrets'));
    running.process.kill(signal);
    // Wrangler writes to the same output, which ends only when both processes have ended.
    expect(await running.finished).toMatchObject({ code: exitCode });
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('secrets'));
  },
);

const findRequestBody = (path: RegExp): string =>
  cloudflare.calls.find((call) => call.method !== 'GET' && path.test(call.path))?.body ?? '';
