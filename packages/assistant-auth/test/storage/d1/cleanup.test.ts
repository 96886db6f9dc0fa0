import { beforeEach, describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import { buildCleanup, day, signIn, signInAndRedeem, t0 } from '../storage-contract/sample.ts';
import { emptyD1 } from './empty-d1.ts';

let db: D1Database;
beforeEach(async () => {
  db = await emptyD1();
});

const readRows = async (table: string) =>
  (await db.prepare(`SELECT * FROM ${table} ORDER BY seq`).all()).results;

/** Adds rows of the audit, a day apart. */
const addRows = (count: number): Promise<unknown> =>
  db
    .prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1 - 1)
      INSERT INTO audit (at, event, actor) SELECT ?2 + n * ?3, 'deleted', 'user' FROM numbers`,
    )
    .bind(count, t0, day)
    .run();

const cleanupAt = (now: number, deleteAuditBefore: number) => ({ ...buildCleanup(now), deleteAuditBefore });

describe('a cleanup of the audit', () => {
  it('deletes what was before, and nothing else', async () => {
    await addRows(10);
    await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 4 * day));
    expect((await readRows('audit')).map(({ at }) => at)).toEqual(
      [4, 5, 6, 7, 8, 9].map((n) => t0 + n * day),
    );
  });

  it('deletes all when all is old', async () => {
    await addRows(3);
    await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 9 * day));
    expect(await readRows('audit')).toEqual([]);
    await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 9 * day));
  });

  it('deletes ten thousand at a time', async () => {
    await addRows(10_500);
    await d1Storage(db).cleanUp(cleanupAt(t0 + 20_000 * day, t0 + 20_000 * day));
    expect(await readRows('audit')).toHaveLength(500);
    await d1Storage(db).cleanUp(cleanupAt(t0 + 20_000 * day, t0 + 20_000 * day));
    expect(await readRows('audit')).toEqual([]);
  });

  it('keeps what happened just now', async () => {
    await signInAndRedeem(d1Storage(db));
    await d1Storage(db).recordSignIn(signIn({ grantId: 'grant-2' }));
    await d1Storage(db).cleanUp(buildCleanup(t0 + 90 * day));
    expect(await readRows('audit')).toHaveLength(2);
    await d1Storage(db).cleanUp(buildCleanup(t0 + 90 * day + 1));
    expect(await readRows('audit')).toEqual([]);
  });
});

describe('a cleanup with another key at the front', () => {
  const cleanup = (now: number, sealingKey: string) =>
    d1Storage(db).cleanUp({ ...buildCleanup(now), sealingKey });

  it('remembers since when each has sealed, the first one without a word', async () => {
    await cleanup(t0, 'key-1');
    await cleanup(t0 + 1, 'key-1');
    expect(await readRows('audit')).toEqual([]);
    await cleanup(t0 + 2, 'key-2');
    await cleanup(t0 + 3, 'key-2');
    expect(await readRows('sealing_keys')).toEqual([
      { seq: expect.any(Number), id: 'key-1', sealing_since: t0 },
      { seq: expect.any(Number), id: 'key-2', sealing_since: t0 + 2 },
    ]);
    expect(await readRows('audit')).toMatchObject([
      {
        at: t0 + 2,
        event: 'key-rotated',
        actor: 'operator',
        reason: 'key-2',
        user_id: null,
        client_id: null,
      },
    ]);
  });

  it('notes a key that comes back', async () => {
    for (const [at, key] of ['key-1', 'key-2', 'key-1'].entries()) await cleanup(t0 + at, key);
    expect(await readRows('sealing_keys')).toMatchObject([{ id: 'key-1' }, { id: 'key-2' }, { id: 'key-1' }]);
    expect(await readRows('audit')).toHaveLength(2);
  });

  it('notes a change once when 20 clean up at once', async () => {
    await cleanup(t0, 'key-1');
    await Promise.all(Array.from({ length: 20 }, () => cleanup(t0 + 1, 'key-2')));
    expect(await readRows('sealing_keys')).toHaveLength(2);
    expect(await readRows('audit')).toHaveLength(1);
  });
});

describe('the keys of the ring', () => {
  const cleanup = (now: number, ...ringKeys: readonly string[]) =>
    d1Storage(db).cleanUp({ ...buildCleanup(now), ringKeys });

  const readRingKeys = async () => {
    const { results } = await db
      .prepare('SELECT id, in_ring_since FROM ring_keys')
      .all<{ id: string; in_ring_since: number }>();
    return Object.fromEntries(results.map(({ id, in_ring_since: since }) => [id, since]));
  };

  it('are recorded with the time of the first cleanup that found them there', async () => {
    await cleanup(t0, 'key-1');
    await cleanup(t0 + 1, 'key-1', "o'key; --");
    await cleanup(t0 + 2, "o'key; --", 'key-1');
    expect(await readRingKeys()).toEqual({ 'key-1': t0, "o'key; --": t0 + 1 });
  });

  it('T16.3 rollback: are recorded with a new time after a cleanup that did not find them', async () => {
    await cleanup(t0, 'key-1', 'key-2');
    await cleanup(t0 + 1, 'key-1');
    expect(await readRingKeys()).toEqual({ 'key-1': t0 });
    await cleanup(t0 + 2, 'key-1', 'key-2');
    expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 + 2 });
  });

  it('T16.3 rollback: never have a time before the last cleanup of a deployment without them', async () => {
    for (const at of [0, 2, 4]) {
      await cleanup(t0 + at, 'key-1', 'key-2');
      await cleanup(t0 + at + 1, 'key-1');
    }
    expect(await readRingKeys()).toEqual({ 'key-1': t0 });
    await cleanup(t0 + 6, 'key-1', 'key-2');
    expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 + 6 });
  });

  it('are recorded once when 20 clean up at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => cleanup(t0, 'key-1', 'key-2')));
    expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 });
  });
});
