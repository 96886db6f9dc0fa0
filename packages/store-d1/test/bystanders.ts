/** Other people: a cost that grows with them shows. */

export const bystanders = 500;

/** Adds other people, each with a grant in use, a token that has names, a signal, a living line of revocation and a row of the audit. */
export const insertBystanders = async (db: D1Database, now: number): Promise<void> => {
  const numbers = 'WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)';
  const statements = [
    `${numbers} INSERT INTO users (id, created_at) SELECT 'other-' || n, ?2 FROM numbers`,
    `${numbers} INSERT INTO identities (provider, subject, user_id, token_name, other_token_name, created_at, last_sign_in_at)
      SELECT 'google', 'other-' || n, 'other-' || n, 'start-' || n, 'digest-' || n, ?2, ?2 FROM numbers`,
    `${numbers} INSERT INTO grants (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy,
        sid, created_at, redeemed_at, last_used_at, access_dies_at, refresh_idle_expires_at, refresh_absolute_expires_at)
      SELECT 'other-' || n, 'other-' || n, 'google', 'other-' || n, 'claude', '', '[]', '', '{}', 'rotating',
        'other-' || n, ?2, ?2, ?2, ?2 + 1800, ?2 + 9999, ?2 + 9999 FROM numbers`,
    `${numbers} INSERT INTO revocations (kind, id, revoked_at, dead_after)
      SELECT 'grant', 'other-' || n, ?2, ?2 + 1800 FROM numbers`,
    `${numbers} INSERT INTO audit (at, event, actor, user_id, client_id, provider)
      SELECT ?2, 'signed-in', 'user', 'other-' || n, 'claude', 'google' FROM numbers`,
    `${numbers} INSERT INTO signals (provider, jti, needed_until) SELECT 'google', 'other-' || n, ?2 + 9999 FROM numbers`,
  ];
  await db.batch(statements.map((statement) => db.prepare(statement).bind(bystanders, now)));
};
