/** The round of a guest, and that it is judged like the rounds of players, which SQL judges. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import type { NewRound, RoundOutcome, RoundStore, StoredRound } from '../../src/game/game-store.ts';
import { createGuestStore } from '../../src/game/guest-store.ts';
import { d1GameStore } from '../../src/store/game-store.ts';
import { addUser } from '../store/database.ts';

beforeAll(emptyD1);

const now = 1_800_000_000;

/** A round of the daily word "camel". */
const camel = (changes: Partial<NewRound> = {}): NewRound => ({
  id: 'r1',
  daily: '2027-01-15',
  candidates: [['camel', 'camel']],
  expiresAt: now + 3600,
  ...changes,
});

type Move = (store: RoundStore, userId: string) => Promise<RoundOutcome>;

const guessLetter =
  (letters: string, at = now): Move =>
  (store, userId) =>
    store.guess(userId, 'r1', { kind: 'letter', letters, words: [] }, at);
const guessWord =
  (letters: string, ...words: string[]): Move =>
  (store, userId) =>
    store.guess(userId, 'r1', { kind: 'word', letters, words }, now);
const takeHint: Move = (store, userId) => store.takeHint(userId, 'r1', now);
const giveUp: Move = (store, userId) => store.giveUp(userId, 'r1', now);

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'camelbdfgh').map((letter) => guessLetter(letter)) },
    fc.constant(takeHint),
    fc.constantFrom(guessWord('camels', 'camel'), guessWord('zebra', 'zebra'), guessWord('nothing')),
    fc.constantFrom(giveUp, guessLetter('a', now + 3600), guessLetter('q', now + 3599)),
  ),
  { maxLength: 20 },
);

/** A row of D1 has other columns, too. */
const readOutcome = (outcome: RoundOutcome) => {
  if (outcome.kind !== 'found') return outcome;
  const { isChanged, round } = outcome;
  const { word, hidden_letters, moves: made, wrong_guesses, hints, outcome: end, points } = round;
  const { id, daily, started_at, expires_at } = round;
  return [
    isChanged,
    word,
    hidden_letters,
    made,
    wrong_guesses,
    hints,
    end,
    points,
    id,
    daily,
    started_at,
    expires_at,
  ];
};

const readRound = (outcome: RoundOutcome): StoredRound => {
  if (outcome.kind !== 'found') throw new Error(`expected a round, got ${outcome.kind}`);
  return outcome.round;
};

describe('the round of a guest', () => {
  it('is judged like that of a player, whatever is played', async () => {
    let players = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (played) => {
        const player = await addUser(`player-${++players}`);
        const stores = [d1GameStore(env.DB), createGuestStore(undefined)] as const;
        const outcomes = await Promise.all(
          stores.map(async (store) => {
            const seen = [readOutcome(await store.start(player, camel(), now))];
            for (const move of played) seen.push(readOutcome(await move(store, player)));
            return [...seen, readOutcome(await store.read(player, 'r1'))];
          }),
        );
        expect(outcomes[1]).toEqual(outcomes[0]);
      }),
      { numRuns: 60 },
    );
  });

  it('counts for nobody', async () => {
    const store = createGuestStore(undefined);
    await store.start('guest', camel(), now);
    expect(await guessWord('camel', 'camel')(store, 'guest')).toMatchObject({
      round: { outcome: 'won', points: 15 },
      totals: { score: 0, points: 0, rounds_started: 0, rounds_won: 0, streak: 0, last_daily_won: null },
    });
  });

  it('is the same after it was stored', async () => {
    const first = createGuestStore(undefined);
    await first.start('guest', camel(), now);
    await guessLetter('a')(first, 'guest');
    const second = createGuestStore(first.current());
    expect(readRound(await second.start('guest', camel({ id: 'r2' }), now))).toEqual(first.current());
    expect(second.current()).toMatchObject({ id: 'r1', moves: ' +a', hidden_letters: 'cmel' });
  });

  it('is not replaced on the next day while it is open', async () => {
    const store = createGuestStore(undefined);
    await store.start('guest', camel(), now);
    const next = camel({ id: 'r2', daily: '2027-01-16', expiresAt: now + 90_000 });
    expect(readRound(await store.start('guest', next, now + 3599))).toMatchObject({ id: 'r1' });
    expect(readRound(await store.start('guest', next, now + 3600))).toMatchObject({
      id: 'r2',
      moves: '',
      outcome: null,
    });
  });

  it('is replaced on the next day if it is over, and stays until then', async () => {
    const store = createGuestStore(undefined);
    await store.start('guest', camel(), now);
    await giveUp(store, 'guest');
    expect(readRound(await store.start('guest', camel({ id: 'r2' }), now))).toMatchObject({
      id: 'r1',
      outcome: 'given_up',
    });
    const next = camel({ id: 'r2', daily: '2027-01-16' });
    expect(readRound(await store.start('guest', next, now))).toMatchObject({ id: 'r2', outcome: null });
  });

  it('does not exist before it was started', async () => {
    const store = createGuestStore(undefined);
    expect(store.current()).toBeUndefined();
    for (const move of [guessLetter('a'), guessWord('camel', 'camel'), takeHint, giveUp])
      expect(await move(store, 'guest')).toEqual({ kind: 'round-not-found' });
    expect(await store.read('guest', 'r1')).toEqual({ kind: 'round-not-found' });
    expect(await store.start('guest', camel({ candidates: [] }), now)).toEqual({ kind: 'round-not-found' });
  });
});
