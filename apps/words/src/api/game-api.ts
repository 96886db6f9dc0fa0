/** The API of the game: its operations, and what it answers where there is none. */
import { defineApi, type Problem } from 'assistant-operations';
import { categories } from '../game/categories.ts';
import { ScoresUnavailable } from '../store/scores.ts';
import { PlayerDeleted } from './player.ts';
import { getScore, postScore } from './score-operations.ts';
import { wordOperations } from './word-operations.ts';

/** The path below which everything is the API's. */
export const apiBasePath = '/api';

export const gameApi = defineApi([...wordOperations, getScore, postScore]);

/** Says what there would have been. */
export const createUnknownPathProblem = (path: string): Problem =>
  path.startsWith(`${apiBasePath}/words/`)
    ? {
        status: 404,
        detail: `There is no such category; there are ${categories.join(', ')}.`,
        members: { categories },
      }
    : { status: 404, detail: 'There is nothing at this path.' };

/**
 * Tells what a caller can do about an error.
 * @param origin the realm (RFC 6750 §3) of the challenge
 */
export const createErrorMapper =
  (origin: string) =>
  (error: unknown): Problem | undefined => {
    // 401 is what makes clients sign in again, which is all that helps: the user is looked up or made anew there.
    if (error instanceof PlayerDeleted) {
      const detail = 'The access token is not valid.';
      const challenge = `Bearer realm="${origin}", error="invalid_token", error_description="${detail}"`;
      return { status: 401, detail, headers: { 'www-authenticate': challenge } };
    }
    if (error instanceof ScoresUnavailable) {
      return {
        status: 503,
        detail: 'The scores are out of reach for a moment. Try again soon.',
        headers: { 'retry-after': '10' },
      };
    }
    return undefined;
  };
