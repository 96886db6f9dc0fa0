-- What the operator looks back on. What each column means, who writes it and when a row goes: docs/storage-schema.md.

-- Without AUTOINCREMENT, which would write one more row each time: the number gives an order and is no cursor.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL CHECK (actor IN ('user', 'client', 'provider', 'operator', 'broker')),
  reason TEXT,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  client_id TEXT,
  provider TEXT
) STRICT;

CREATE INDEX audit_by_user ON audit (user_id) WHERE user_id IS NOT NULL;

-- One row for each time that another key began to seal.
CREATE TABLE sealing_keys (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  sealing_since INTEGER NOT NULL
) STRICT;
