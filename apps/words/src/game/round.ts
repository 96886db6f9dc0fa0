/**
 * A round as a player sees it. While the round is open, it contains nothing that depends on the word except its
 * length, the letters found, and the hints revealed.
 */

import type { ListName } from './categories.ts';
import { day, toDate } from './daily-word.ts';
import type { StoredRound, Totals } from './game-store.ts';
import { toBaseLetters } from './guess.ts';
import { hintsPerWord, maxWrongGuesses } from './scoring.ts';
import type { WordList } from './word-list.ts';

/** Whether a round can be played, or how it ended. */
export type RoundStatus = 'open' | 'won' | 'lost' | 'given_up' | 'expired';

/** A round as a player sees it. */
export interface Round extends ListName {
  readonly id: string;
  /** The UTC date, if it is the round of a daily word. */
  readonly daily?: string;
  readonly status: RoundStatus;
  /** The number of letters. */
  readonly length: number;
  /** The letters found and a `_` for each other letter, separated by spaces. All letters if the word is revealed. */
  readonly mask: string;
  /** Letters and words, in the order in which they were guessed, reduced to letters from a to z. */
  readonly wrongGuesses: readonly string[];
  readonly triesLeft: number;
  /** The hints that were revealed, in order. */
  readonly hints: readonly string[];
  readonly hintsLeft: number;
  /** In seconds. */
  readonly startedAt: number;
  /** In seconds. */
  readonly expiresAt: number;
  /** What the player did, in order. */
  readonly moves: readonly Move[];
  /** Only if the round is over, and if it has expired, after a minute. */
  readonly word?: string;
  /** Only if the round is won. */
  readonly points?: number;
}

/** What a player did: a guess that was correct or wrong, or a hint. */
type Move = 'correct' | 'wrong' | 'hint';

/** Describes a round at a time in seconds. `list` is the list of its word. */
export const describeRound = (
  stored: StoredRound,
  { category, language }: ListName,
  list: WordList,
  now: number,
): Round => {
  const { word } = stored;
  const status = readStatus(stored, now);
  const moves = listMoves(stored);
  // The list can have changed since the round started.
  const hints = list.find((entry) => entry.word === word)?.hints ?? [];
  return {
    id: stored.id,
    category,
    language,
    ...(stored.daily !== null && { daily: stored.daily }),
    status,
    length: word.length,
    mask: buildMask(stored, now),
    wrongGuesses: moves.filter((move) => move.startsWith('-')).map((move) => move.slice(1)),
    triesLeft: maxWrongGuesses - stored.wrong_guesses,
    hints: hints.slice(0, stored.hints),
    hintsLeft: hintsPerWord - stored.hints,
    startedAt: stored.started_at,
    expiresAt: stored.expires_at,
    moves: moves.map(toMove),
    ...(canRevealWord(stored, now) && { word }),
    ...(status === 'won' && { points: stored.points }),
  };
};

/** A round as the history lists it. */
export interface RoundSummary extends ListName {
  readonly id: string;
  readonly daily?: string;
  readonly status: RoundStatus;
  readonly mask: string;
  /** Only if the round is over, and if it has expired, after a minute. */
  readonly word?: string;
  /** 0 unless the round is won. */
  readonly points: number;
  /** In order: `+` and a correct guess, `-` and a wrong one, reduced to letters from a to z, or `?` for a hint. */
  readonly moves: readonly string[];
  /** In seconds. */
  readonly startedAt: number;
  /** In seconds. */
  readonly expiresAt: number;
}

/** Summarizes a round for the history. */
export const summarizeRound = (
  stored: StoredRound,
  { category, language }: ListName,
  now: number,
): RoundSummary => ({
  id: stored.id,
  category,
  language,
  ...(stored.daily !== null && { daily: stored.daily }),
  status: readStatus(stored, now),
  mask: buildMask(stored, now),
  ...(canRevealWord(stored, now) && { word: stored.word }),
  points: stored.points,
  moves: listMoves(stored),
  startedAt: stored.started_at,
  expiresAt: stored.expires_at,
});

/** Returns the current streak: 0 if the latest daily word that was won is older than that of yesterday. */
export const readStreak = (
  { streak, last_daily_won }: Pick<Totals, 'streak' | 'last_daily_won'>,
  now: number,
): number => (last_daily_won !== null && last_daily_won >= toDate(now - day) ? streak : 0);

/**
 * Returns the result of a daily word as text to share. It reveals neither the word nor a letter.
 * @returns `undefined` if the round is open, or not that of a daily word
 */
export const buildShareText = (
  { daily, status, moves, points, language }: Round,
  streak: number,
  url: string,
): string | undefined => {
  if (daily === undefined || status === 'open') return undefined;
  const texts = shareTexts[language];
  const result = points === undefined ? texts.notGuessed : texts.points(points);
  return [
    texts.title(daily),
    moves.map((move) => moveSymbols[move]).join('') + (status === 'won' ? '🏆' : '❌'),
    status === 'won' && streak > 1 ? `${result}, ${texts.streak(streak)}` : result,
    url,
  ].join('\n');
};

const moveSymbols: Readonly<Record<Move, string>> = { correct: '🟩', wrong: '🟥', hint: '💡' };

const shareTexts = {
  en: {
    title: (date: string) => `Words With Chat, daily word of ${date}`,
    notGuessed: 'Not guessed',
    points: (points: number) => `${points} points`,
    streak: (days: number) => `${days} days in a row`,
  },
  de: {
    title: (date: string) => `Words With Chat, Wort des Tages vom ${date.split('-').reverse().join('.')}`,
    notGuessed: 'Nicht erraten',
    points: (points: number) => `${points} Punkte`,
    streak: (days: number) => `${days} Tage in Folge`,
  },
} as const;

const readStatus = (
  { outcome, expires_at }: Pick<StoredRound, 'outcome' | 'expires_at'>,
  now: number,
): RoundStatus => outcome ?? (expires_at > now ? 'open' : 'expired');

/** The clocks of isolates differ, so the word is revealed only when no isolate accepts guesses anymore. */
const canRevealWord = (
  { outcome, expires_at }: Pick<StoredRound, 'outcome' | 'expires_at'>,
  now: number,
): boolean => outcome !== null || expires_at + clockTolerance <= now;

/** In seconds. */
const clockTolerance = 60;

const buildMask = (stored: StoredRound, now: number): string => {
  const isRevealed = canRevealWord(stored, now);
  return [...stored.word]
    .map((letter) => (isRevealed || !stored.hidden_letters.includes(toBaseLetters(letter)) ? letter : '_'))
    .join(' ');
};

const listMoves = ({ moves }: StoredRound): readonly string[] => moves.split(' ').slice(1);

const toMove = (move: string): Move => {
  if (move === '?') return 'hint';
  return move.startsWith('+') ? 'correct' : 'wrong';
};
