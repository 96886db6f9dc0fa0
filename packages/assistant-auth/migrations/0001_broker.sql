-- The broker's storage. What each column means, who writes it and when a row goes: docs/storage-schema.md.
-- Instants are whole seconds since 1970-01-01T00:00:00Z.

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label TEXT,
  sealed_refresh_token TEXT,
  check_after INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  client_id TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_type(scopes) = 'array'),
  resource TEXT NOT NULL,
  claims TEXT NOT NULL CHECK (json_type(claims) = 'object'),
  refresh_policy TEXT NOT NULL CHECK (refresh_policy IN ('none', 'stable', 'rotating')),
  created_at INTEGER NOT NULL,
  redeemed_at INTEGER,
  last_used_at INTEGER,
  access_dies_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  rotated_at INTEGER,
  refresh_idle_expires_at INTEGER,
  refresh_absolute_expires_at INTEGER,
  revoked_at INTEGER,
  revoked_reason TEXT,
  -- An hour at least, the longest life of a transaction: one that comes back twice must find its grant.
  needed_until INTEGER NOT NULL GENERATED ALWAYS AS (
    max(
      created_at + 3600,
      coalesce(access_dies_at, 0),
      iif(revoked_at IS NULL AND refresh_policy <> 'none', coalesce(refresh_idle_expires_at, 0), 0)
    )
  ) VIRTUAL
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_identity ON grants (provider, subject);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_need ON grants (needed_until);

-- AUTOINCREMENT: a number is never given twice, even after the newest rows were swept.
CREATE TABLE revocations (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('grant', 'user', 'client')),
  id TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  dead_after INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_by_target ON revocations (kind, id);
