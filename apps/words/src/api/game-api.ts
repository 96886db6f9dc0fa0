/** The API of the game: its operations, and its responses to unknown paths and to errors. */
import { defineApi, type Problem } from 'assistant-operations';
import { GameUnavailable } from '../game/game-store.ts';
import { WordsUnavailable } from '../game/word-list.ts';
import { PlayerDeleted } from './player.ts';
import { getHint, giveUp, guess, startRound } from './round-operations.ts';
import { getScore, postScore } from './score-operations.ts';
import { listedCategories, wordOperations } from './word-operations.ts';

/** The path below which every path belongs to the API. */
export const apiBasePath = '/api';

/** All operations of the game. */
export const gameApi = defineApi([
  ...wordOperations,
  startRound,
  guess,
  getHint,
  giveUp,
  getScore,
  postScore,
]);

/** Returns the problem for an unknown path. For an unknown category, it lists the categories. */
export const createUnknownPathProblem = (path: string): Problem =>
  path.startsWith(`${apiBasePath}/words/`)
    ? {
        status: 404,
        detail: `There is no such list of words. The lists are ${listedCategories.join(', ')}.`,
        members: { categories: listedCategories },
      }
    : { status: 404, detail: 'This path does not exist.' };

/**
 * Creates a function that maps the errors of the game to problems.
 * @param origin the realm (RFC 6750 §3) of the challenge
 * @param resourcePath the path of the resource (RFC 8707), which is empty if the resource is the origin. The
 *   challenge names the metadata of the resource (RFC 9728 §5.1)
 */
export const createErrorMapper =
  (origin: string, resourcePath: '' | `/${string}`) =>
  (error: unknown): Problem | undefined => {
    // After a 401, clients sign in again, which finds the user or creates a new one.
    if (error instanceof PlayerDeleted) {
      const detail = 'The access token is not valid.';
      const metadata = `${origin}/.well-known/oauth-protected-resource${resourcePath}`;
      const challenge =
        `Bearer realm="${origin}", error="invalid_token", error_description="${detail}", ` +
        `resource_metadata="${metadata}"`;
      return { status: 401, detail, headers: { 'www-authenticate': challenge } };
    }
    if (error instanceof GameUnavailable || error instanceof WordsUnavailable) {
      return {
        status: 503,
        detail: 'The game is temporarily unavailable. Try again in a moment.',
        headers: { 'retry-after': '10' },
      };
    }
    return undefined;
  };
