/** Runs the code in README.md as a publisher would, with the packed packages, on workerd. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateKey } from 'assistant-auth/seal';
import { expect, inject, it } from 'vitest';
import { readMarkdownExamples } from '../scripts/api-reference/examples.ts';
import { runCommand, runProgram } from './runtimes.ts';

const consumer = inject('consumer');

const files = readMarkdownExamples('README.md').map(({ path = '', code }) => [path, code] as const);

const provider =
  'providers: [google({ clientId: env.GOOGLE_CLIENT_ID, clientSecret: env.GOOGLE_CLIENT_SECRET })]';

/** Replaces the real provider with a fake one in the same Worker. */
const useFakeProvider = (code: string): string =>
  code
    .replace(
      provider,
      "providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })], fetch: fakeProvider.fetch",
    )
    .replace('google }', 'oidc }')
    .replace(
      'const app = new Hono();',
      '$&\napp.use(async ({ req }, next) => (await fakeProvider.handle(req.raw)) ?? next());',
    )
    .replace(
      'import { Hono }',
      `import { createFakeProvider } from 'assistant-auth/testing';
const acme = { issuer: 'https://api.example/acme', clientId: 'app', clientSecret: 'not-a-secret' };
const fakeProvider = createFakeProvider(acme);
$&`,
    );

/** Writes the Worker to a new folder, creates its database, and calls it as an MCP client. */
const run = async (change: (code: string) => string, buttons: readonly string[]): Promise<unknown> => {
  const folder = mkdtempSync(join(consumer, 'readme-'));
  for (const [path, code] of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), change(code));
  }
  const config = join(folder, 'wrangler.json');
  const database = { binding: 'DB', database_name: 'sign-in', database_id: 'local' };
  const migrations = { migrations_dir: '../node_modules/assistant-auth/migrations' };
  writeFileSync(
    config,
    JSON.stringify({
      name: 'my-api',
      main: 'src/worker.ts',
      compatibility_date: '2026-10-20',
      compatibility_flags: ['global_fetch_strictly_public'],
      vars: {
        ...{ GOOGLE_CLIENT_ID: 'my-api.apps.googleusercontent.com', GOOGLE_CLIENT_SECRET: 'not-a-secret' },
        SEALING_KEYS: generateKey('k1'),
      },
      d1_databases: [{ ...database, ...migrations }],
    }),
  );
  await runCommand(consumer, {
    file: join(consumer, 'node_modules/.bin/wrangler'),
    args: ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', folder, '--config', config],
  });
  return JSON.parse(await runProgram(consumer, 'Node 24', 'run-readme-worker', [config, folder, ...buttons]));
};

const expected = {
  unauthenticated: [
    401,
    'Bearer realm="https://api.example", scope="account", resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp"',
  ],
  unknownPath: 404,
};

it('is two files: the Worker and its operations', () => {
  expect(files.map(([path]) => path)).toEqual(['src/worker.ts', 'src/api.ts']);
  expect(files.filter(([, code]) => code.includes(provider))).toHaveLength(1);
});

it('lets an MCP client register, and shows its user a button for Google', async () => {
  // There is no such button: the one for Google would lead to its server.
  expect(await run((code) => code, ['Sign in with nobody'])).toEqual({
    ...expected,
    result: expect.stringMatching(
      / on https:\/\/api\.example\/authorize .*It has: "Sign in with Google", "Cancel"$/,
    ),
  });
});

it('serves the tool to a user who signed in', async () => {
  expect(await run(useFakeProvider, ['Sign in with Acme', 'Ada Marlow'])).toEqual({
    ...expected,
    result: { userId: expect.stringMatching(/^[\w-]{22}$/) },
  });
});
