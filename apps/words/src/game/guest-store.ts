/**
 * Stores the round of a guest, who plays the daily word without signing in: in memory, for one request. The page
 * `/play` keeps the round in a cookie. It judges by the same rules as `store/game-store.ts`; tests compare the two.
 */
import type { JudgedGuess, RoundOutcome, RoundStore, StoredRound, Totals } from './game-store.ts';
import { hintCost, hintsPerWord, maxPoints, maxWrongGuesses, wrongGuessCost } from './scoring.ts';

/** The store of one guest. The IDs of users and rounds that its methods get are ignored. */
export interface GuestStore extends RoundStore {
  /** Returns the round after the latest operation. */
  readonly current: () => StoredRound | undefined;
}

/** Creates the store of a guest. Starting a round replaces one that is of another day, unless that is open. */
export const createGuestStore = (stored: StoredRound | undefined): GuestStore => {
  let round = stored;
  const read = async (): Promise<RoundOutcome> => toOutcome(round, false);
  /** Replaces the round with what `change` returns, unless the round is over. */
  const update = async (
    now: number,
    change: (open: StoredRound) => StoredRound | undefined,
  ): Promise<RoundOutcome> => {
    const changed = round !== undefined && isOpen(round, now) ? change(round) : undefined;
    round = changed ?? round;
    return toOutcome(round, changed !== undefined);
  };
  return {
    current: () => round,
    start: async (_userId, { id, daily = null, candidates: [candidate], expiresAt }, now) => {
      if (candidate === undefined || (round !== undefined && (round.daily === daily || isOpen(round, now))))
        return read();
      const [word, hidden_letters] = candidate;
      round = { ...newRound, id, daily, word, hidden_letters, started_at: now, expires_at: expiresAt };
      return toOutcome(round, true);
    },
    guess: (_userId, _id, guess, now) => update(now, (open) => judge(open, guess)),
    takeHint: (_userId, _id, now) =>
      update(now, (open) =>
        open.hints < hintsPerWord ? { ...open, hints: open.hints + 1, moves: `${open.moves} ?` } : undefined,
      ),
    giveUp: (_userId, _id, now) => update(now, (open) => ({ ...open, outcome: 'given_up' })),
    read,
  };
};

const newRound = { moves: '', wrong_guesses: 0, hints: 0, outcome: null, points: 0 } as const;

const isOpen = ({ outcome, expires_at }: StoredRound, now: number): boolean =>
  outcome === null && expires_at > now;

/** Returns `undefined` if the round already contains the guess. */
const judge = (round: StoredRound, { kind, letters, words }: JudgedGuess): StoredRound | undefined => {
  const moves = round.moves.split(' ');
  if (moves.includes(`+${letters}`) || moves.includes(`-${letters}`)) return undefined;
  const isWord = words.includes(round.word);
  const isCorrect = kind === 'letter' ? round.hidden_letters.includes(letters) : isWord;
  if (!isCorrect) {
    const wrong_guesses = round.wrong_guesses + 1;
    const outcome = wrong_guesses >= maxWrongGuesses ? 'lost' : null;
    return { ...round, moves: `${round.moves} -${letters}`, wrong_guesses, outcome };
  }
  const isWon = kind === 'letter' ? round.hidden_letters === letters : isWord;
  return {
    ...round,
    moves: `${round.moves} +${letters}`,
    hidden_letters: round.hidden_letters.replace(letters, ''),
    outcome: isWon ? 'won' : null,
    points: isWon ? maxPoints - hintCost * round.hints - wrongGuessCost * round.wrong_guesses : 0,
  };
};

const toOutcome = (round: StoredRound | undefined, isChanged: boolean): RoundOutcome =>
  round === undefined ? { kind: 'round-not-found' } : { kind: 'found', isChanged, round, totals: noTotals };

/** Nothing that a guest plays counts. */
const noTotals: Totals = {
  score: 0,
  points: 0,
  rounds_started: 0,
  rounds_won: 0,
  streak: 0,
  longest_streak: 0,
  last_daily_won: null,
};
