-- A player's score. `users` is the broker's: whoever deletes a user deletes the score with it.
CREATE TABLE scores (
  user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  score INTEGER NOT NULL CHECK (score >= 0)
) STRICT, WITHOUT ROWID;
