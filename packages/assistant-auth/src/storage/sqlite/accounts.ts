/** Accounts in SQL: reads and deletes a user's data, links and unlinks identities, and extends sessions. */

import type { UserId } from '../../oauth/identifiers.ts';
import type {
  Account,
  GrantRevocation,
  HistoryEntry,
  IdentityLink,
  IdentityLinkOutcome,
  IdentityUnlink,
  IdentityUnlinkOutcome,
  LinkedIdentity,
  SeenLink,
  Session,
  SessionActivity,
  StoredGrant,
  UserDeletion,
  UserDeletionOutcome,
} from '../account-storage.ts';
import type { IdentityKey, RefreshPolicy } from '../broker-storage.ts';
import { buildChangeQuery, namespaceColumn, storeNamespace } from './providers.ts';
import { recordUserRevocation, revokeEach } from './revocations.ts';
import { buildActiveSessionCondition } from './sign-ins.ts';
import { auditChange, auditIdentityChange, hasChanges, runBatch, type SqlDatabase } from './statements.ts';
import {
  type IssuedTokenRow,
  identifierValues,
  replaceTokenIfSent,
  toIssuedToken,
} from './upstream-tokens.ts';

export const readAccount = async (db: SqlDatabase, userId: UserId): Promise<Account | undefined> => {
  const [users, identities, grants] = await runBatch<UserRow & IdentityRow & StoredGrantRow>(
    db,
    db.prepare('SELECT created_at FROM users WHERE id = ?1').bind(userId),
    db
      .prepare(
        `SELECT provider, subject, label, sealed_refresh_token IS NOT NULL AS hasUpstreamToken, created_at, last_sign_in_at,
          newly_linked
        FROM identities WHERE user_id = ?1 ORDER BY created_at, provider, subject`,
      )
      .bind(userId),
    db
      .prepare(
        `SELECT id, client_id, redirect_uri, scopes, resource, claims, sid, device, provider, subject, refresh_policy, created_at, revoked_at,
          redeemed_at, last_used_at, access_expires_at, refresh_idle_expires_at,
          (SELECT name FROM clients WHERE clients.id = grants.client_id) AS client_name
        FROM grants WHERE user_id = ?1 ORDER BY created_at DESC, id`,
      )
      .bind(userId),
  );
  const user = users?.results[0];
  if (user === undefined) return undefined;
  return {
    createdAt: user.created_at,
    identities: (identities?.results ?? []).map(toLinkedIdentity),
    grants: (grants?.results ?? []).map(toStoredGrant),
  };
};

export const readHistory = async (db: SqlDatabase, userId: UserId): Promise<readonly HistoryEntry[]> => {
  const [rows] = await runBatch<HistoryRow>(
    db,
    db
      .prepare(
        `SELECT at, event, actor, reason, client_id, provider FROM audit
        WHERE user_id = ?1 ORDER BY seq DESC`,
      )
      .bind(userId),
  );
  return (rows?.results ?? []).map(({ at, event, actor, reason, client_id, provider }) => ({
    ...{ at, event, actor },
    ...(reason !== null && { reason }),
    ...(client_id !== null && { clientId: client_id }),
    ...(provider !== null && { provider }),
  }));
};

interface HistoryRow {
  readonly at: number;
  readonly event: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly client_id: string | null;
  readonly provider: string | null;
}

export const findUser = async (
  db: SqlDatabase,
  { provider, subject }: IdentityKey,
): Promise<UserId | undefined> => {
  const [found] = await runBatch<{ readonly user_id: string }>(
    db,
    db.prepare('SELECT user_id FROM identities WHERE provider = ?1 AND subject = ?2').bind(provider, subject),
  );
  return found?.results[0]?.user_id;
};

export const deleteUser = async (
  db: SqlDatabase,
  { userId, actor, now }: UserDeletion,
): Promise<UserDeletionOutcome> => {
  const [tokens, , , , deleted] = await runBatch<IssuedTokenRow>(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token, ${namespaceColumn} FROM identities
        WHERE user_id = ?1 AND sealed_refresh_token IS NOT NULL`,
      )
      .bind(userId),
    ...recordUserRevocation(db, userId, now),
    // Identities, grants and the user's audit rows are deleted with the user. The audit row of the deletion
    // contains no IDs.
    db.prepare('DELETE FROM users WHERE id = ?1').bind(userId),
    auditChange(db, { event: 'deleted', actor, now }, {}),
  );
  if (!hasChanges(deleted)) return { kind: 'unknown' };
  return { kind: 'deleted', tokens: (tokens?.results ?? []).map(toIssuedToken) };
};

interface UserRow {
  readonly created_at: number;
}

interface IdentityRow {
  readonly provider: string;
  readonly subject: string;
  readonly label: string | null;
  readonly hasUpstreamToken: number;
  readonly created_at: number;
  readonly last_sign_in_at: number;
  readonly newly_linked: number;
}

const toLinkedIdentity = (row: IdentityRow): LinkedIdentity => ({
  provider: row.provider,
  subject: row.subject,
  createdAt: row.created_at,
  lastSignInAt: row.last_sign_in_at,
  hasUpstreamToken: row.hasUpstreamToken === 1,
  isNewlyLinked: row.newly_linked === 1,
  ...(row.label !== null && { label: row.label }),
});

interface StoredGrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly client_name: string | null;
  readonly redirect_uri: string;
  readonly scopes: string;
  readonly resource: string;
  readonly claims: string;
  readonly sid: string | null;
  readonly device: string | null;
  readonly provider: string;
  readonly subject: string;
  readonly refresh_policy: RefreshPolicy;
  readonly created_at: number;
  readonly revoked_at: number | null;
  readonly redeemed_at: number | null;
  readonly last_used_at: number | null;
  readonly access_expires_at: number | null;
  readonly refresh_idle_expires_at: number | null;
}

const toStoredGrant = (row: StoredGrantRow): StoredGrant => ({
  id: row.id,
  clientId: row.client_id,
  ...(row.client_name !== null && { clientName: row.client_name }),
  redirectUri: row.redirect_uri,
  scopes: JSON.parse(row.scopes),
  resource: row.resource,
  claims: JSON.parse(row.claims),
  ...(row.sid !== null && { sid: row.sid }),
  ...(row.device !== null && { device: row.device }),
  identity: { provider: row.provider, subject: row.subject },
  refreshPolicy: row.refresh_policy,
  createdAt: row.created_at,
  ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
  ...readUse(row),
});

/** The four columns are written together when the code is redeemed. */
const readUse = (row: StoredGrantRow): Pick<StoredGrant, 'use'> => {
  const { redeemed_at, last_used_at, access_expires_at, refresh_idle_expires_at } = row;
  if (redeemed_at === null || last_used_at === null) return {};
  return {
    use: {
      redeemedAt: redeemed_at,
      lastUsedAt: last_used_at,
      accessExpiresAt: access_expires_at ?? 0,
      refreshIdleExpiresAt: refresh_idle_expires_at ?? 0,
    },
  };
};

// Linked identities of a user.

export const linkIdentity = async (
  db: SqlDatabase,
  { userId, session, identity, subjectNamespace, now }: IdentityLink,
): Promise<IdentityLinkOutcome> => {
  const { provider, subject, label = null, sealedRefreshToken = null } = identity;
  const [, linked, , checked] = await runBatch<{ readonly user_id?: string; readonly changed?: number }>(
    db,
    storeNamespace(db, provider, subjectNamespace, now),
    db
      .prepare(
        `INSERT INTO identities
          (provider, subject, user_id, label, sealed_refresh_token, token_identifier, other_token_identifier, created_at, last_sign_in_at,
            newly_linked)
        SELECT ?1, ?2, user_id, ?3, ?4, ?8, ?9, ?5, ?5, 1 FROM grants
        WHERE user_id = ?6 AND ${buildActiveSessionCondition('?7', '?5')} AND NOT EXISTS (${buildChangeQuery('?1', '?10')})
        ON CONFLICT (provider, subject) DO UPDATE SET
          label = coalesce(excluded.label, label),
          ${replaceTokenIfSent},
          refreshable_until = NULL,
          last_sign_in_at = excluded.last_sign_in_at
        WHERE user_id = excluded.user_id
        RETURNING user_id`,
      )
      .bind(
        provider,
        subject,
        label,
        sealedRefreshToken,
        now,
        userId,
        session,
        ...identifierValues(identity),
        subjectNamespace,
      ),
    auditIdentityChange(db, { event: 'linked', actor: 'user', now }, identity),
    db
      .prepare(
        `${buildChangeQuery('?4', '?5')} UNION ALL
        SELECT 0 FROM grants WHERE user_id = ?1 AND ${buildActiveSessionCondition('?2', '?3')}`,
      )
      .bind(userId, session, now, provider, subjectNamespace),
  );
  if (linked?.results[0] !== undefined) return 'linked';
  switch (checked?.results[0]?.changed) {
    case undefined:
      return 'session-ended';
    case 1:
      return 'provider-changed';
    default:
      return 'linked-to-other-user';
  }
};

export const markLinkSeen = async (
  db: SqlDatabase,
  { userId, provider, subject, linkedAt }: SeenLink,
): Promise<void> => {
  await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET newly_linked = 0
        WHERE provider = ?1 AND subject = ?2 AND user_id = ?3 AND created_at = ?4`,
      )
      .bind(provider, subject, userId, linkedAt),
  );
};

export const unlinkIdentity = async (
  db: SqlDatabase,
  { userId, provider, subject, now }: IdentityUnlink,
): Promise<IdentityUnlinkOutcome> => {
  const [existing, removed] = await runBatch<
    IssuedTokenRow & { readonly sealed_refresh_token: string | null }
  >(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE provider = ?1 AND subject = ?2 AND user_id = ?3`,
      )
      .bind(provider, subject, userId),
    db
      .prepare(
        `DELETE FROM identities WHERE provider = ?1 AND subject = ?2 AND user_id = ?3
          AND (SELECT count(*) FROM identities WHERE user_id = ?3) > 1
        RETURNING provider, subject, sealed_refresh_token, ${namespaceColumn}`,
      )
      .bind(provider, subject, userId),
    auditChange(db, { event: 'unlinked', actor: 'user', now }, { userId, provider }),
    // After the identity is deleted, because the conditions of these statements require that.
    ...revokeEach(db, {
      where: `provider = ?2 AND subject = ?3 AND user_id = ?4
        AND NOT EXISTS (SELECT 1 FROM identities WHERE provider = ?2 AND subject = ?3)`,
      values: [provider, subject, userId],
      reason: 'identity unlinked',
      now,
    }),
  );
  const row = removed?.results[0];
  if (row === undefined) return { kind: existing?.results[0] === undefined ? 'unknown' : 'last-identity' };
  return { kind: 'unlinked', ...(row.sealed_refresh_token !== null && { token: toIssuedToken(row) }) };
};

export const revokeGrants = async (
  db: SqlDatabase,
  { userId, grantIds, reason, now }: GrantRevocation,
): Promise<void> => {
  const where = 'user_id = ?2 AND id IN (SELECT value FROM json_each(?3))';
  await runBatch(
    db,
    ...revokeEach(db, { where, values: [userId, JSON.stringify(grantIds)], reason, now }),
    auditChange(db, { event: 'revoked', actor: 'user', reason, now }, { userId }),
  );
};

// Sessions are grants of the account page and are revoked like any grant.

export const useSession = async (
  db: SqlDatabase,
  { grantId, now, idleExpiresAt }: SessionActivity,
): Promise<Session | undefined> => {
  const [, found] = await runBatch<SessionRow>(
    db,
    db
      .prepare(
        `UPDATE grants SET last_used_at = max(last_used_at, ?2),
          refresh_idle_expires_at = min(?3, refresh_absolute_expires_at)
        WHERE ${buildActiveSessionCondition('?1', '?2')}`,
      )
      .bind(grantId, now, idleExpiresAt),
    db
      .prepare(
        `SELECT grants.user_id, provider, subject, label, sealed_refresh_token IS NOT NULL AS hasUpstreamToken
        FROM grants JOIN identities USING (provider, subject)
        WHERE changes() > 0 AND grants.id = ?1 AND identities.user_id = grants.user_id`,
      )
      .bind(grantId),
  );
  const row = found?.results[0];
  if (row === undefined) return undefined;
  const { provider, subject, label } = row;
  return {
    userId: row.user_id,
    identity: {
      provider,
      subject,
      ...(label !== null && { label }),
      hasUpstreamToken: row.hasUpstreamToken === 1,
    },
  };
};

interface SessionRow {
  readonly user_id: string;
  readonly provider: string;
  readonly subject: string;
  readonly label: string | null;
  readonly hasUpstreamToken: number;
}
