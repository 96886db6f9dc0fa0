/** Scores in D1. Each question is one statement, which also tells whether the player still exists. */

/** A score, or that the player was deleted. */
export type ScoreOutcome =
  | { readonly kind: 'found'; readonly score: number }
  | { readonly kind: 'user-not-found' };

export interface Scores {
  /** Reads a score; 0 before the first point. */
  read(userId: string): Promise<ScoreOutcome>;
  /** Adds points and gives the new score. Concurrent additions all count. */
  add(userId: string, points: number): Promise<ScoreOutcome>;
}

/** The database did not answer. Thrown by every method; whether an addition arrived is unknown then. */
export class ScoresUnavailable extends Error {
  override readonly name = 'ScoresUnavailable';
}

/** Keeps scores in a D1 database, beside the broker's `users`. */
export const d1Scores = (db: D1Database): Scores => ({
  read: (userId) => ask(db.prepare(readScore).bind(userId)),
  add: (userId, points) => ask(db.prepare(addPoints).bind(userId, points)),
});

const readScore = `
  SELECT coalesce(scores.score, 0) AS score
  FROM users LEFT JOIN scores ON scores.user_id = users.id
  WHERE users.id = ?1`;

const addPoints = `
  INSERT INTO scores (user_id, score)
  SELECT id, ?2 FROM users WHERE id = ?1
  ON CONFLICT (user_id) DO UPDATE SET score = score + excluded.score
  RETURNING score`;

const ask = async (statement: D1PreparedStatement): Promise<ScoreOutcome> => {
  const row = await first(statement);
  return row === null ? { kind: 'user-not-found' } : { kind: 'found', score: row.score };
};

const first = async (statement: D1PreparedStatement): Promise<{ readonly score: number } | null> => {
  try {
    return await statement.first<{ readonly score: number }>();
  } catch (cause) {
    throw new ScoresUnavailable('the scores are out of reach', { cause });
  }
};
