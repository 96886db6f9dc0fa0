/** The context of the game's operations: the signed-in user and the scores. */
import type { Scores } from '../store/scores.ts';

/** The context of an operation. */
export interface OperationContext {
  readonly userId: string;
  readonly scores: Scores;
}

/** The user was deleted after the token was issued. Signing in again creates a new user. */
export class PlayerDeleted extends Error {
  override readonly name = 'PlayerDeleted';
}
