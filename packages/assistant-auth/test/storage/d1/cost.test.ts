import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import { buildCleanup, t0 } from '../storage-contract/sample.ts';
import { countingD1 } from './counting-d1.ts';
import { emptyD1 } from './empty-d1.ts';
import { everyMethod } from './every-method.ts';
import { insertOtherUsers, otherUserCount } from './other-users.ts';

describe('storage on D1', () => {
  beforeAll(emptyD1);

  it.each(everyMethod)('makes one round trip: %s', async (_, call) => {
    const { db, trips } = countingD1(env.DB);
    await call(d1Storage(db));
    expect(trips()).toBe(1);
  });
});

const wholeTableMethods: readonly string[] = ['cleanUp', 'readRevocations', 'findUpstreamTokens'];
const singleTargetMethods = everyMethod.filter(([name]) => !wholeTableMethods.includes(name));

describe('among many others', () => {
  beforeAll(async () => insertOtherUsers(await emptyD1(), t0));

  it.each(singleTargetMethods)('reads a handful of rows: %s', async (_, call) => {
    const { db, usage } = countingD1(env.DB);
    await call(d1Storage(db));
    expect(usage().rowsRead).toBeGreaterThan(0);
    expect(usage().rowsRead).toBeLessThan(40);
  });

  it('reads a handful of rows: deleting a user with all that is theirs', async () => {
    const { db, usage } = countingD1(env.DB);
    await db.batch([db.prepare("DELETE FROM users WHERE id = '!other-1'")]);
    expect(usage().rowsRead).toBeLessThan(20);
  });

  it('reads a handful of rows: revocationsSince, up to date', async () => {
    const { db, usage } = countingD1(env.DB);
    await d1Storage(db).readRevocations(otherUserCount, t0, 10_000);
    expect(usage().rowsRead).toBeLessThan(20);
  });

  it('reads no grant that is needed: cleanUp', async () => {
    const { db, usage } = countingD1(env.DB);
    await env.DB.prepare('DELETE FROM revocations').run();
    await d1Storage(db).cleanUp(buildCleanup(t0 + 3600));
    expect(usage().rowsRead).toBeLessThan(20);
  });
});

describe('countingD1', () => {
  it('counts every way to the database and no preparation', async () => {
    const { db, trips } = countingD1(env.DB);
    const statement = db.prepare('SELECT ?1 AS n').bind(7);
    expect(trips()).toBe(0);
    expect(await statement.first()).toEqual({ n: 7 });
    expect(await statement.first('n')).toBe(7);
    expect((await statement.all()).results).toEqual([{ n: 7 }]);
    expect((await statement.run()).success).toBe(true);
    expect(await statement.raw()).toEqual([[7]]);
    expect(trips()).toBe(5);
    const results = await db.batch([statement, db.prepare('SELECT 8 AS n')]);
    expect(results.map(({ results: rows }) => rows)).toEqual([[{ n: 7 }], [{ n: 8 }]]);
    await db.exec('SELECT 9');
    expect(await db.withSession().prepare('SELECT 10 AS n').first('n')).toBe(10);
    expect(trips()).toBe(8);
  });

  it('counts the rows that are billed, with index entries', async () => {
    const { db, usage } = countingD1(await emptyD1());
    const insert = db.prepare(
      "INSERT INTO revocations (kind, id, revoked_at, expires_at) VALUES ('grant', ?1, 1, 2)",
    );
    await db.batch([insert.bind('a'), insert.bind('b')]);
    await insert.bind('c').run();
    expect(usage()).toMatchObject({ trips: 2, statements: 3, rowsWritten: 9 });
    const before = usage().rowsRead;
    expect(await db.prepare('SELECT id FROM revocations ORDER BY seq').first('id')).toBe('a');
    expect(usage().rowsRead - before).toBe(3);
  });

  it('does not guess rows', async () => {
    const { db, usage } = countingD1(env.DB);
    await db.prepare('SELECT 1').raw();
    expect(usage).toThrow('a call was made whose answer tells no rows');
  });
});
