/**
 * Queries for the operator: users, grants, the audit log, and what still needs a sealing key. Results
 * identify users only by ID, and contain no names or email addresses.
 */
import type { EpochSeconds, GrantId, Seconds, UserId } from '../../oauth/identifiers.ts';
import { type AuditActor, type AuditEventName, runBatch, type SqlDatabase } from './statements.ts';
import { buildPrefixCondition } from './upstream-tokens.ts';

/** The operator's queries on the storage's database. None of them changes anything. */
export interface StorageAdmin {
  /**
   * Reads the clock of the database, which agrees with the deployment's. The clock of the operator's computer
   * may not.
   */
  readClock(): Promise<EpochSeconds>;
  /**
   * Reads users, newest first.
   * @param page the part of the list to read
   * @param now the current time, from `readClock`
   */
  listUsers(page: Pagination, now: EpochSeconds): Promise<readonly UserSummary[]>;
  /**
   * Reads a user's grants and sessions, newest first. Returns `undefined` if the user does not exist.
   * @param userId the ID of the user
   * @param now the current time, from `readClock`
   */
  listGrants(userId: UserId, now: EpochSeconds): Promise<readonly GrantSummary[] | undefined>;
  /**
   * Reads identities that have active grants but no upstream token, so they cannot be rechecked. Ordered by
   * last sign-in, oldest first.
   * @param page the part of the list to read
   * @param now the current time, from `readClock`
   */
  listIdentitiesWithoutUpstreamToken(
    page: Pagination,
    now: EpochSeconds,
  ): Promise<readonly IdentityWithoutUpstreamToken[]>;
  /**
   * Reads the audit log, newest first.
   * @param page the part of the log to read
   * @param userId reads only entries about this user. Default: all entries
   */
  listAuditEntries(page: Pagination, userId?: UserId): Promise<readonly AuditEntry[]>;
  /**
   * Reads what may still need each key in a ring, in the order of the ring. A key can be retired when nothing
   * needs it.
   * @param query the keys and the current time
   */
  readKeyUsage(query: KeyUsageQuery): Promise<readonly KeyUsage[]>;
}

/** Creates the operator's queries on the storage's database. */
export const createSqlAdmin = (db: SqlDatabase): StorageAdmin => ({
  readClock: () => readClock(db),
  listUsers: (page, now) => readUsers(db, page, now),
  listGrants: (userId, now) => readGrants(db, userId, now),
  listIdentitiesWithoutUpstreamToken: (page, now) => readIdentitiesWithoutUpstreamToken(db, page, now),
  listAuditEntries: (page, userId) => readAudit(db, page, userId),
  readKeyUsage: (query) => readKeyUsage(db, query),
});

/** An entry of the audit log. It contains no name, email address, token or grant ID. */
export interface AuditEntry {
  /** When it happened. */
  readonly at: EpochSeconds;
  /** What happened. */
  readonly event: AuditEventName;
  /** Who did it. */
  readonly actor: AuditActor;
  /** Why it happened. For `key-rotated`, the ID of the key that seals now. */
  readonly reason?: string;
  /**
   * The user that it concerns, if any. When a user is deleted, the entries about the user are deleted too.
   */
  readonly userId?: UserId;
  /** The client that it concerns, if any. */
  readonly clientId?: string;
  /** The ID of the provider that it concerns, if any. */
  readonly provider?: string;
}

const readAudit = async (
  db: SqlDatabase,
  { limit, skip }: Pagination,
  userId?: UserId,
): Promise<readonly AuditEntry[]> => {
  const [found] = await runBatch<AuditEntryRow>(
    db,
    db
      .prepare(
        `SELECT * FROM audit ${userId === undefined ? '' : 'WHERE user_id = ?3'} ORDER BY seq DESC LIMIT ?1 OFFSET ?2`,
      )
      .bind(limit, skip, ...(userId === undefined ? [] : [userId])),
  );
  return (found?.results ?? []).map(toAuditEntry);
};

interface AuditEntryRow {
  readonly at: number;
  readonly event: AuditEventName;
  readonly actor: AuditActor;
  readonly reason: string | null;
  readonly user_id: string | null;
  readonly client_id: string | null;
  readonly provider: string | null;
}

const toAuditEntry = (row: AuditEntryRow): AuditEntry => ({
  ...{ at: row.at, event: row.event, actor: row.actor },
  ...(row.reason !== null && { reason: row.reason }),
  ...(row.user_id !== null && { userId: row.user_id }),
  ...(row.client_id !== null && { clientId: row.client_id }),
  ...(row.provider !== null && { provider: row.provider }),
});

const readClock = async (db: SqlDatabase): Promise<EpochSeconds> => {
  const [found] = await runBatch<{ readonly now: number }>(db, db.prepare('SELECT unixepoch() AS now'));
  const now = found?.results[0]?.now;
  if (now === undefined) throw new Error('the database did not return its time');
  return now;
};

/** A grant or a session of a user. */
export interface GrantSummary {
  /** The ID of the grant. */
  readonly id: GrantId;
  /** The client that the grant is for, or `account` for a session of the account page. */
  readonly clientId: string;
  /** The redirect URI that the code was sent to. */
  readonly redirectUri: string;
  /** The scopes that the user consented to. */
  readonly scopes: readonly string[];
  /** The ID of the provider that the user signed in with. */
  readonly provider: string;
  /** When the sign-in was recorded. */
  readonly createdAt: EpochSeconds;
  /** When the newest token was issued, or the session was last used. Absent if neither has happened. */
  readonly lastUsedAt?: EpochSeconds;
  /**
   * `active`: one of its tokens can still be used. `pending`: its code has not been redeemed. `expired`: all
   * of its tokens have expired. `revoked`: it was revoked.
   */
  readonly state: 'active' | 'pending' | 'expired' | 'revoked';
  /** Why the grant was revoked. Absent if it was not. */
  readonly reason?: string;
}

const readGrants = async (
  db: SqlDatabase,
  userId: UserId,
  now: EpochSeconds,
): Promise<readonly GrantSummary[] | undefined> => {
  const [user, grants] = await runBatch<GrantRow>(
    db,
    db.prepare('SELECT id FROM users WHERE id = ?1').bind(userId),
    db
      .prepare(
        `SELECT id, client_id, redirect_uri, scopes, provider, created_at, last_used_at, revoked_reason,
          CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN redeemed_at IS NULL THEN 'pending'
            WHEN ${buildActiveGrantCondition('?2')} THEN 'active' ELSE 'expired' END AS state
        FROM grants WHERE user_id = ?1 ORDER BY created_at DESC, id`,
      )
      .bind(userId, now),
  );
  return user?.results[0] && (grants?.results ?? []).map(toGrantSummary);
};

interface GrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly redirect_uri: string;
  /** JSON array. */
  readonly scopes: string;
  readonly provider: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly revoked_reason: string | null;
  readonly state: GrantSummary['state'];
}

const toGrantSummary = (row: GrantRow): GrantSummary => ({
  id: row.id,
  clientId: row.client_id,
  redirectUri: row.redirect_uri,
  scopes: JSON.parse(row.scopes),
  provider: row.provider,
  createdAt: row.created_at,
  ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  state: row.state,
  ...(row.revoked_reason !== null && { reason: row.revoked_reason }),
});

/** Which part of a list to read. */
export interface Pagination {
  /** The maximum number of rows to return. */
  readonly limit: number;
  /** The number of rows to skip. */
  readonly skip: number;
}

/**
 * Returns the condition that a token of a row of `grants` can still be used.
 * @param now the SQL parameter with the current time, such as `?1`
 */
const buildActiveGrantCondition = (now: string): string =>
  `(grants.revoked_at IS NULL AND (grants.access_expires_at > ${now}
    OR (grants.refresh_policy <> 'none' AND grants.refresh_idle_expires_at > ${now})))`;

/** An identity that cannot be rechecked although it has active grants. */
export interface IdentityWithoutUpstreamToken {
  /** The ID of the provider. */
  readonly provider: string;
  /** The user that the identity belongs to. */
  readonly userId: UserId;
  /** When the user last signed in at the provider. */
  readonly since: EpochSeconds;
  /** The number of active grants of the identity. */
  readonly activeGrants: number;
  /**
   * The time from which those grants cannot be refreshed, after an inconclusive recheck. Absent if there is
   * no limit.
   */
  readonly refreshableUntil?: EpochSeconds;
}

const readIdentitiesWithoutUpstreamToken = async (
  db: SqlDatabase,
  { limit, skip }: Pagination,
  now: EpochSeconds,
): Promise<readonly IdentityWithoutUpstreamToken[]> => {
  const [found] = await runBatch<IdentityWithoutUpstreamTokenRow>(
    db,
    db
      .prepare(
        `SELECT identities.provider, identities.user_id, last_sign_in_at, refreshable_until, count(*) AS active_grants
        FROM identities JOIN grants USING (provider, subject)
        WHERE sealed_refresh_token IS NULL AND ${buildActiveGrantCondition('?1')}
        GROUP BY identities.provider, identities.subject
        ORDER BY last_sign_in_at, identities.user_id, identities.provider, identities.subject LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(toIdentityWithoutUpstreamToken);
};

interface IdentityWithoutUpstreamTokenRow {
  readonly provider: string;
  readonly user_id: string;
  readonly last_sign_in_at: number;
  readonly active_grants: number;
  readonly refreshable_until: number | null;
}

const toIdentityWithoutUpstreamToken = (
  row: IdentityWithoutUpstreamTokenRow,
): IdentityWithoutUpstreamToken => ({
  provider: row.provider,
  userId: row.user_id,
  since: row.last_sign_in_at,
  activeGrants: row.active_grants,
  ...(row.refreshable_until !== null && { refreshableUntil: row.refreshable_until }),
});

/** A user, without names or addresses. */
export interface UserSummary {
  /** The ID of the user. */
  readonly id: UserId;
  /** When the user first signed in. */
  readonly createdAt: EpochSeconds;
  /** The number of identities that the user can sign in with. */
  readonly identities: number;
  /** The number of grants with a token that can still be used. Includes sessions of the account page. */
  readonly activeGrants: number;
  /** When the user last signed in at a provider. Absent for a user without identities. */
  readonly lastSignInAt?: EpochSeconds;
}

const readUsers = async (
  db: SqlDatabase,
  { limit, skip }: Pagination,
  now: EpochSeconds,
): Promise<readonly UserSummary[]> => {
  const [found] = await runBatch<UserRow>(
    db,
    db
      .prepare(
        `SELECT id, created_at,
          (SELECT count(*) FROM identities WHERE user_id = users.id) AS identities,
          (SELECT count(*) FROM grants WHERE user_id = users.id AND ${buildActiveGrantCondition('?1')}) AS active_grants,
          (SELECT max(last_sign_in_at) FROM identities WHERE user_id = users.id) AS last_sign_in_at
        FROM users ORDER BY created_at DESC, id LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(toUserSummary);
};

interface UserRow {
  readonly id: string;
  readonly created_at: number;
  readonly identities: number;
  readonly active_grants: number;
  readonly last_sign_in_at: number | null;
}

const toUserSummary = (row: UserRow): UserSummary => ({
  id: row.id,
  createdAt: row.created_at,
  identities: row.identities,
  activeGrants: row.active_grants,
  ...(row.last_sign_in_at !== null && { lastSignInAt: row.last_sign_in_at }),
});

// Key usage: what may still need a sealing key, and from when a key can be promoted.

/** The keys whose usage is to be read. */
export interface KeyUsageQuery {
  /** The keys of a ring, in order. The first one seals. */
  readonly keys: readonly KeyPrefixes[];
  /** The current time, from `readClock`. */
  readonly now: EpochSeconds;
}

/** A key, and how to recognize what it sealed. */
export interface KeyPrefixes {
  /** The ID of the key. */
  readonly id: string;
  /** The prefixes that a text sealed with this key can begin with, from `listSealedPrefixes`. */
  readonly prefixes: readonly string[];
}

/** What may still need one key. */
export interface KeyUsage {
  /** The ID of the key. */
  readonly id: string;
  /** The number of stored upstream tokens that it sealed. */
  readonly sealedUpstreamTokens: number;
  /**
   * The time from which it cannot have sealed anything. Absent until a cleanup has found another first key
   * after it.
   */
  readonly sealedUntil?: EpochSeconds;
  /** The number of active grants that may have a token or cookie from before `sealedUntil`. */
  readonly activeGrants: number;
  /** When the last of these grants expires, unless it is revoked before. */
  readonly lastGrantExpiresAt?: EpochSeconds;
  /**
   * The time from which every isolate has the key, so that it can be promoted. Absent until a cleanup has
   * found the key in the deployed ring, and after a cleanup that did not find it.
   */
  readonly promotableFrom?: EpochSeconds;
  /**
   * Whether it is not the first key of the ring, and no cleanup has ever found it as the first one. It may
   * have sealed nothing, or it was promoted and rolled back between two cleanups.
   */
  readonly isSealingPeriodUnknown: boolean;
}

/**
 * How long an isolate with the previous ring may run after the first cleanup with the next ring, in seconds.
 */
const rolloutPeriod: Seconds = 3600;

const readKeyUsage = async (db: SqlDatabase, { keys, now }: KeyUsageQuery): Promise<readonly KeyUsage[]> => {
  const [first] = keys;
  if (first === undefined) return [];
  const found = await runBatch<KeyUsageRow>(
    db,
    ...keys.map(({ id, prefixes }) => {
      const { condition, values } = buildPrefixCondition(prefixes, 5);
      return db.prepare(buildUsageQuery(condition)).bind(id, first.id, rolloutPeriod, now, ...values);
    }),
  );
  return keys.map(({ id }, index) => toKeyUsage(id, found[index]?.results[0]));
};

/**
 * The database does not record which key sealed a client's token, so times decide: everything that was sealed
 * before another key began to seal may need the key. A key stopped sealing when the key in the next row of
 * `sealing_keys` began to seal. For a key without a row, that time is unknown: it may have been promoted and
 * rolled back between two cleanups. A stable refresh token does not change until it expires; a rotating one
 * is sealed again with each generation, and the previous one can still be used after a lost response.
 */
const buildUsageQuery = (sealedByKey: string): string =>
  `WITH
    own AS (SELECT max(seq) AS last FROM sealing_keys WHERE id = ?1),
    ended AS (
      SELECT sealing_since + ?3 AS at FROM sealing_keys, own
      WHERE ?1 <> ?2 AND seq = (SELECT min(seq) FROM sealing_keys WHERE seq > last)
    ),
    needing AS (
      SELECT max(
        coalesce(access_expires_at, 0),
        CASE refresh_policy WHEN 'stable' THEN refresh_absolute_expires_at
          WHEN 'rotating' THEN refresh_idle_expires_at ELSE 0 END
      ) AS until
      FROM grants, ended
      WHERE revoked_at IS NULL AND (
        (access_expires_at > ?4 AND last_used_at < ended.at)
        OR (refresh_policy <> 'none' AND refresh_idle_expires_at > ?4
          AND iif(refresh_policy = 'rotating', coalesce(previous_rotated_at, redeemed_at), redeemed_at) < ended.at)
      )
    )
  SELECT
    (SELECT count(*) FROM identities WHERE ${sealedByKey}) AS stored_tokens,
    (SELECT at FROM ended) AS sealed_until,
    (SELECT count(*) FROM needing) AS active_grants,
    (SELECT max(until) FROM needing) AS retain_until,
    (SELECT in_ring_since + ?3 FROM ring_keys WHERE id = ?1) AS promotable_from,
    (SELECT last IS NULL AND ?1 <> ?2 FROM own) AS is_sealing_period_unknown`;

interface KeyUsageRow {
  readonly stored_tokens: number;
  readonly sealed_until: number | null;
  readonly active_grants: number;
  readonly retain_until: number | null;
  readonly promotable_from: number | null;
  readonly is_sealing_period_unknown: number | null;
}

const toKeyUsage = (id: string, row: KeyUsageRow | undefined): KeyUsage => ({
  id,
  sealedUpstreamTokens: row?.stored_tokens ?? 0,
  ...(typeof row?.sealed_until === 'number' && { sealedUntil: row.sealed_until }),
  activeGrants: row?.active_grants ?? 0,
  ...(typeof row?.retain_until === 'number' && { lastGrantExpiresAt: row.retain_until }),
  ...(typeof row?.promotable_from === 'number' && { promotableFrom: row.promotable_from }),
  isSealingPeriodUnknown: row?.is_sealing_period_unknown === 1,
});
