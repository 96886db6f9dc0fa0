/** What an operator asks: who is there, what they allowed, what happened, and what still needs a key. Ids alone, no names of people. */

import type { GrantId, UserId } from '../../oauth/identifiers.ts';
import type { EpochSeconds } from '../../oauth/time.ts';
import type { AuditEvent } from './audit.ts';
import { runBatch, type SqlDatabase } from './batch.ts';
import { type KeyUsage, type KeyUsageQuery, readKeyUsage } from './key-use.ts';

export type { KeyUsage, KeyUsageQuery } from './key-use.ts';

export interface StorageAdmin {
  /** Asks the database's clock, by which the deployment's does not differ; that of an operator's own machine may. */
  readClock(): Promise<EpochSeconds>;
  /** Reads users, the newest first. */
  listUsers(page: Page, now: EpochSeconds): Promise<readonly UserSummary[]>;
  /** Reads a user's grants and sessions, the newest first; `undefined` when there is no such user. */
  listGrants(userId: UserId, now: EpochSeconds): Promise<readonly GrantSummary[] | undefined>;
  /** Reads identities on which living grants rest although their provider cannot be asked, the oldest first. */
  listIdentitiesWithoutUpstreamToken(
    page: Page,
    now: EpochSeconds,
  ): Promise<readonly IdentityWithoutUpstreamToken[]>;
  /** Reads the audit, the newest first. */
  listAuditEntries(page: Page, userId?: UserId): Promise<readonly AuditEntry[]>;
  /** Tells of each key of a ring what may still need it. */
  readKeyUsage(query: KeyUsageQuery): Promise<readonly KeyUsage[]>;
}

/**
 * Answers an operator from the ledger's database. Every method is one round trip, and most read whole tables: they are for people who
 * ask now and then.
 * @throws StorageUnavailable from every method when D1 fails, with D1's error as `cause`
 */
export const d1Admin = (db: SqlDatabase): StorageAdmin => ({
  readClock: () => readClock(db),
  listUsers: (page, now) => readUsers(db, page, now),
  listGrants: (userId, now) => readGrants(db, userId, now),
  listIdentitiesWithoutUpstreamToken: (page, now) => readIdentitiesWithoutUpstreamToken(db, page, now),
  listAuditEntries: (page, userId) => readAudit(db, page, userId),
  readKeyUsage: (query) => readKeyUsage(db, query),
});

// The audit, read.

export interface AuditEntry {
  readonly at: EpochSeconds;
  readonly event: AuditEvent['event'];
  readonly actor: AuditEvent['actor'];
  readonly reason?: string;
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly provider?: string;
}

export const readAudit = async (
  db: SqlDatabase,
  { limit, skip }: Page,
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
  readonly event: AuditEvent['event'];
  readonly actor: AuditEvent['actor'];
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

// The clock of the database.

export const readClock = async (db: SqlDatabase): Promise<EpochSeconds> => {
  const [found] = await runBatch<{ readonly now: number }>(db, db.prepare('SELECT unixepoch() AS now'));
  const now = found?.results[0]?.now;
  if (now === undefined) throw new Error('the database has no clock');
  return now;
};

// A user's grants as an operator sees them.

export interface GrantSummary {
  readonly id: GrantId;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly provider: string;
  readonly createdAt: EpochSeconds;
  /** When its newest token was issued. */
  readonly lastUsedAt?: EpochSeconds;
  /** `pending`: its code was not redeemed, or not yet. */
  readonly state: 'active' | 'pending' | 'expired' | 'revoked';
  /** Why it was revoked. */
  readonly reason?: string;
}

export const readGrants = async (
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

// A part of a long list, and what the lists of an operator call living.

export interface Page {
  readonly limit: number;
  /** How many of the list come before. */
  readonly skip: number;
}

/**
 * The condition on a row of `grants` that a token of it may be used.
 * @param now the parameter for now, such as `?1`
 */
export const buildActiveGrantCondition = (now: string): string =>
  `(grants.revoked_at IS NULL AND (grants.access_expires_at > ${now}
    OR (grants.refresh_policy <> 'none' AND grants.refresh_idle_expires_at > ${now})))`;

// Identities whose provider cannot be asked whether the person is still there.

export interface IdentityWithoutUpstreamToken {
  readonly provider: string;
  readonly userId: UserId;
  /** When the person last signed in, without a token of the provider's coming of it. */
  readonly since: EpochSeconds;
  /** How many living grants rest on it. */
  readonly activeGrants: number;
  /** The time from which those grants can't be refreshed, after an inconclusive recheck. Absent: no limit. */
  readonly refreshableUntil?: EpochSeconds;
}

export const readIdentitiesWithoutUpstreamToken = async (
  db: SqlDatabase,
  { limit, skip }: Page,
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

// Users as an operator sees them.

export interface UserSummary {
  readonly id: UserId;
  readonly createdAt: EpochSeconds;
  readonly identities: number;
  /** Sessions at the account page included. */
  readonly activeGrants: number;
  /** Nothing for a user without identities. */
  readonly lastSignInAt?: EpochSeconds;
}

export const readUsers = async (
  db: SqlDatabase,
  { limit, skip }: Page,
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
