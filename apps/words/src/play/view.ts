/** What the page `/play` shows: the flags and values of its template, for a round or for a player without one. */
import { toDate } from '../game/daily-word.ts';
import type { History, PlayedRound } from '../game/game.ts';
import type { PlayView } from './template.ts';

/** Returns what a player can start or continue, and what the player has achieved. `now` is in seconds. */
export const viewOverview = ({ achievements, rounds }: History, now: number): PlayView => {
  const today = toDate(now);
  const daily = rounds.find((round) => round.daily === today)?.status ?? 'new';
  return {
    flags: toFlags({
      player: true,
      overview: true,
      [['new', 'open', 'won'].includes(daily) ? `daily-${daily}` : 'daily-over']: true,
      'has-rounds': rounds.length > 0,
      'has-streak': achievements.streak > 1,
    }),
    values: { ...toValues(achievements), date: today },
    rounds: rounds.slice(0, maxListedRounds),
  };
};

const maxListedRounds = 10;

/** Returns the view of a round. Its forms send `roundId`. */
export const viewRound = (
  { round, achievements, shareText = '' }: PlayedRound,
  visitor: 'player' | 'guest',
  roundId: string,
): PlayView => {
  const { status, daily, hints, hintsLeft, wrongGuesses } = round;
  const flags = toFlags({
    [visitor]: true,
    round: true,
    [status]: true,
    over: status !== 'open',
    daily: daily !== undefined,
    'hints-left': status === 'open' && hintsLeft > 0,
    'has-hints': hints.length > 0,
    'has-wrong': wrongGuesses.length > 0,
    'has-streak': achievements.streak > 1,
  });
  return {
    flags,
    values: {
      ...toValues(achievements),
      status,
      triesLeft: round.triesLeft,
      hintsLeft,
      length: round.length,
      category: round.category,
      language: round.language,
      date: daily ?? '',
      word: round.word ?? '',
      wonPoints: round.points ?? 0,
      shareText,
    },
    round,
    roundId,
  };
};

const toValues = ({ score, points, ...totals }: PlayedRound['achievements']): PlayView['values'] => ({
  score,
  points,
  streak: totals.streak,
  longestStreak: totals.longest_streak,
  roundsStarted: totals.rounds_started,
  roundsWon: totals.rounds_won,
});

const toFlags = (flags: Readonly<Record<string, boolean>>): ReadonlySet<string> =>
  new Set(Object.keys(flags).filter((flag) => flags[flag]));
