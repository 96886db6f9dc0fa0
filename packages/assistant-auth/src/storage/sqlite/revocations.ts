/**
 * Revocations in SQL: revokes grants, appends entries for their unexpired access tokens, and checks whether
 * tokens are revoked.
 */
import { accountClientId, allClients, type EpochSeconds, type UserId } from '../../oauth/identifiers.ts';
import {
  cleanupMargin,
  type RevocableToken,
  type Revocation,
  type RevocationActor,
  type RevocationPage,
  type RevocationTarget,
} from '../broker-storage.ts';
import {
  type AuditEvent,
  auditChange,
  auditGrantChange,
  runBatch,
  type SqlDatabase,
  type SqlStatement,
} from './statements.ts';

export const revoke = async (
  db: SqlDatabase,
  target: RevocationTarget,
  reason: string,
  now: EpochSeconds,
  actor: RevocationActor,
): Promise<void> => {
  const where = `${targetColumns[target.kind]} = ?2`;
  await runBatch(
    db,
    ...revokeByTarget(db, { target, where, values: [], reason, now }),
    auditRevocation(db, target, { event: 'revoked', actor, reason, now }),
  );
};

const auditRevocation = (db: SqlDatabase, target: RevocationTarget, auditEvent: AuditEvent): SqlStatement => {
  switch (target.kind) {
    case 'grant':
      return auditGrantChange(db, auditEvent, target.id);
    case 'user':
      return auditChange(db, auditEvent, { userId: target.id });
    case 'client':
      return auditChange(db, auditEvent, { clientId: target.id });
  }
};

export const readRevocations = async (
  db: SqlDatabase,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): Promise<RevocationPage> => {
  const after = cursor ?? 0;
  const [unexpired, newest] = await runBatch<Revocation & { readonly seq: number }>(
    db,
    db
      .prepare(
        `SELECT kind, id, revoked_at AS revokedAt, expires_at AS expiresAt FROM revocations
        WHERE seq > iif(?1 > (${newestSeq}), 0, ?1) AND expires_at > ?2
        ORDER BY seq LIMIT ?3`,
      )
      .bind(after, now, limit + 1),
    db.prepare(newestSeq),
  );
  const rows = unexpired?.results ?? [];
  if (rows.length > limit) return { kind: 'too-many' };
  return { kind: 'page', revocations: rows, cursor: newest?.results[0]?.seq ?? 0 };
};

/**
 * A cursor that is higher belongs to entries that were deleted, or to another database. Then all unexpired
 * entries are returned.
 */
const newestSeq = 'SELECT coalesce(max(seq), 0) AS seq FROM revocations';

export const isRevoked = async (
  db: SqlDatabase,
  token: RevocableToken,
  now: EpochSeconds,
): Promise<boolean> => {
  const [found] = await runBatch<{ readonly seq: number }>(
    db,
    db
      .prepare(
        `SELECT seq FROM revocations
        WHERE (kind, id) IN (VALUES ('grant', ?1), ('user', ?2), ('client', ?3), ('client', '${allClients}'))
          AND revoked_at >= ?4 AND expires_at > ?5
        LIMIT 1`,
      )
      .bind(token.grantId, token.userId, token.clientId, token.issuedAt, now),
  );
  return (found?.results.length ?? 0) > 0;
};

/** The column of `grants` that contains a target's ID. */
const targetColumns = {
  grant: 'id',
  user: 'user_id',
  client: 'client_id',
} as const satisfies Record<RevocationTarget['kind'], string>;

export interface TargetRevocation {
  /** The target of the entry in `revocations`. */
  readonly target: RevocationTarget;
  /** Condition on a row of `grants`. `?2` is the target's ID, `?3` is now, and `values` start at `?4`. */
  readonly where: string;
  readonly values: readonly (string | number)[];
  readonly reason: string;
  readonly now: EpochSeconds;
}

/**
 * Creates two statements, for one batch and in this order. The second one has changes only if a grant was
 * revoked now.
 */
export const revokeByTarget = (
  db: SqlDatabase,
  { target, where, values, reason, now }: TargetRevocation,
): [insertRevocation: SqlStatement, updateGrants: SqlStatement] => [
  // Not before the newest token was issued, possibly by a server whose clock is ahead of this one's.
  db
    .prepare(
      `INSERT INTO revocations (kind, id, revoked_at, expires_at)
      SELECT ?1, ?2, max(?3, max(last_used_at)), max(access_expires_at) FROM grants WHERE ${where}
      HAVING max(access_expires_at) FILTER (WHERE revoked_at IS NULL) > ?3 - ${cleanupMargin}`,
    )
    .bind(target.kind, target.id, now, ...values),
  db
    .prepare(
      `UPDATE grants SET revoked_at = ?3, revoked_reason = ?1
      WHERE ${where} AND revoked_at IS NULL`,
    )
    .bind(reason, target.id, now, ...values),
];

/** Some grants of a user, or of several users. */
export interface GrantSelection {
  /** Condition on a row of `grants`. `?1` is now, and `values` start at `?2`. */
  readonly where: string;
  readonly values: readonly (string | number | null)[];
  readonly now: EpochSeconds;
}

/**
 * Creates two statements, for one batch and in this order: the entries in `revocations`, and the update of
 * the grants.
 */
export const revokeEach = (
  db: SqlDatabase,
  selection: GrantSelection & { readonly reason: string },
): [insertRevocation: SqlStatement, updateGrants: SqlStatement] => {
  const { where, values, reason, now } = selection;
  const updateGrants = `UPDATE grants SET revoked_at = ?1, revoked_reason = ?${values.length + 2}
    WHERE ${where} AND revoked_at IS NULL`;
  return [insertRevocations(db, selection), db.prepare(updateGrants).bind(now, ...values, reason)];
};

/**
 * Creates the first of these two statements. It appends an entry for each grant with an unexpired access
 * token, or one entry for the user if several of them have one and no other active grant of the user is left.
 * The one entry saves storage reads: while more than 10,000 entries are unexpired, every API call reads
 * storage. It covers the tokens issued before this second, and none that is issued from now on: a grant with
 * a token from this second, or from a server whose clock is ahead, gets its own entry.
 */
const insertRevocations = (db: SqlDatabase, { where, values, now }: GrantSelection): SqlStatement =>
  db
    .prepare(
      `WITH
        revoking AS MATERIALIZED (
          SELECT id, user_id, last_used_at, access_expires_at FROM grants WHERE ${where} AND revoked_at IS NULL
        ),
        unexpired AS (SELECT * FROM revoking WHERE access_expires_at > ?1 - ${cleanupMargin}),
        older AS (SELECT * FROM unexpired WHERE last_used_at < ?1),
        revoked_users AS MATERIALIZED (
          SELECT user_id FROM older GROUP BY user_id HAVING count(*) > 1 AND NOT EXISTS (
            SELECT 1 FROM grants AS other
            WHERE other.user_id = older.user_id AND ${isActiveGrant} AND other.id NOT IN (SELECT id FROM revoking)
          )
        )
      INSERT INTO revocations (kind, id, revoked_at, expires_at)
      SELECT 'user', user_id, max(last_used_at), max(access_expires_at) FROM older
        WHERE user_id IN revoked_users GROUP BY user_id
      UNION ALL
      SELECT 'grant', id, max(?1, last_used_at), access_expires_at FROM unexpired
        WHERE user_id NOT IN revoked_users OR last_used_at >= ?1`,
    )
    .bind(now, ...values);

/**
 * Creates three statements for a user who is about to be deleted, for one batch and in this order: an entry
 * for the user if several grants have an unexpired access token from before this second, whether they were
 * revoked before or not; the deletion of the entries that it replaces; and the entries of the grants that it
 * does not cover. Without the deletion, a user who repeatedly deletes the account, and so starts with a new
 * count of sign-ins each time, could create any number of entries.
 */
export const recordUserRevocation = (
  db: SqlDatabase,
  userId: UserId,
  now: EpochSeconds,
): readonly SqlStatement[] => [
  db
    .prepare(
      `INSERT INTO revocations (kind, id, revoked_at, expires_at)
      SELECT 'user', ?2, max(last_used_at), max(access_expires_at) FROM grants
      WHERE user_id = ?2 AND access_expires_at > ?1 - ${cleanupMargin} AND last_used_at < ?1
      HAVING count(*) > 1`,
    )
    .bind(now, userId),
  db
    .prepare(
      `DELETE FROM revocations WHERE
        (kind = 'user' AND id = ?2 AND EXISTS (
          SELECT 1 FROM revocations AS newer
          WHERE newer.kind = 'user' AND newer.id = ?2 AND newer.seq > revocations.seq
            AND newer.revoked_at >= revocations.revoked_at AND newer.expires_at >= revocations.expires_at
        ))
        OR (kind = 'grant' AND id IN (SELECT id FROM grants WHERE user_id = ?2 AND access_expires_at > ?1 - ${cleanupMargin} AND ${isCovered}))`,
    )
    .bind(now, userId),
  insertRevocations(db, { where: `user_id = ?2 AND NOT ${isCovered}`, values: [userId], now }),
];

/** The condition that an entry for the user `?2` covers all access tokens of a row of `grants`. */
const isCovered = `EXISTS (
  SELECT 1 FROM revocations AS revocation
  WHERE revocation.kind = 'user' AND revocation.id = ?2 AND revocation.revoked_at >= last_used_at AND revocation.expires_at >= access_expires_at
)`;

/**
 * The condition that `other`, a row of `grants`, is an active grant as defined by `UserLimits`; `?1` is
 * now.
 */
export const isActiveGrant = `other.revoked_at IS NULL AND other.client_id <> '${accountClientId}' AND other.retain_until > ?1`;
