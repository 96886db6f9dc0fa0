import { describe, expect, it } from 'vitest';
import { createGame, type RandomBytes } from '../../src/game/game.ts';
import type { GameStore, NewRound } from '../../src/game/game-store.ts';
import type { WordList } from '../../src/game/word-list.ts';

const list: WordList = ['owl', 'fox', 'camel', 'zebra'].map((word) => ({ word, hints: [] }));
const otherList: WordList = list.map(({ word }) => ({ word: [...word].toReversed().join(''), hints: [] }));

/** Starts a round, and returns what the game stores. */
const startRound = async (randomBytes: RandomBytes, words: WordList = list): Promise<NewRound> => {
  const rounds: NewRound[] = [];
  const fail = () => Promise.reject(new Error('not called'));
  const store: GameStore = {
    start: async (_, round) => {
      rounds.push(round);
      return { kind: 'user-not-found' };
    },
    guess: fail,
    takeHint: fail,
    giveUp: fail,
    read: fail,
    readHistory: fail,
    increaseScore: fail,
  };
  const game = createGame({
    url: 'https://words.example/play',
    store,
    readWordList: async () => words,
    chooseDailyWord: fail,
    now: () => 1_800_000_000,
    randomBytes,
  });
  await game.startRound('ada', 'animals', 'en');
  const [round] = rounds;
  if (round === undefined) throw new Error('no round was stored');
  return round;
};

/** Returns the same bytes each time. */
const repeat =
  (...bytes: number[]): RandomBytes =>
  (length) =>
    Uint8Array.from({ length }, (_, index) => bytes[index % bytes.length] ?? 0);

describe('the candidates of a round', () => {
  it('are all words of the list, each with its letters once, in an order that only the random bytes determine', async () => {
    const [forward, backward] = [
      await startRound(repeat(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4)),
      await startRound(repeat(0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1)),
    ];
    expect(forward.candidates).toEqual([
      ['owl', 'owl'],
      ['fox', 'fox'],
      ['camel', 'camel'],
      ['zebra', 'zebra'],
    ]);
    expect(backward.candidates).toEqual(forward.candidates.toReversed());
  });
});

describe('the ID of a round', () => {
  it('A1.2 depends on the random bytes, and not on the words', async () => {
    const bytes = repeat(1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 255);
    const [one, other] = [await startRound(bytes), await startRound(bytes, otherList)];
    expect(one.id).toBe('animals-en-123456789z0z');
    expect(other.id).toBe(one.id);
    expect(other.candidates).not.toEqual(one.candidates);
  });
});
