/** The operations on the player's own score. */
import { defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';
import type { History } from '../game/game.ts';
import type { RoundSummary } from '../game/round.ts';
import { type OperationContext, PlayerDeleted } from './player.ts';
import { formatTime, roundStatuses, roundSummary } from './round-operations.ts';
import type { Scope } from './scopes.ts';

const count = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.description(description));

const score = count('How many words the player has guessed.');

const historyBody = v.strictObject({
  score,
  points: count('The player’s points in total.'),
  rounds_started: count('How many rounds the player has started.'),
  rounds_won: count('How many rounds the player has won.'),
  streak: count('Days in a row with the daily word guessed.'),
  longest_streak: count('The longest streak so far.'),
  recent_rounds: v.pipe(
    v.array(
      v.strictObject({
        ...roundSummary,
        status: v.picklist(roundStatuses),
        mask: v.string(),
        word: v.optional(v.pipe(v.string(), v.description('Only if the round is over.'))),
        points_won: count('0 unless the round was won.'),
      }),
    ),
    v.description('The latest rounds, the latest first. Those with the status “open” can be continued.'),
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
  description:
    'Returns how many words the signed-in player has guessed, the points, the streak of daily words, and the latest rounds, including open ones.',
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
  summary: 'Add one to the player’s score',
  description:
    'Adds one to the player’s score, for a word that the assistant chose from a list, and returns the new score. Do not call it for rounds of start_round: the game counts those itself.',
  output: v.pipe(v.strictObject({ score }), v.description('The score after the win.')),
  handle: async (_: object, { userId, game }: OperationContext) => {
    const outcome = await game.increaseScore(userId);
    if (outcome.kind !== 'found') throw new PlayerDeleted();
    return { score: outcome.totals.score };
  },
});

/** How many rounds the history lists. */
const maxRecentRounds = 10;

/** What the game stores about a player, for the download of the account page, except the word of an open round. */
export const exportHistory = ({ achievements, rounds }: History) => ({
  ...achievements,
  rounds: rounds.map((round) => ({
    ...toSummary(round),
    expires_at: formatTime(round.expiresAt),
    moves: round.moves,
  })),
});

const toHistoryBody = ({ achievements: { last_daily_won: _, ...achievements }, rounds }: History) => ({
  ...achievements,
  recent_rounds: rounds.slice(0, maxRecentRounds).map(toSummary),
});

const toSummary = ({ id, daily, startedAt, word, points, ...round }: RoundSummary) => ({
  round: id,
  category: round.category,
  language: round.language,
  ...(daily !== undefined && { daily }),
  started_at: formatTime(startedAt),
  status: round.status,
  mask: round.mask,
  ...(word !== undefined && { word }),
  points_won: points,
});
