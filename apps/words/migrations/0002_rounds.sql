-- The rounds that the server judges. Only a player's latest rounds are kept. Times are in seconds.
CREATE TABLE rounds (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The category, the language and a random part: `animals-en-k3v9x2m7q4wz`.
  id TEXT NOT NULL,
  -- The UTC date, if the round is that of a daily word.
  daily TEXT,
  -- As in the list of the category and language.
  word TEXT NOT NULL,
  -- The letters from a to z in the word that the player has not found yet, each one once.
  hidden_letters TEXT NOT NULL,
  -- In order, each one after a space: `+a` a correct guess, `-a` a wrong one, `?` a hint.
  moves TEXT NOT NULL DEFAULT '',
  wrong_guesses INTEGER NOT NULL DEFAULT 0,
  hints INTEGER NOT NULL DEFAULT 0,
  -- NULL while the round is open. A round that has expired has no outcome.
  outcome TEXT CHECK (outcome IN ('won', 'lost', 'given_up')),
  points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0),
  started_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;

-- Each player has one round of a daily word.
CREATE UNIQUE INDEX rounds_daily ON rounds (user_id, daily) WHERE daily IS NOT NULL;

-- `score` counts all words guessed. The other columns count only rounds that the server judged.
ALTER TABLE scores ADD COLUMN points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0);
ALTER TABLE scores ADD COLUMN rounds_started INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN rounds_won INTEGER NOT NULL DEFAULT 0;
-- The number of days in a row with a daily word won, up to `last_daily_won` (a UTC date).
ALTER TABLE scores ADD COLUMN streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN longest_streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN last_daily_won TEXT;
