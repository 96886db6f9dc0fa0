/**
 * Plays rounds: chooses words, judges guesses, and reveals hints. The API, the MCP server and the site call the
 * same functions. A round belongs to its player: for anyone else, it does not exist.
 */

import { type Category, categories, type ListName, type WordLanguage, wordLanguages } from './categories.ts';
import { type ChooseDailyWord, startOfNextDay, toDate } from './daily-word.ts';
import type {
  GameStore,
  NewRound,
  RoundOutcome,
  RoundStore,
  StoredRound,
  Totals,
  TotalsOutcome,
} from './game-store.ts';
import { findMatches, type Match, parseGuess, toBaseLetters } from './guess.ts';
import {
  buildShareText,
  describeRound,
  type Round,
  type RoundSummary,
  readStreak,
  summarizeRound,
} from './round.ts';
import { roundLifetime } from './scoring.ts';
import type { ReadWordList, Word, WordList } from './word-list.ts';

/** Returns cryptographically random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** What a player chooses: a category, or the daily word. */
type RoundChoice = Category | 'daily';

/** What a guess did. `repeated` and `round_over` changed nothing. */
type GuessResult = 'correct' | 'wrong' | 'repeated' | 'round_over';

/** A round after an operation, and what its player has achieved. */
export interface PlayedRound {
  readonly kind: 'round';
  readonly round: Round;
  /** Whether the operation changed the round. */
  readonly isChanged: boolean;
  readonly achievements: Achievements;
  /** The result as text without spoilers, if the round is that of a daily word and over. */
  readonly shareText?: string;
}

/** A round after a guess. */
export interface PlayedGuess extends PlayedRound {
  readonly result: GuessResult;
  /** Whether the guess was accepted although it has a typo. */
  readonly isTypo: boolean;
}

/** Why there is no round. */
export interface NoRound {
  readonly kind: 'user-not-found' | 'round-not-found' | 'too-many-rounds' | 'not-a-guess';
}

/** What a player has achieved so far. */
interface Achievements extends Totals {
  /** Days in a row with a daily word won, up to today or yesterday. */
  readonly streak: number;
}

/** The achievements of a player and the latest rounds, the latest first. */
export interface History {
  readonly kind: 'history';
  readonly achievements: Achievements;
  readonly rounds: readonly RoundSummary[];
}

/** The rounds of one store. Every method can throw `GameUnavailable` or `WordsUnavailable`. */
export interface Rounds {
  /** Starts a round. If the round of today's daily word was started before, it is returned as it is. */
  startRound(userId: string, choice: RoundChoice, language: WordLanguage): Promise<PlayedRound | NoRound>;
  /** Guesses a letter or the word. */
  guess(userId: string, roundId: string, text: string): Promise<PlayedGuess | NoRound>;
  /** Reveals the next hint, if there is one. */
  takeHint(userId: string, roundId: string): Promise<PlayedRound | NoRound>;
  /** Ends a round and reveals its word. */
  giveUp(userId: string, roundId: string): Promise<PlayedRound | NoRound>;
  /** Returns a round. Changes nothing. */
  readRound(userId: string, roundId: string): Promise<PlayedRound | NoRound>;
}

/** The game of one deployment. */
export interface Game extends Rounds {
  readHistory(userId: string): Promise<History | NoRound>;
  /** Increases the score by one, for a round that an assistant judged. */
  increaseScore(userId: string): Promise<TotalsOutcome>;
  readonly readWordList: ReadWordList;
}

/** What rounds need from a deployment. */
export interface RoundOptions {
  /** Where everyone can play, for the text to share. */
  readonly url: string;
  readonly store: RoundStore;
  readonly readWordList: ReadWordList;
  readonly chooseDailyWord: ChooseDailyWord;
  /** Returns the current time in seconds. */
  readonly now: () => number;
  readonly randomBytes: RandomBytes;
}

/** Creates the game. */
export const createGame = (options: RoundOptions & { readonly store: GameStore }): Game => {
  const { store, readWordList, now } = options;
  return {
    ...createRounds(options),
    readHistory: async (userId) => {
      const outcome = await store.readHistory(userId);
      if (outcome.kind !== 'found') return outcome;
      return {
        kind: 'history',
        achievements: toAchievements(outcome.totals, now()),
        rounds: outcome.rounds.flatMap((round) => summarize(round, now())),
      };
    },
    increaseScore: store.increaseScore,
    readWordList,
  };
};

/** Creates the rounds of a store. */
export const createRounds = ({
  url,
  store,
  readWordList,
  chooseDailyWord,
  now,
  randomBytes,
}: RoundOptions): Rounds => {
  const toPlayedRound = async (outcome: RoundOutcome): Promise<PlayedRound | NoRound> => {
    if (outcome.kind !== 'found') return outcome;
    const { isChanged, totals } = outcome;
    const name = parseRoundId(outcome.round.id);
    if (name === undefined) return { kind: 'round-not-found' };
    const round = describeRound(outcome.round, name, await readWordList(name), now());
    const achievements = toAchievements(totals, now());
    const shareText = buildShareText(round, achievements.streak, url);
    return { kind: 'round', round, isChanged, achievements, ...(shareText !== undefined && { shareText }) };
  };
  const prepareRound = async (
    choice: RoundChoice,
    language: WordLanguage,
    startedAt: number,
  ): Promise<NewRound> => {
    const expiresAt = startedAt + roundLifetime;
    if (choice !== 'daily') {
      const name = { category: choice, language };
      const candidates = shuffle(await readWordList(name), randomBytes).map(toCandidate);
      return { id: createRoundId(name, randomBytes), candidates, expiresAt };
    }
    const daily = toDate(startedAt);
    const { category, word } = await chooseDailyWord(daily);
    const name = { category, language };
    const list = await readWordList(name);
    const index = word % list.length;
    return {
      id: createRoundId(name, randomBytes),
      daily,
      candidates: list.slice(index, index + 1).map(toCandidate),
      expiresAt: Math.max(expiresAt, startOfNextDay(startedAt)),
    };
  };
  return {
    startRound: async (userId, choice, language) => {
      const startedAt = now();
      const round = await prepareRound(choice, language, startedAt);
      const outcome = await store.start(userId, round, startedAt);
      return outcome.kind === 'round-not-found' ? { kind: 'too-many-rounds' } : toPlayedRound(outcome);
    },
    guess: async (userId, roundId, text) => {
      const name = parseRoundId(roundId);
      if (name === undefined) return { kind: 'round-not-found' };
      const guess = parseGuess(text, name.language);
      if (guess === undefined) return { kind: 'not-a-guess' };
      const matches = findMatches(await readWordList(name), name.language, guess);
      // A sentence should not cost a try. This depends only on the list, so it reveals nothing about the round.
      if (guess.isPhrase && matches.size === 0) return { kind: 'not-a-guess' };
      const { kind, letters } = guess;
      const judged = { kind, letters, words: [...matches.keys()] };
      const played = await toPlayedRound(await store.guess(userId, roundId, judged, now()));
      return played.kind === 'round' ? { ...played, ...describeResult(played, matches) } : played;
    },
    takeHint: async (userId, roundId) => toPlayedRound(await store.takeHint(userId, roundId, now())),
    giveUp: async (userId, roundId) => toPlayedRound(await store.giveUp(userId, roundId, now())),
    readRound: async (userId, roundId) => toPlayedRound(await store.read(userId, roundId)),
  };
};

const summarize = (stored: StoredRound, now: number): readonly RoundSummary[] => {
  const name = parseRoundId(stored.id);
  return name === undefined ? [] : [summarizeRound(stored, name, now)];
};

const describeResult = (
  { round, isChanged }: PlayedRound,
  matches: ReadonlyMap<string, Match>,
): Pick<PlayedGuess, 'result' | 'isTypo'> => {
  if (!isChanged) return { result: round.status === 'open' ? 'repeated' : 'round_over', isTypo: false };
  if (round.moves.at(-1) !== 'correct') return { result: 'wrong', isTypo: false };
  return { result: 'correct', isTypo: round.word !== undefined && matches.get(round.word) === 'typo' };
};

const toAchievements = (totals: Totals, now: number): Achievements => ({
  ...totals,
  streak: readStreak(totals, now),
});

const toCandidate = ({ word }: Word): readonly [word: string, letters: string] => [
  word,
  [...new Set(toBaseLetters(word))].join(''),
];

/** Returns the words in random order. */
const shuffle = (list: WordList, randomBytes: RandomBytes): readonly Word[] => {
  const random = new Uint32Array(randomBytes(4 * list.length).buffer);
  return list
    .map((word, index) => ({ word, order: random[index] ?? 0 }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ word }) => word);
};

// The ID of a round names the list of its word, so that a guess can be compared with the list before the round is
// read. It is not secret: a round is found only by its ID and its player.

const createRoundId = ({ category, language }: ListName, randomBytes: RandomBytes): string => {
  const random = Array.from(randomBytes(12), (byte) => idCharacters[byte % 32]);
  return `${category}-${language}-${random.join('')}`;
};

/** Crockford’s base32 alphabet, in lower case. */
const idCharacters = '0123456789abcdefghjkmnpqrstvwxyz';

const parseRoundId = (id: string): ListName | undefined => {
  const [categoryName, languageName, random = '', ...rest] = id.split('-');
  const category = categories.find((name) => name === categoryName);
  const language = wordLanguages.find((name) => name === languageName);
  const isValid = rest.length === 0 && /^[0-9a-z]{12}$/.test(random);
  return category && language && isValid ? { category, language } : undefined;
};
