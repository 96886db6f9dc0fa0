/** Stores scores in D1. Each method is one SQL statement, which also checks whether the user still exists. */

/** A score, or that the user was deleted. */
export type ScoreOutcome =
  | { readonly kind: 'found'; readonly score: number }
  | { readonly kind: 'user-not-found' };

/** The scores of all users. */
export interface Scores {
  /** Reads a score. It is 0 before the first point. */
  read(userId: string): Promise<ScoreOutcome>;
  /** Adds points and returns the new score. Concurrent additions all count. */
  add(userId: string, points: number): Promise<ScoreOutcome>;
}

/** The SQL statement failed. Every method can throw it. It is unknown whether an addition was stored. */
export class ScoresUnavailable extends Error {
  override readonly name = 'ScoresUnavailable';
}

/** Stores scores in a D1 database, which also contains the broker's table `users`. */
export const d1Scores = (db: D1Database): Scores => ({
  read: (userId) => runStatement(db.prepare(readScore).bind(userId)),
  add: (userId, points) => runStatement(db.prepare(addPoints).bind(userId, points)),
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

const runStatement = async (statement: D1PreparedStatement): Promise<ScoreOutcome> => {
  const row = await readFirstRow(statement);
  return row === null ? { kind: 'user-not-found' } : { kind: 'found', score: row.score };
};

const readFirstRow = async (statement: D1PreparedStatement): Promise<{ readonly score: number } | null> => {
  try {
    return await statement.first<{ readonly score: number }>();
  } catch (cause) {
    throw new ScoresUnavailable('the scores could not be read or written', { cause });
  }
};
