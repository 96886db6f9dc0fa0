/** Tests a complete sign-in with the packed packages, on every runtime and framework. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { type Driver, type Runtime, runCommand, runProgram } from './runtimes.ts';

const consumer = inject('consumer');
const createFolder = (): string => mkdtempSync(join(consumer, 'sign-in-'));

const invalidToken = [401, 'The access token is not valid.'];
const expected = {
  withInvalidToken: invalidToken,
  withOtherScope: [403, 'The access token does not have the required scope.'],
  signedIn: ['score offline_access', 1800, 200],
  refreshed: ['score offline_access', true, 200],
  revoked: [invalidToken, invalidToken],
  refreshedAfterRevocation: '400 invalid_grant',
  users: [expect.stringMatching(/^[\w-]{22}$/)],
};

const combinations: readonly (readonly [string, Runtime, Driver])[] = [
  ...['node:http', 'express', 'fastify'].flatMap((framework) => [
    [framework, 'Node 24', 'node:sqlite'] as const,
    [framework, 'Node 22.13', framework === 'express' ? 'libsql' : 'node:sqlite'] as const,
    [framework, 'Bun', 'bun:sqlite'] as const,
    [framework, 'Deno', 'node:sqlite'] as const,
  ]),
  ['hono', 'Bun', 'bun:sqlite'],
  ['hono', 'Deno', 'node:sqlite'],
];

it.each(combinations)('a user signs in with %s on %s, with storage in %s', async (...combination) => {
  const [framework, runtime, driver] = combination;
  const file = join(createFolder(), 'auth.db');
  const output = await runProgram(consumer, runtime, 'serve', [framework, driver, file]);
  expect(JSON.parse(output)).toEqual(expected);
});

it('a user signs in with Hono on workerd, with storage in D1', async () => {
  const folder = createFolder();
  const options = ['--local', '--persist-to', folder, '--config', 'programs/wrangler.json'];
  await runCommand(consumer, {
    file: join(consumer, 'node_modules/.bin/wrangler'),
    args: ['d1', 'migrations', 'apply', 'DB', ...options],
  });
  const outcome = JSON.parse(await runProgram(consumer, 'Node 24', 'run-worker', [folder]));
  expect(outcome).toEqual(expected);
  // The user is still in the database when the Worker is started again.
  const { users } = JSON.parse(await runProgram(consumer, 'Node 24', 'run-worker', [folder]));
  expect(users).toEqual(outcome.users);
});
