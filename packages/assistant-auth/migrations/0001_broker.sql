-- The broker's tables. docs/reference/tables.md describes each column, which method writes it, and when a row
-- is deleted. Times are whole seconds since 1970-01-01T00:00:00Z.

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
  -- The identifiers by which a provider's security events can refer to the stored upstream token.
  token_identifier TEXT,
  other_token_identifier TEXT,
  recheck_after INTEGER NOT NULL DEFAULT 0,
  -- Until then, a session can be continued without a recheck, because the provider confirmed the identity.
  verified_until INTEGER NOT NULL DEFAULT 0,
  -- The number of rechecks that started with the stored upstream token and whose outcome was not stored.
  -- After such a recheck, a provider that replaces refresh tokens can reject the stored one although the
  -- user's grant there was not revoked.
  unresolved_rechecks INTEGER NOT NULL DEFAULT 0,
  -- The time from which grants of the identity can't be refreshed, because a recheck was inconclusive and no token is left.
  refreshable_until INTEGER,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_by_user ON identities (user_id);
CREATE INDEX identities_by_token_identifier ON identities (token_identifier) WHERE token_identifier IS NOT NULL;
CREATE INDEX identities_by_other_token_identifier ON identities (other_token_identifier)
  WHERE other_token_identifier IS NOT NULL;

CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- The provider's session ID (OpenID Connect Back-Channel Logout 1.0 §2.1).
  sid TEXT,
  client_id TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_type(scopes) = 'array'),
  resource TEXT NOT NULL,
  claims TEXT NOT NULL CHECK (json_type(claims) = 'object'),
  refresh_policy TEXT NOT NULL CHECK (refresh_policy IN ('none', 'stable', 'rotating')),
  created_at INTEGER NOT NULL,
  -- When the session was created, if the grant was created in one; otherwise null. That is when the user
  -- signed in at the provider.
  signed_in_at INTEGER,
  -- When the code was claimed, if it was issued after a reconsent request; otherwise null.
  code_claimed_at INTEGER,
  redeemed_at INTEGER,
  last_used_at INTEGER,
  access_expires_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  -- The newest branch of the refresh token family: the generation of its first token, and the generation of the late token that
  -- started it. Null before the first branch, and without effect after the next rotation.
  branch_generation INTEGER,
  branch_started_from INTEGER,
  rotated_at INTEGER,
  -- When the previous refresh token was issued. It can still be used after a lost response, so it needs the key that sealed it.
  -- Null before the first rotation.
  previous_rotated_at INTEGER,
  refresh_idle_expires_at INTEGER,
  refresh_absolute_expires_at INTEGER,
  revoked_at INTEGER,
  revoked_reason TEXT,
  -- At least an hour, the longest lifetime of a login transaction: a repeated callback must find its grant.
  retain_until INTEGER NOT NULL GENERATED ALWAYS AS (
    max(
      created_at + 3600,
      coalesce(access_expires_at, 0),
      iif(revoked_at IS NULL AND refresh_policy <> 'none', coalesce(refresh_idle_expires_at, 0), 0)
    )
  ) VIRTUAL
) STRICT, WITHOUT ROWID;

-- With `created_at`, so that a query can count a user's recent sign-ins without reading all grants of the user.
CREATE INDEX grants_by_user ON grants (user_id, created_at);
CREATE INDEX grants_by_identity ON grants (provider, subject);
CREATE INDEX grants_by_session ON grants (provider, sid) WHERE sid IS NOT NULL;
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_retention ON grants (retain_until);

-- AUTOINCREMENT never reuses a number, even if the newest rows were deleted: readers use it as a cursor.
CREATE TABLE revocations (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('grant', 'user', 'client')),
  id TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_by_target ON revocations (kind, id);

-- The security events that were received, so that a repeated delivery is detected.
CREATE TABLE security_events (
  provider TEXT NOT NULL,
  jti TEXT NOT NULL,
  retain_until INTEGER NOT NULL,
  PRIMARY KEY (provider, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX security_events_by_retention ON security_events (retain_until);

-- Without AUTOINCREMENT, which would write one more row each time: the number is an order, not a cursor.
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

-- One row for each time that another key started to seal.
CREATE TABLE sealing_keys (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  sealing_since INTEGER NOT NULL
) STRICT;

-- When a cleanup run first found each key in the ring.
CREATE TABLE ring_keys (
  id TEXT PRIMARY KEY,
  in_ring_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
