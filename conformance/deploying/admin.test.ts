/** Tests `npm run admin -- --remote`. Wrangler sends its requests to a fake of Cloudflare's API. */
import { afterEach, expect, it } from 'vitest';
import { runCommand } from '../commands/command.ts';
import { type CloudflareOptions, type FakeCloudflare, startFakeCloudflare } from './cloudflare.ts';

let cloudflare: FakeCloudflare;

afterEach(() => cloudflare.close());

const admin = async (options: Omit<CloudflareOptions, 'database'>, ...args: readonly string[]) => {
  cloudflare = await startFakeCloudflare({ database: 'present', ...options });
  return runCommand('admin', cloudflare.environment, { args: [...args, '--remote', '--json'] });
};

/** Returns the statements that were sent to the deployed database, one list per transaction. */
const queries = (): readonly (readonly string[])[] =>
  cloudflare.calls
    .filter(({ path }) => path === '/d1/database/11111111-1111-4111-8111-111111111111/query')
    .map(({ body }) => String(Object(JSON.parse(body)).sql).split(';\n'));

/** The time of the deployed database. */
const now = 1_800_000_000;
const isClock = (sql: string): boolean => sql.includes('unixepoch()');
const clockAnswer = [[{ now }], [{ changes: 0 }]];

it('asks the database of the Wrangler file, and reads what Cloudflare answers', async () => {
  const row = { id: 'user-1', created_at: 1, identities: 1, active_grants: 2, last_sign_in_at: null };
  const query = (sql: string) => (isClock(sql) ? clockAnswer : [[row], [{ changes: 0 }]]);
  const { code, stdout, stderr } = await admin({ query }, 'users');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual([{ id: 'user-1', createdAt: 1, identities: 1, activeGrants: 2 }]);
  expect(queries()).toEqual([
    [expect.stringContaining('unixepoch()'), 'SELECT changes() AS changes'],
    [expect.stringContaining('FROM users'), 'SELECT changes() AS changes'],
  ]);
  expect(queries()[1]?.[0]).toContain(String(now));
});

it('ends everything of a user in one transaction, by the database’s clock, whatever the id holds', async () => {
  const row = { at: 1, event: 'revoked', actor: 'operator', reason: 'other', user_id: 'user-1' };
  const query = (sql: string) => {
    if (isClock(sql)) return clockAnswer;
    return sql.startsWith('SELECT *') ? [[row], [{ changes: 0 }]] : [[], [{}], [], [{}], [], [{}]];
  };
  const { code, stderr } = await admin({ query }, 'revoke', 'user', "x'; DROP TABLE users");
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'Nothing was left to end of a user of that id.\n' });
  const [, ending = []] = queries();
  expect(ending.filter((_, at) => at % 2 === 0).map((text) => text.slice(0, 6))).toEqual([
    'INSERT',
    'UPDATE',
    'INSERT',
  ]);
  expect(ending[0]).toContain(String(now));
  expect(ending.join()).not.toContain('DROP');
});

it('says what Cloudflare said, and shows nothing, when it refuses', async () => {
  const { code, stdout, stderr } = await admin({ failing: /query/ }, 'audit');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^The database did not carry it out: .+/);
  expect(stderr).not.toContain('a-token');
});
