/** Other users, to find costs that grow with their number. */

export const otherUserCount = 500;

/**
 * Adds other users, each with an active grant, token identifiers, a security event, an unexpired revocation,
 * an audit row, a client that is not in the configuration and a client assertion.
 */
export const insertOtherUsers = async (db: D1Database, now: number): Promise<void> => {
  // Half of the IDs sort before every other ID, and half after: a scan that reaches the end of an index reads
  // fewer rows.
  const name = "iif(n % 2, '!other-', '~other-') || n";
  const numbers = 'WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)';
  const statements = [
    `${numbers} INSERT INTO users (id, created_at) SELECT ${name}, ?2 FROM numbers`,
    `${numbers} INSERT INTO identities (provider, subject, user_id, token_identifier, other_token_identifier, created_at, last_sign_in_at)
      SELECT 'google', ${name}, ${name}, ${name}, ${name}, ?2, ?2 FROM numbers`,
    `${numbers} INSERT INTO grants (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy,
        sid, created_at, redeemed_at, last_used_at, access_expires_at, refresh_idle_expires_at, refresh_absolute_expires_at)
      SELECT ${name}, ${name}, 'google', ${name}, 'claude', '', '[]', '', '{}', 'rotating',
        ${name}, ?2, ?2, ?2, ?2 + 1800, ?2 + 9999, ?2 + 9999 FROM numbers`,
    `${numbers} INSERT INTO revocations (kind, id, revoked_at, expires_at)
      SELECT 'grant', ${name}, ?2, ?2 + 1800 FROM numbers`,
    `${numbers} INSERT INTO audit (at, event, actor, user_id, client_id, provider)
      SELECT ?2, 'signed-in', 'user', ${name}, 'claude', 'google' FROM numbers`,
    `${numbers} INSERT INTO security_events (provider, jti, retain_until) SELECT 'google', ${name}, ?2 + 9999 FROM numbers`,
    `${numbers} INSERT INTO clients (id, name, metadata, retain_until) SELECT ${name}, ${name}, '{}', ?2 + 9999 FROM numbers`,
    `${numbers} INSERT INTO client_assertions (client_id, jti, retain_until) SELECT ${name}, ${name}, ?2 + 9999 FROM numbers`,
  ];
  await db.batch(statements.map((statement) => db.prepare(statement).bind(otherUserCount, now)));
};
