/** The context of the game's operations: the signed-in user and the game. */
import type { Game } from '../game/game.ts';

/** The context of an operation. */
export interface OperationContext {
  readonly userId: string;
  readonly game: Game;
}

/** The user was deleted after the token was issued. Signing in again creates a new user. */
export class PlayerDeleted extends Error {
  override readonly name = 'PlayerDeleted';
}
