-- A player's score. `users` is a table of the broker: deleting a user also deletes the score.
CREATE TABLE scores (
  user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  score INTEGER NOT NULL CHECK (score >= 0)
) STRICT, WITHOUT ROWID;
