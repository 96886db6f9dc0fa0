/** The operator's queries of `storage-admin.ts`, in SQL. Those about users are in `admin-users.ts`. */
import { allClients, type EpochSeconds, type Seconds, type UserId } from '../../oauth/identifiers.ts';
import { cleanupMargin, maxAccessLifetime } from '../broker-storage.ts';
import { findIdentities, readGrants, readIdentitiesWithoutUpstreamToken, readUsers } from './admin-users.ts';
import { revokeEach } from './revocations.ts';
import {
  type AuditActor,
  type AuditEventName,
  auditChange,
  auditRows,
  auditWhen,
  runBatch,
  type SqlDatabase,
} from './statements.ts';
import { readStatistics } from './statistics.ts';
import type {
  AcceptedProvider,
  AuditEntry,
  KeyUsage,
  KeyUsageQuery,
  Pagination,
  ProviderRevocation,
  ProviderSummary,
  StorageAdmin,
} from './storage-admin.ts';
import { buildPrefixCondition, clearTokenColumns } from './upstream-tokens.ts';

/** Creates the operator's queries on the storage's database. */
export const createSqlAdmin = (db: SqlDatabase): StorageAdmin => ({
  readClock: () => readClock(db),
  listUsers: (page, now) => readUsers(db, page, now),
  findIdentities: (text, page, now) => findIdentities(db, text, page, now),
  listGrants: (userId, now) => readGrants(db, userId, now),
  listIdentitiesWithoutUpstreamToken: (page, now) => readIdentitiesWithoutUpstreamToken(db, page, now),
  listAuditEntries: (page, userId) => readAudit(db, page, userId),
  readKeyUsage: (query) => readKeyUsage(db, query),
  readStatistics: (days, now) => readStatistics(db, days, now),
  listProviders: () => readProviders(db),
  revokeAll: (reason, now) => revokeAll(db, reason, now),
  revokeProvider: (provider, reason, now) => revokeProvider(db, provider, reason, now),
  acceptProvider: (provider, subjectNamespace, now) => acceptProvider(db, provider, subjectNamespace, now),
});

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

/**
 * The numbers that the second entry for all clients skips. After a restored backup, a running process has a
 * cursor of the lost database. Without the gap, the number of the entry could be at or below this cursor, so the
 * process would read the entry only with its next full reload. The first entry gets the next number that was never
 * used, from which the second one counts, even if a cleanup has deleted all earlier entries.
 */
const skippedNumbers = 1_000_000_000;

const revokeAll = async (db: SqlDatabase, reason: string, now: EpochSeconds): Promise<number> => {
  // Not before the newest token was issued, possibly by a server whose clock is ahead of this one's.
  const insertEntry = (number: string) =>
    db
      .prepare(
        `INSERT INTO revocations (seq, kind, id, revoked_at, expires_at)
        SELECT ${number}, 'client', ?2,
          max(?1, min(coalesce(max(last_used_at), 0), ?1 + ${cleanupMargin})), ?1 + ${maxAccessLifetime + cleanupMargin}
        FROM grants`,
      )
      .bind(now, allClients);
  const [, , revoked] = await runBatch(
    db,
    insertEntry('NULL'),
    insertEntry(`(SELECT max(seq) FROM revocations) + ${skippedNumbers}`),
    db
      .prepare('UPDATE grants SET revoked_at = ?1, revoked_reason = ?2 WHERE revoked_at IS NULL')
      .bind(now, reason),
    auditWhen(db, { event: 'revoked', actor: 'operator', reason, now }, 'true'),
  );
  return revoked?.meta.changes ?? 0;
};

// Providers.

const readProviders = async (db: SqlDatabase): Promise<readonly ProviderSummary[]> => {
  const [found] = await runBatch<ProviderRow>(
    db,
    db.prepare(
      `SELECT id, subject_namespace AS subjectNamespace, refused_namespace AS refusedNamespace,
        refused_at AS refusedAt, (SELECT count(*) FROM identities WHERE provider = providers.id) AS identities
      FROM providers ORDER BY id`,
    ),
  );
  return (found?.results ?? []).map(toProviderSummary);
};

interface ProviderRow extends Omit<ProviderSummary, 'refusedNamespace' | 'refusedAt'> {
  readonly refusedNamespace: string | null;
  readonly refusedAt: number | null;
}

const toProviderSummary = ({ refusedNamespace, refusedAt, ...provider }: ProviderRow): ProviderSummary => ({
  ...provider,
  ...(refusedNamespace !== null && { refusedNamespace }),
  ...(refusedAt !== null && { refusedAt }),
});

const revokeProvider = async (
  db: SqlDatabase,
  provider: string,
  reason: string,
  now: EpochSeconds,
): Promise<ProviderRevocation> => {
  const operator = { actor: 'operator', reason, now } as const;
  const [, revoked, , cleared] = await runBatch(
    db,
    ...revokeEach(db, { where: 'provider = ?2', values: [provider], reason, now }),
    auditChange(db, { event: 'revoked', ...operator }, { provider }),
    db
      .prepare(
        `UPDATE identities SET ${clearTokenColumns} WHERE provider = ?1 AND sealed_refresh_token IS NOT NULL`,
      )
      .bind(provider),
    auditChange(db, { event: 'upstream-token-dropped', ...operator }, { provider }),
  );
  return { grants: revoked?.meta.changes ?? 0, upstreamTokens: cleared?.meta.changes ?? 0 };
};

const acceptProvider = async (
  db: SqlDatabase,
  provider: string,
  subjectNamespace: string,
  now: EpochSeconds,
): Promise<AcceptedProvider | undefined> => {
  const isRefused = 'id = ?1 AND refused_namespace = ?2';
  const operator = { actor: 'operator', reason: 'provider-accepted', now } as const;
  const [found, cleared] = await runBatch<{ readonly previous: string }>(
    db,
    db
      .prepare(`SELECT subject_namespace AS previous FROM providers WHERE ${isRefused}`)
      .bind(provider, subjectNamespace),
    // They are from the previous issuer, and would be sent to the new one.
    db
      .prepare(
        `UPDATE identities SET ${clearTokenColumns}
        WHERE provider = ?1 AND sealed_refresh_token IS NOT NULL AND EXISTS (SELECT 1 FROM providers WHERE ${isRefused})`,
      )
      .bind(provider, subjectNamespace),
    auditChange(db, { event: 'upstream-token-dropped', ...operator }, { provider }),
    auditRows(
      db,
      `SELECT ?3, 'provider-accepted', 'operator', 'from ' || subject_namespace || ' to ' || ?2, NULL, NULL, id
      FROM providers WHERE ${isRefused}`,
      [provider, subjectNamespace, now],
    ),
    db
      .prepare(
        `UPDATE providers SET subject_namespace = ?2, refused_namespace = NULL, refused_at = NULL WHERE ${isRefused}`,
      )
      .bind(provider, subjectNamespace),
  );
  const previous = found?.results[0]?.previous;
  return previous === undefined ? undefined : { previous, upstreamTokens: cleared?.meta.changes ?? 0 };
};

// Key usage: what may still need a sealing key, and from when a key can be promoted.

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
      // The clock may be ahead of the clocks of the servers, where a token is valid for a while longer.
      const expiredBy = now - cleanupMargin;
      return db.prepare(buildUsageQuery(condition)).bind(id, first.id, rolloutPeriod, expiredBy, ...values);
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
