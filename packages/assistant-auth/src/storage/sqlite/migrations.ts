/** The files in `migrations/`, split into statements. Written by `npm run migrations:embed`: do not edit. */

/** A migration, and its statements in order. */
interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
  {
    name: '0001_broker.sql',
    statements: [
      `CREATE TABLE users (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
      `CREATE TABLE identities (
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label TEXT,
  sealed_refresh_token TEXT,
  token_identifier TEXT,
  other_token_identifier TEXT,
  recheck_after INTEGER NOT NULL DEFAULT 0,
  verified_until INTEGER NOT NULL DEFAULT 0,
  unresolved_rechecks INTEGER NOT NULL DEFAULT 0,
  refreshable_until INTEGER,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID`,
      `CREATE INDEX identities_by_user ON identities (user_id)`,
      `CREATE INDEX identities_by_token_identifier ON identities (token_identifier) WHERE token_identifier IS NOT NULL`,
      `CREATE INDEX identities_by_other_token_identifier ON identities (other_token_identifier)
  WHERE other_token_identifier IS NOT NULL`,
      `CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  sid TEXT,
  client_id TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_type(scopes) = 'array'),
  resource TEXT NOT NULL,
  claims TEXT NOT NULL CHECK (json_type(claims) = 'object'),
  refresh_policy TEXT NOT NULL CHECK (refresh_policy IN ('none', 'stable', 'rotating')),
  created_at INTEGER NOT NULL,
  signed_in_at INTEGER,
  code_claimed_at INTEGER,
  redeemed_at INTEGER,
  last_used_at INTEGER,
  access_expires_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  branch_generation INTEGER,
  branch_started_from INTEGER,
  rotated_at INTEGER,
  previous_rotated_at INTEGER,
  refresh_idle_expires_at INTEGER,
  refresh_absolute_expires_at INTEGER,
  revoked_at INTEGER,
  revoked_reason TEXT,
  retain_until INTEGER NOT NULL GENERATED ALWAYS AS (
    max(
      created_at + 3600,
      coalesce(access_expires_at, 0),
      iif(revoked_at IS NULL AND refresh_policy <> 'none', coalesce(refresh_idle_expires_at, 0), 0)
    )
  ) VIRTUAL
) STRICT, WITHOUT ROWID`,
      `CREATE INDEX grants_by_user ON grants (user_id, created_at)`,
      `CREATE INDEX grants_by_identity ON grants (provider, subject)`,
      `CREATE INDEX grants_by_session ON grants (provider, sid) WHERE sid IS NOT NULL`,
      `CREATE INDEX grants_by_client ON grants (client_id)`,
      `CREATE INDEX grants_by_retention ON grants (retain_until)`,
      `CREATE TABLE revocations (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('grant', 'user', 'client')),
  id TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT`,
      `CREATE INDEX revocations_by_target ON revocations (kind, id)`,
      `CREATE TABLE security_events (
  provider TEXT NOT NULL,
  jti TEXT NOT NULL,
  retain_until INTEGER NOT NULL,
  PRIMARY KEY (provider, jti)
) STRICT, WITHOUT ROWID`,
      `CREATE INDEX security_events_by_retention ON security_events (retain_until)`,
      `CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL CHECK (actor IN ('user', 'client', 'provider', 'operator', 'broker')),
  reason TEXT,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  client_id TEXT,
  provider TEXT
) STRICT`,
      `CREATE INDEX audit_by_user ON audit (user_id) WHERE user_id IS NOT NULL`,
      `CREATE TABLE sealing_keys (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  sealing_since INTEGER NOT NULL
) STRICT`,
      `CREATE TABLE ring_keys (
  id TEXT PRIMARY KEY,
  in_ring_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: '0002_clients.sql',
    statements: [
      `CREATE TABLE clients (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  metadata TEXT NOT NULL,
  retain_until INTEGER NOT NULL
) STRICT`,
      `CREATE INDEX clients_by_retention ON clients (retain_until)`,
      `CREATE TABLE client_assertions (
  client_id TEXT NOT NULL,
  jti TEXT NOT NULL,
  retain_until INTEGER NOT NULL,
  PRIMARY KEY (client_id, jti)
) STRICT, WITHOUT ROWID`,
      `CREATE INDEX client_assertions_by_retention ON client_assertions (retain_until)`,
    ],
  },
  {
    name: '0003_providers.sql',
    statements: [
      `CREATE TABLE providers (
  id TEXT PRIMARY KEY,
  subject_namespace TEXT NOT NULL,
  refused_namespace TEXT,
  refused_at INTEGER
) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: '0004_refusals.sql',
    statements: [
      `CREATE TABLE refusals (
  day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  reason TEXT NOT NULL CHECK (length(reason) <= 100),
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (day, reason)
) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: '0005_account_page.sql',
    statements: [
      `ALTER TABLE grants ADD COLUMN device TEXT`,
      `ALTER TABLE identities ADD COLUMN newly_linked INTEGER NOT NULL DEFAULT 0`,
    ],
  },
];
