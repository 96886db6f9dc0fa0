/** How the game stores rounds and scores. `store/game-store.ts` implements it. */
import type { Guess } from './guess.ts';

/** A round as it is stored. Times are in seconds. The migration describes the columns. */
export interface StoredRound {
  readonly id: string;
  readonly daily: string | null;
  readonly word: string;
  readonly hidden_letters: string;
  readonly moves: string;
  readonly wrong_guesses: number;
  readonly hints: number;
  readonly outcome: 'won' | 'lost' | 'given_up' | null;
  /** The points that the round was won with. */
  readonly points: number;
  readonly started_at: number;
  readonly expires_at: number;
}

/** What a player has achieved so far. All numbers are 0 at first. */
export interface Totals {
  /** Words guessed: rounds won, and calls of `post_score`. */
  readonly score: number;
  readonly points: number;
  readonly rounds_started: number;
  readonly rounds_won: number;
  /** The days in a row with a daily word won, up to `last_daily_won`. */
  readonly streak: number;
  readonly longest_streak: number;
  readonly last_daily_won: string | null;
}

/** A round after an operation, or why there is none. */
export type RoundOutcome =
  | {
      readonly kind: 'found';
      /** Whether the operation changed the round. */
      readonly isChanged: boolean;
      readonly round: StoredRound;
      readonly totals: Totals;
    }
  | { readonly kind: 'user-not-found' }
  | { readonly kind: 'round-not-found' };

/** The totals of a player, or that the user was deleted. */
export type TotalsOutcome =
  | { readonly kind: 'found'; readonly totals: Totals }
  | { readonly kind: 'user-not-found' };

/** The totals and the latest rounds of a player, the latest first, or that the user was deleted. */
type HistoryOutcome =
  | { readonly kind: 'found'; readonly totals: Totals; readonly rounds: readonly StoredRound[] }
  | { readonly kind: 'user-not-found' };

/** A round to start. */
export interface NewRound {
  readonly id: string;
  /** The UTC date, if it is the round of the daily word. */
  readonly daily?: string;
  /** The words to choose from, in random order, each with its letters. */
  readonly candidates: readonly (readonly [word: string, letters: string])[];
  readonly expiresAt: number;
}

/** A guess, and the words of the list that it stands for, if it is a word. */
export interface JudgedGuess extends Pick<Guess, 'kind' | 'letters'> {
  readonly words: readonly string[];
}

/** Rounds that can be played. Every method can throw `GameUnavailable`. */
export interface RoundStore {
  /**
   * Starts a round with the first candidate that is not the word of one of the player's last rounds that are over. If the round of that
   * daily word exists, it is returned unchanged. If the player has started too many rounds, none is found.
   */
  readonly start: (userId: string, round: NewRound, now: number) => Promise<RoundOutcome>;
  /** Judges a guess, unless the round is over or already contains that guess. */
  readonly guess: (userId: string, id: string, guess: JudgedGuess, now: number) => Promise<RoundOutcome>;
  /** Reveals the next hint, unless the round is over or has no more hints. */
  readonly takeHint: (userId: string, id: string, now: number) => Promise<RoundOutcome>;
  /** Ends a round, unless it is over. */
  readonly giveUp: (userId: string, id: string, now: number) => Promise<RoundOutcome>;
  /** Returns a round. Changes nothing. */
  readonly read: (userId: string, id: string) => Promise<RoundOutcome>;
}

/** The rounds and scores of all users. */
export interface GameStore extends RoundStore {
  readonly readHistory: (userId: string) => Promise<HistoryOutcome>;
  /** Increases the score by one without a round. Concurrent calls all count. */
  readonly increaseScore: (userId: string) => Promise<TotalsOutcome>;
}

/** The database did not run the statements, or it is unknown whether it did. */
export class GameUnavailable extends Error {
  override readonly name = 'GameUnavailable';
}
