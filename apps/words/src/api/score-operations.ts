/** The operations on the player's own score. */
import { defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';
import type { Achievements, History } from '../game/game.ts';
import type { RoundSummary } from '../game/round.ts';
import { type OperationContext, PlayerDeleted } from './player.ts';
import { formatTime, roundStatuses, roundSummary } from './round-operations.ts';
import type { Scope } from './scopes.ts';

const count = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.description(description));

const score = count('The words guessed so far.');

const historyBody = v.strictObject({
  score,
  points: count('The points of all rounds won.'),
  rounds_started: count('The rounds started with start_round.'),
  rounds_won: count('How many of these were won.'),
  streak: count('Days in a row with the daily word guessed.'),
  longest_streak: count('The longest streak so far.'),
  recent_rounds: v.pipe(
    v.array(
      v.strictObject({
        ...roundSummary,
        status: v.picklist(roundStatuses),
        word: v.string(),
        points_won: count('0 unless the round was won.'),
      }),
    ),
    v.description('The latest rounds that are over, the latest first.'),
  ),
});

const sharedOptions = {
  path: '/api/scoring',
  scopes: ['score'] satisfies Scope[],
  isConsequential: false,
  input: noInput,
} as const;

export const getScore = defineOperation({
  ...sharedOptions,
  id: 'get_score',
  method: 'get',
  summary: 'Get the player’s score',
  description: `Returns how many words the signed-in player has guessed, the points, the streak of daily words, and the latest rounds.`,
  output: v.pipe(historyBody, v.description('The score and the latest rounds.')),
  handle: async (_: object, { userId, game }: OperationContext) => {
    const outcome = await game.readHistory(userId);
    if (outcome.kind !== 'history') throw new PlayerDeleted();
    return toHistoryBody(outcome);
  },
});

export const postScore = defineOperation({
  ...sharedOptions,
  id: 'post_score',
  method: 'post',
  summary: 'Add a word to the player’s score',
  description: `Increases the signed-in player’s score by one, for a word that an assistant chose itself, and returns the new score. Never call it after start_round, whose rounds are counted when they are won.`,
  output: v.pipe(v.strictObject({ score }), v.description('The score after the win.')),
  handle: async (_: object, { userId, game }: OperationContext) => {
    const outcome = await game.increaseScore(userId);
    if (outcome.kind !== 'found') throw new PlayerDeleted();
    return { score: outcome.totals.score };
  },
});

/** How many rounds the history lists. */
const maxRecentRounds = 10;

/** What the game stores about a player, for the download of the account page. */
export const exportHistory = ({ achievements, rounds }: History) => ({
  ...toAchievementsBody(achievements),
  rounds: rounds.map((round) => ({
    ...toSummary(round),
    ...(round.word !== undefined && { word: round.word }),
    guesses: round.guesses,
    hints: round.hints,
  })),
});

const toAchievementsBody = (achievements: Achievements) => ({
  score: achievements.score,
  points: achievements.points,
  rounds_started: achievements.rounds_started,
  rounds_won: achievements.rounds_won,
  streak: achievements.streak,
  longest_streak: achievements.longest_streak,
});

/** Lists only rounds whose word can be revealed. */
const toHistoryBody = ({ achievements, rounds }: History) => ({
  ...toAchievementsBody(achievements),
  recent_rounds: rounds
    .flatMap((round) => (round.word === undefined ? [] : [{ ...toSummary(round), word: round.word }]))
    .slice(0, maxRecentRounds),
});

const toSummary = ({ id, category, language, daily, startedAt, status, points }: RoundSummary) => ({
  round: id,
  category,
  language,
  ...(daily !== undefined && { daily }),
  started_at: formatTime(startedAt),
  status,
  points_won: points,
});
