/** What the game's operations work with: who plays, and where scores are kept. */
import type { Scores } from '../store/scores.ts';

export interface Player {
  readonly userId: string;
  readonly scores: Scores;
}

/** The player was deleted after the token was issued: signing in again makes a new one. */
export class PlayerDeleted extends Error {
  override readonly name = 'PlayerDeleted';
}
