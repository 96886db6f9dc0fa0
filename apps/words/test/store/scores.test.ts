import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { d1Scores, ScoresUnavailable } from '../../src/store/scores.ts';
import { addUser, makeUnreachable } from './database.ts';

beforeAll(emptyD1);

const readRows = async (): Promise<unknown> => (await env.DB.prepare('SELECT * FROM scores').all()).results;

describe('a score', () => {
  const scores = d1Scores(env.DB);

  it('is 0 before the first point, and reading it writes nothing', async () => {
    const ada = await addUser('ada');
    expect(await scores.read(ada)).toEqual({ kind: 'found', score: 0 });
    expect(await readRows()).toEqual([]);
  });

  it('increases by the points that are added', async () => {
    const bob = await addUser('bob');
    expect(await scores.add(bob, 1)).toEqual({ kind: 'found', score: 1 });
    expect(await scores.add(bob, 2)).toEqual({ kind: 'found', score: 3 });
    expect(await scores.read(bob)).toEqual({ kind: 'found', score: 3 });
  });

  it('belongs to one player', async () => {
    const [cat, dan] = [await addUser('cat'), await addUser('dan')];
    await scores.add(cat, 1);
    expect(await scores.read(dan)).toEqual({ kind: 'found', score: 0 });
  });

  it('counts each of many concurrent additions, and returns a different result to each', async () => {
    const eve = await addUser('eve');
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => scores.add(eve, 1)));
    const returnedScores = outcomes.map((outcome) =>
      outcome.kind === 'found' ? outcome.score : outcome.kind,
    );
    expect(returnedScores.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  it('of a deleted player is deleted, and no new one is created', async () => {
    const fay = await addUser('fay');
    await scores.add(fay, 1);
    await env.DB.prepare('DELETE FROM users WHERE id = ?1').bind(fay).run();
    expect(await env.DB.prepare('SELECT * FROM scores WHERE user_id = ?1').bind(fay).first()).toBeNull();
    expect(await scores.read(fay)).toEqual({ kind: 'user-not-found' });
    expect(await scores.add(fay, 1)).toEqual({ kind: 'user-not-found' });
    expect(await env.DB.prepare('SELECT * FROM scores WHERE user_id = ?1').bind(fay).first()).toBeNull();
  });

  it('is never negative', async () => {
    const gus = await addUser('gus');
    await expect(scores.add(gus, -1)).rejects.toThrow(ScoresUnavailable);
    expect(await scores.read(gus)).toEqual({ kind: 'found', score: 0 });
  });

  it.each([
    ['read', (scoreStore: ReturnType<typeof d1Scores>) => scoreStore.read('ada')],
    ['added to', (scoreStore: ReturnType<typeof d1Scores>) => scoreStore.add('ada', 1)],
  ])('is %s in one round trip', async (_, callScores) => {
    const { db, trips } = countingD1(env.DB);
    await callScores(d1Scores(db));
    expect(trips()).toBe(1);
  });

  it.each([
    ['read', (scoreStore: ReturnType<typeof d1Scores>) => scoreStore.read('ada')],
    ['added to', (scoreStore: ReturnType<typeof d1Scores>) => scoreStore.add('ada', 1)],
  ])('is unavailable if it cannot be %s, and the message contains no SQL', async (_, callScores) => {
    const failedCall = callScores(d1Scores(makeUnreachable(env.DB)));
    await expect(failedCall).rejects.toThrow(
      new ScoresUnavailable('the scores could not be read or written'),
    );
    await expect(failedCall).rejects.toHaveProperty('cause.message', 'D1_ERROR: Network connection lost.');
  });
});
