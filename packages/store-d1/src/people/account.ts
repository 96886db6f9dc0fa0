/** What is stored of a person, read and deleted. */
import type {
  Account,
  Deletion,
  DeletionOutcome,
  HistoryEntry,
  IdentityName,
  LinkedIdentity,
  RefreshPolicy,
  StoredGrant,
  UserId,
} from '@words-with-chat/broker';
import { auditChange } from '../audit.ts';
import { rememberUser } from '../endings.ts';
import { type TokenRow, tokenOf } from '../provider-tokens/checks.ts';
import { changedRows, roundTrip } from '../round-trip.ts';

export const readAccount = async (db: D1Database, userId: UserId): Promise<Account | undefined> => {
  const [users, identities, grants] = await roundTrip<UserRow & IdentityRow & StoredGrantRow>(
    db,
    db.prepare('SELECT created_at FROM users WHERE id = ?1').bind(userId),
    db
      .prepare(
        `SELECT provider, subject, label, sealed_refresh_token IS NOT NULL AS watched, created_at, last_sign_in_at
        FROM identities WHERE user_id = ?1 ORDER BY created_at, provider, subject`,
      )
      .bind(userId),
    db
      .prepare(
        `SELECT id, client_id, redirect_uri, scopes, resource, claims, sid, provider, subject, refresh_policy, created_at, revoked_at,
          redeemed_at, last_used_at, access_dies_at, refresh_idle_expires_at
        FROM grants WHERE user_id = ?1 ORDER BY created_at DESC, id`,
      )
      .bind(userId),
  );
  const user = users?.results[0];
  if (user === undefined) return undefined;
  return {
    createdAt: user.created_at,
    identities: (identities?.results ?? []).map(linkedIdentity),
    grants: (grants?.results ?? []).map(storedGrant),
  };
};

export const readHistory = async (db: D1Database, userId: UserId): Promise<readonly HistoryEntry[]> => {
  const [rows] = await roundTrip<HistoryRow>(
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
  db: D1Database,
  { provider, subject }: IdentityName,
): Promise<UserId | undefined> => {
  const [found] = await roundTrip<{ readonly user_id: string }>(
    db,
    db.prepare('SELECT user_id FROM identities WHERE provider = ?1 AND subject = ?2').bind(provider, subject),
  );
  return found?.results[0]?.user_id;
};

export const deleteUser = async (db: D1Database, { userId, by, now }: Deletion): Promise<DeletionOutcome> => {
  const [tokens, , , , deleted] = await roundTrip<TokenRow>(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE user_id = ?1 AND sealed_refresh_token IS NOT NULL`,
      )
      .bind(userId),
    ...rememberUser(db, userId, now),
    // Identities, grants and the user's rows of the audit go with it; the one that stays names nobody.
    db.prepare('DELETE FROM users WHERE id = ?1').bind(userId),
    auditChange(db, { event: 'deleted', actor: by, now }, {}),
  );
  if (!changedRows(deleted)) return { kind: 'unknown' };
  return { kind: 'deleted', tokens: (tokens?.results ?? []).map(tokenOf) };
};

interface UserRow {
  readonly created_at: number;
}

interface IdentityRow {
  readonly provider: string;
  readonly subject: string;
  readonly label: string | null;
  readonly watched: number;
  readonly created_at: number;
  readonly last_sign_in_at: number;
}

const linkedIdentity = (row: IdentityRow): LinkedIdentity => ({
  provider: row.provider,
  subject: row.subject,
  createdAt: row.created_at,
  lastSignInAt: row.last_sign_in_at,
  watched: row.watched === 1,
  ...(row.label !== null && { label: row.label }),
});

interface StoredGrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly scopes: string;
  readonly resource: string;
  readonly claims: string;
  readonly sid: string | null;
  readonly provider: string;
  readonly subject: string;
  readonly refresh_policy: RefreshPolicy;
  readonly created_at: number;
  readonly revoked_at: number | null;
  readonly redeemed_at: number | null;
  readonly last_used_at: number | null;
  readonly access_dies_at: number | null;
  readonly refresh_idle_expires_at: number | null;
}

const storedGrant = (row: StoredGrantRow): StoredGrant => ({
  id: row.id,
  clientId: row.client_id,
  redirectUri: row.redirect_uri,
  scopes: JSON.parse(row.scopes),
  resource: row.resource,
  claims: JSON.parse(row.claims),
  ...(row.sid !== null && { sid: row.sid }),
  identity: { provider: row.provider, subject: row.subject },
  refreshPolicy: row.refresh_policy,
  createdAt: row.created_at,
  ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
  ...useOf(row),
});

/** All four are written together. */
const useOf = (row: StoredGrantRow): Pick<StoredGrant, 'use'> => {
  const { redeemed_at, last_used_at, access_dies_at, refresh_idle_expires_at } = row;
  if (redeemed_at === null || last_used_at === null) return {};
  return {
    use: {
      redeemedAt: redeemed_at,
      lastUsedAt: last_used_at,
      accessDiesAt: access_dies_at ?? 0,
      refreshIdleExpiresAt: refresh_idle_expires_at ?? 0,
    },
  };
};
