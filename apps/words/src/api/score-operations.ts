/** The operations on the player's own score. */
import { defineOperation, noInput } from 'assistant-operations';
import * as v from 'valibot';
import { pointsPerWin } from '../game/scoring.ts';
import type { ScoreOutcome } from '../store/scores.ts';
import { type OperationContext, PlayerDeleted } from './player.ts';
import type { Scope } from './scopes.ts';

const scoreBody = v.strictObject({
  score: v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Rounds won so far.')),
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
  description: 'Returns the total number of rounds that the signed-in player has won.',
  output: v.pipe(scoreBody, v.description('The score.')),
  handle: async (_: object, { userId, scores }: OperationContext) => toScoreBody(await scores.read(userId)),
});

export const postScore = defineOperation({
  ...sharedOptions,
  id: 'post_score',
  method: 'post',
  summary: 'Add a won round to the player’s score',
  description: 'Increases the signed-in player’s score by one, for one won round, and returns the new score.',
  output: v.pipe(scoreBody, v.description('The score after the win.')),
  handle: async (_: object, { userId, scores }: OperationContext) =>
    toScoreBody(await scores.add(userId, pointsPerWin)),
});

const toScoreBody = (outcome: ScoreOutcome): { readonly score: number } => {
  switch (outcome.kind) {
    case 'found':
      return { score: outcome.score };
    case 'user-not-found':
      throw new PlayerDeleted();
  }
};
