import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { GameUnavailable, type NewRound, type RoundOutcome } from '../../src/game/game-store.ts';
import { d1GameStore } from '../../src/store/game-store.ts';
import { addUser, makeUnreachable } from './database.ts';

beforeAll(emptyD1);

const store = d1GameStore(env.DB);
const now = 1_800_000_000;
const noTotals = {
  score: 0,
  points: 0,
  rounds_started: 0,
  rounds_won: 0,
  streak: 0,
  longest_streak: 0,
  last_daily_won: null,
} as const;

/** A round of the word "camel". */
const camel = (id: string, changes: Partial<NewRound> = {}): NewRound => ({
  id,
  candidates: [['camel', 'camel']],
  expiresAt: now + 3600,
  ...changes,
});

const letter = (letters: string) => ({ kind: 'letter', letters, words: [] }) as const;
const word = (letters: string, ...words: string[]) => ({ kind: 'word', letters, words }) as const;
const rightWord = word('camel', 'camel');

/** Adds a user with a round of the word "camel". */
const startRound = async (userId: string, changes: Partial<NewRound> = {}): Promise<string> => {
  await addUser(userId);
  await store.start(userId, camel('r1', changes), now);
  return userId;
};

const expectFound = (outcome: RoundOutcome) => {
  if (outcome.kind !== 'found') throw new Error(`expected a round, got ${outcome.kind}`);
  return outcome;
};

const readTotals = async (userId: string) => {
  const history = await store.readHistory(userId);
  return history.kind === 'found' ? history.totals : history.kind;
};

describe('a round', () => {
  it('starts with its word hidden, and counts as started', async () => {
    await addUser('ada');
    expect(await store.start('ada', camel('r1'), now)).toEqual({
      kind: 'found',
      isChanged: true,
      round: expect.objectContaining({
        id: 'r1',
        daily: null,
        word: 'camel',
        hidden_letters: 'camel',
        moves: '',
        wrong_guesses: 0,
        hints: 0,
        outcome: null,
        points: 0,
        started_at: now,
        expires_at: now + 3600,
      }),
      totals: { ...noTotals, rounds_started: 1 },
    });
  });

  it('is changed by a correct letter, which hides nothing anymore', async () => {
    const player = await startRound('letters');
    expect(expectFound(await store.guess(player, 'r1', letter('m'), now))).toMatchObject({
      isChanged: true,
      round: { hidden_letters: 'cael', moves: ' +m', wrong_guesses: 0, outcome: null },
    });
  });

  it('is changed by a wrong letter and a wrong word, each of which costs a try', async () => {
    const player = await startRound('wrong');
    await store.guess(player, 'r1', letter('z'), now);
    expect(expectFound(await store.guess(player, 'r1', word('llama', 'llama'), now))).toMatchObject({
      isChanged: true,
      round: { hidden_letters: 'camel', moves: ' -z -llama', wrong_guesses: 2, outcome: null, points: 0 },
    });
  });

  it('is not changed by a guess that it has already, correct or wrong', async () => {
    const player = await startRound('repeating');
    const guesses = [letter('m'), letter('z'), word('llama', 'llama'), word('zz')];
    for (const guess of guesses) await store.guess(player, 'r1', guess, now);
    for (const guess of guesses)
      expect(expectFound(await store.guess(player, 'r1', guess, now))).toMatchObject({
        isChanged: false,
        round: { moves: ' +m -z -llama -zz', wrong_guesses: 3 },
      });
    // A guess is not mistaken for a part of another one.
    expect(expectFound(await store.guess(player, 'r1', word('lla'), now)).isChanged).toBe(true);
    expect(expectFound(await store.guess(player, 'r1', letter('l'), now)).isChanged).toBe(true);
  });

  it('is won with the last letter', async () => {
    const player = await startRound('spelling');
    for (const found of ['c', 'a', 'm', 'e']) await store.guess(player, 'r1', letter(found), now);
    expect(await readTotals(player)).toEqual({ ...noTotals, rounds_started: 1 });
    expect(expectFound(await store.guess(player, 'r1', letter('l'), now))).toMatchObject({
      isChanged: true,
      round: { hidden_letters: '', outcome: 'won', points: 15 },
      totals: { score: 1, points: 15, rounds_won: 1, streak: 0, last_daily_won: null },
    });
  });

  it('is won with the word, if it is among those that the guess stands for', async () => {
    const player = await startRound('knowing');
    const guess = word('camell', 'camel', 'came');
    expect(expectFound(await store.guess(player, 'r1', guess, now))).toMatchObject({
      isChanged: true,
      round: { moves: ' +camell', outcome: 'won', points: 15 },
    });
  });

  it.each([
    [0, 0, 15],
    [0, 1, 14],
    [0, 5, 10],
    [1, 0, 13],
    [4, 0, 7],
    [4, 5, 2],
  ])('is won with %i hints and %i wrong guesses for %i points', async (hints, wrongGuesses, points) => {
    const player = await startRound(`points ${hints} ${wrongGuesses}`);
    for (let hint = 0; hint < hints; hint++) await store.takeHint(player, 'r1', now);
    for (const wrong of 'zyxwv'.slice(0, wrongGuesses)) await store.guess(player, 'r1', letter(wrong), now);
    const outcome = expectFound(await store.guess(player, 'r1', rightWord, now));
    expect(outcome.round).toMatchObject({ outcome: 'won', points });
    expect(outcome.totals).toMatchObject({ score: 1, points });
  });

  it('is lost with the sixth wrong guess', async () => {
    const player = await startRound('losing');
    for (const wrong of 'zyxwv') await store.guess(player, 'r1', letter(wrong), now);
    expect(expectFound(await store.guess(player, 'r1', word('tiger', 'tiger'), now))).toMatchObject({
      isChanged: true,
      round: { wrong_guesses: 6, outcome: 'lost', points: 0 },
      totals: { score: 0, points: 0, rounds_started: 1, rounds_won: 0 },
    });
  });

  it('reveals four hints, and no more', async () => {
    const player = await startRound('asking');
    for (let hints = 1; hints <= 4; hints++)
      expect(expectFound(await store.takeHint(player, 'r1', now))).toMatchObject({
        isChanged: true,
        round: { hints, moves: ' ?'.repeat(hints) },
      });
    expect(expectFound(await store.takeHint(player, 'r1', now))).toMatchObject({
      isChanged: false,
      round: { hints: 4, moves: ' ? ? ? ?' },
    });
  });

  it('ends when the player gives up', async () => {
    const player = await startRound('giving up');
    expect(expectFound(await store.giveUp(player, 'r1', now))).toMatchObject({
      isChanged: true,
      round: { outcome: 'given_up', points: 0 },
      totals: { score: 0, points: 0 },
    });
  });

  it.each([
    ['won', (player: string) => store.guess(player, 'r1', rightWord, now), now],
    ['given_up', (player: string) => store.giveUp(player, 'r1', now), now],
    [null, async () => undefined, now + 3600],
  ])('is not changed by anything once its outcome is %s', async (outcome, end, later) => {
    const player = await startRound(`over ${outcome}`);
    await end(player);
    const before = await readTotals(player);
    for (const outcomeAfter of [
      await store.guess(player, 'r1', rightWord, later),
      await store.guess(player, 'r1', letter('c'), later),
      await store.guess(player, 'r1', letter('z'), later),
      await store.takeHint(player, 'r1', later),
      await store.giveUp(player, 'r1', later),
    ])
      expect(expectFound(outcomeAfter)).toMatchObject({ isChanged: false, round: { outcome, hints: 0 } });
    expect(await readTotals(player)).toEqual(before);
  });

  it('can be played until it expires', async () => {
    const player = await startRound('in time');
    expect(expectFound(await store.guess(player, 'r1', rightWord, now + 3599))).toMatchObject({
      isChanged: true,
      round: { outcome: 'won' },
    });
  });

  it('W15.2 is won once by 50 different correct guesses at the same time, for its player alone', async () => {
    const player = await startRound('racing');
    await startRound('bystander');
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        store.guess(player, 'r1', word(`camel${letters[index % 26]}${index < 26 ? 'a' : 'b'}`, 'camel'), now),
      ),
    );
    expect(outcomes.filter((outcome) => expectFound(outcome).isChanged)).toHaveLength(1);
    for (const outcome of outcomes)
      expect(expectFound(outcome)).toMatchObject({
        round: { outcome: 'won' },
        totals: { score: 1, points: 15 },
      });
    expect(await readTotals('bystander')).toEqual({ ...noTotals, rounds_started: 1 });
  });

  it('does not exist for another user', async () => {
    const player = await startRound('owner');
    await startRound('stranger', { id: 'r2' });
    for (const outcome of [
      await store.guess('stranger', 'r1', rightWord, now),
      await store.takeHint('stranger', 'r1', now),
      await store.giveUp('stranger', 'r1', now),
    ])
      expect(outcome).toEqual({ kind: 'round-not-found' });
    const history = await store.readHistory(player);
    expect(history).toMatchObject({ rounds: [{ id: 'r1', outcome: null, hints: 0, moves: '' }] });
    expect(await readTotals('stranger')).toEqual({ ...noTotals, rounds_started: 1 });
  });

  it('of a deleted user is deleted, and no new one is created', async () => {
    const player = await startRound('leaving');
    await env.DB.prepare('DELETE FROM users WHERE id = ?1').bind(player).run();
    for (const outcome of [
      await store.start(player, camel('r2'), now),
      await store.guess(player, 'r1', rightWord, now),
      await store.takeHint(player, 'r1', now),
      await store.giveUp(player, 'r1', now),
      await store.readHistory(player),
      await store.increaseScore(player),
    ])
      expect(outcome).toEqual({ kind: 'user-not-found' });
    for (const table of ['rounds', 'scores'])
      expect(
        await env.DB.prepare(`SELECT * FROM ${table} WHERE user_id = ?1`).bind(player).first(),
      ).toBeNull();
  });
});

describe('starting a round', () => {
  const wordOf = (outcome: RoundOutcome) => expectFound(outcome).round.word;

  const candidates = Array.from({ length: 16 }, (_, index) => [`word ${index}`, 'wordx'] as const);

  it('chooses the first candidate that is not the word of the last 15 rounds, and otherwise the first', async () => {
    const player = await addUser('returning');
    const startAndEnd = async (index: number, changes: Partial<NewRound>) => {
      const outcome = await store.start(player, camel(`r${index}`, changes), now + index);
      await store.giveUp(player, `r${index}`, now + index);
      return wordOf(outcome);
    };
    for (let index = 0; index < 16; index++)
      expect(await startAndEnd(index, { candidates })).toBe(`word ${index}`);
    // Only the first one is older than the last 15.
    expect(await startAndEnd(16, { candidates })).toBe('word 0');
    expect(await startAndEnd(17, { candidates: candidates.slice(3, 6) })).toBe('word 3');
  });

  it('A1.6 does not avoid the word of an open round, until that has expired', async () => {
    const player = await addUser('excluding');
    expect(wordOf(await store.start(player, camel('r0', { candidates }), now))).toBe('word 0');
    expect(wordOf(await store.start(player, camel('r1', { candidates }), now + 3599))).toBe('word 0');
    const later = camel('r2', { candidates, expiresAt: now + 7200 });
    expect(wordOf(await store.start(player, later, now + 3600))).toBe('word 1');
  });

  it('is possible 30 times in an hour', async () => {
    const player = await addUser('busy');
    for (let index = 0; index < 30; index++)
      expect(await store.start(player, camel(`r${index}`), now + index)).toMatchObject({ kind: 'found' });
    expect(await store.start(player, camel('r30'), now + 3599)).toEqual({ kind: 'round-not-found' });
    expect(await readTotals(player)).toEqual({ ...noTotals, rounds_started: 30 });
    expect(await store.start(player, camel('r30'), now + 3600)).toMatchObject({ kind: 'found' });
    expect(await store.start(player, camel('r31'), now + 3600)).toEqual({ kind: 'round-not-found' });
    expect(await store.start(await addUser('idle'), camel('r0'), now + 3600)).toMatchObject({
      kind: 'found',
    });
  });

  it('deletes all but the last 50 rounds of the player, and none of another player', async () => {
    const other = await startRound('another');
    const player = await addUser('frequent');
    for (let index = 0; index < 52; index++)
      await store.start(player, camel(`r${index}`), now + index * 3600);
    const history = await store.readHistory(player);
    const ids = history.kind === 'found' ? history.rounds.map(({ id }) => id) : [];
    expect(ids).toEqual(Array.from({ length: 50 }, (_, index) => `r${51 - index}`));
    const { results } = await env.DB.prepare('SELECT id FROM rounds WHERE user_id = ?1').bind(player).all();
    expect(results).toHaveLength(50);
    expect(await store.readHistory(other)).toMatchObject({ rounds: [{ id: 'r1' }] });
  });
});

describe('the round of a daily word', () => {
  const day = 86_400;
  const date = (days: number) => new Date((now + days * day) * 1000).toISOString().slice(0, 10);
  const startDaily = (player: string, days: number, id = `daily ${days}`) => {
    const time = now + days * day;
    return store.start(player, camel(id, { daily: date(days), expiresAt: time + day }), time);
  };
  const winDaily = async (player: string, days: number) => {
    await startDaily(player, days);
    return expectFound(await store.guess(player, `daily ${days}`, rightWord, now + days * day)).totals;
  };

  it('is started once, and returned as it is afterwards, also at the limit of rounds', async () => {
    const player = await addUser('daily');
    expect(await startDaily(player, 0, 'first')).toMatchObject({ isChanged: true, round: { id: 'first' } });
    await store.guess(player, 'first', letter('z'), now);
    for (let index = 0; index < 29; index++) await store.start(player, camel(`r${index}`), now);
    expect(await store.start(player, camel('r29'), now)).toEqual({ kind: 'round-not-found' });
    expect(await startDaily(player, 0, 'second')).toMatchObject({
      isChanged: false,
      round: { id: 'first', daily: date(0), moves: ' -z' },
      totals: { rounds_started: 30 },
    });
    expect(await startDaily(await addUser('daily too'), 0, 'other')).toMatchObject({ isChanged: true });
  });

  it('is started once by 20 requests at the same time', async () => {
    const player = await addUser('daily racing');
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => startDaily(player, 0, `id ${index}`)),
    );
    expect(new Set(outcomes.map((outcome) => expectFound(outcome).round.id)).size).toBe(1);
    expect(await readTotals(player)).toMatchObject({ rounds_started: 1 });
  });

  it('extends the streak on the next day, and starts a new one after a gap', async () => {
    const player = await addUser('daily streak');
    expect(await winDaily(player, 0)).toMatchObject({
      streak: 1,
      longest_streak: 1,
      last_daily_won: date(0),
    });
    expect(await winDaily(player, 1)).toMatchObject({
      streak: 2,
      longest_streak: 2,
      last_daily_won: date(1),
    });
    expect(await winDaily(player, 2)).toMatchObject({ streak: 3, longest_streak: 3, score: 3, points: 45 });
    expect(await winDaily(player, 4)).toMatchObject({
      streak: 1,
      longest_streak: 3,
      last_daily_won: date(4),
    });
  });

  it('does not extend the streak if it is lost, and other rounds do not change it', async () => {
    const player = await addUser('daily lost');
    await winDaily(player, 0);
    await startDaily(player, 1);
    expect(expectFound(await store.giveUp(player, 'daily 1', now + day)).totals).toMatchObject({ streak: 1 });
    await store.start(player, camel('r1', { expiresAt: now + 2 * day }), now + day);
    expect(expectFound(await store.guess(player, 'r1', rightWord, now + day)).totals).toMatchObject({
      streak: 1,
      longest_streak: 1,
      last_daily_won: date(0),
      score: 2,
    });
    expect(await winDaily(player, 2)).toMatchObject({ streak: 1, longest_streak: 1 });
  });

  it('that is won after that of the next day does not break the streak', async () => {
    const player = await addUser('daily late');
    await winDaily(player, 0);
    await startDaily(player, 1);
    expect(await winDaily(player, 2)).toMatchObject({ streak: 1, last_daily_won: date(2) });
    const late = await store.guess(player, 'daily 1', rightWord, now + 2 * day - 1);
    expect(expectFound(late).totals).toMatchObject({ streak: 1, last_daily_won: date(2), score: 3 });
    expect(await winDaily(player, 3)).toMatchObject({ streak: 2, last_daily_won: date(3) });
  });

  it('is kept for two days, however many rounds follow', async () => {
    const player = await addUser('daily kept');
    await startDaily(player, 0);
    for (let index = 1; index <= 60; index++)
      await store.start(player, camel(`r${index}`), now + index * 2880);
    expect(await startDaily(player, 0, 'again')).toMatchObject({
      isChanged: false,
      round: { id: 'daily 0' },
    });
    await store.start(player, camel('r61'), now + 2 * day + 1);
    expect(
      await env.DB.prepare("SELECT * FROM rounds WHERE id = 'daily 0' AND user_id = ?1").bind(player).first(),
    ).toBeNull();
  });
});

describe('a score', () => {
  it('is 0 before the first point, and reading it writes nothing', async () => {
    const player = await addUser('new');
    expect(await store.readHistory(player)).toEqual({ kind: 'found', totals: noTotals, rounds: [] });
    expect(await env.DB.prepare('SELECT * FROM scores WHERE user_id = ?1').bind(player).first()).toBeNull();
  });

  it('counts each of 50 concurrent increases, and returns a different result to each', async () => {
    const player = await addUser('increasing');
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.increaseScore(player)));
    const scores = outcomes.map((outcome) => (outcome.kind === 'found' ? outcome.totals.score : -1));
    expect(scores.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    expect(await readTotals(player)).toEqual({ ...noTotals, score: 50 });
  });

  it('counts rounds won in addition to increases', async () => {
    const player = await startRound('both');
    await store.increaseScore(player);
    await store.guess(player, 'r1', rightWord, now);
    expect(await readTotals(player)).toMatchObject({ score: 2, points: 15, rounds_won: 1 });
  });
});

const operations = [
  ['starting', (tested: typeof store) => tested.start('ada', camel('r9'), now)],
  ['guessing a letter', (tested: typeof store) => tested.guess('ada', 'r1', letter('c'), now)],
  ['guessing the word', (tested: typeof store) => tested.guess('ada', 'r1', rightWord, now)],
  ['a hint', (tested: typeof store) => tested.takeHint('ada', 'r1', now)],
  ['giving up', (tested: typeof store) => tested.giveUp('ada', 'r1', now)],
  ['the history', (tested: typeof store) => tested.readHistory('ada')],
  ['increasing the score', (tested: typeof store) => tested.increaseScore('ada')],
] as const;

describe.each(operations)('%s', (_, operate) => {
  it('takes one round trip', async () => {
    const { db, trips } = countingD1(env.DB);
    await operate(d1GameStore(db));
    expect(trips()).toBe(1);
  });

  it('fails while D1 is unreachable, with a message that contains no SQL', async () => {
    const failed = operate(d1GameStore(makeUnreachable(env.DB)));
    await expect(failed).rejects.toThrow(
      new GameUnavailable('the rounds and scores could not be read or written'),
    );
    await expect(failed).rejects.toHaveProperty('cause.message', 'D1_ERROR: Network connection lost.');
  });
});
