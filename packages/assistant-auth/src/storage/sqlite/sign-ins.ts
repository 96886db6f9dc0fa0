/** Sign-ins in SQL: user, identity, grant and client are stored together, or not at all. */
import { accountClientId } from '../../oauth/identifiers.ts';
import { cleanupMargin, type GrantStatus, type SignIn, type SignInOutcome } from '../broker-storage.ts';
import { upsertClient } from './clients.ts';
import { buildChangeQuery, storeNamespace } from './providers.ts';
import { isActiveGrant } from './revocations.ts';
import { auditGrantChange, auditRows, runBatch, type SqlDatabase, type SqlStatement } from './statements.ts';
import { identifierValues, replaceTokenIfSent } from './upstream-tokens.ts';

export const recordSignIn = async (db: SqlDatabase, signIn: SignIn): Promise<SignInOutcome> => {
  const [, checked, , upserted] = await runBatch<SignInRow>(
    db,
    storeNamespace(db, signIn.identity.provider, signIn.subjectNamespace, signIn.now),
    selectRefusal(db, signIn),
    insertUser(db, signIn),
    upsertIdentity(db, signIn),
    insertGrant(db, signIn),
    ...(signIn.client === undefined ? [] : [upsertClient(db, signIn.client)]),
    auditGrantChange(db, { event: 'signed-in', actor: 'user', now: signIn.now }, signIn.grant.id),
    ...revokeLeastRecentlyUsed(db, signIn),
  );
  const { user_id, hasUpstreamToken } = upserted?.results[0] ?? {};
  if (user_id !== undefined)
    return { kind: 'recorded', userId: user_id, hasUpstreamToken: hasUpstreamToken === 1 };
  const { changed, created_at } = checked?.results[0] ?? {};
  if (changed === 1) return { kind: 'provider-changed' };
  if (created_at !== undefined)
    return { kind: 'limited', retryAfter: created_at + signIn.limits.period - signIn.now };
  // The grant ID of a sign-in that continues a session was generated just now, so it can't exist.
  return { kind: signIn.session === undefined ? 'replayed' : 'session-ended' };
};

/**
 * The rows that the statements of a sign-in return: `changed` if the provider was changed, `created_at` if
 * the limit is reached, or the columns of the identity.
 */
interface SignInRow {
  readonly changed?: number;
  readonly created_at?: number;
  readonly user_id?: string;
  readonly hasUpstreamToken?: number;
}

export const readGrantStatus = async (db: SqlDatabase, grantId: string): Promise<GrantStatus> => {
  const [found] = await runBatch<StatusRow>(db, selectStatus(db, grantId));
  return toGrantStatus(found?.results[0]);
};

export interface StatusRow {
  readonly revoked: number;
}

export const selectStatus = (db: SqlDatabase, grantId: string): SqlStatement =>
  db.prepare('SELECT revoked_at IS NOT NULL AS revoked FROM grants WHERE id = ?1').bind(grantId);

export const toGrantStatus = (row: StatusRow | undefined): GrantStatus => {
  if (row === undefined) return 'unknown';
  return row.revoked === 1 ? 'revoked' : 'active';
};

/**
 * Returns the condition that a row of `grants` is an active session.
 * @param id the SQL parameter with its ID, such as `?1`
 * @param now the SQL parameter with the current time
 */
export const buildActiveSessionCondition = (id: string, now: string): string =>
  `id = ${id} AND client_id = '${accountClientId}' AND redeemed_at IS NOT NULL AND revoked_at IS NULL
    AND refresh_idle_expires_at > ${now}`;

/**
 * The condition that this sign-in has not been recorded yet, and that the session that it continues, if any,
 * has not ended. `?1` is the grant's ID, `?2` now, `?3` the session.
 */
const isNewInActiveSession = `NOT EXISTS (SELECT 1 FROM grants WHERE id = ?1)
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM grants WHERE ${buildActiveSessionCondition('?3', '?2')}))`;

/**
 * If the user has reached the limit of sign-ins, finds the sign-in that must leave the period before another
 * one is possible. `?4` is the length of the period, `?5` one less than the limit, `?6` the user ID if the
 * publisher provides one, `?7` and `?8` the identity.
 */
const oldestCounted = `SELECT created_at FROM grants
  WHERE user_id = coalesce(?6, (SELECT user_id FROM identities WHERE provider = ?7 AND subject = ?8))
    AND created_at > ?2 - ?4 AND (signed_in_at IS NULL) = (?3 IS NULL)
  ORDER BY created_at DESC LIMIT 1 OFFSET ?5`;

/**
 * The condition that the statements for user and identity check, because each statement runs whatever the
 * others did.
 */
const canRecord = `${isNewInActiveSession} AND NOT EXISTS (${oldestCounted}) AND NOT EXISTS (${buildChangeQuery('?7', '?9')})`;

/** The values of `?1` to `?9`. */
const signInValues = ({ now, session, grant, limits, user, identity, subjectNamespace }: SignIn) => [
  ...[grant.id, now, session ?? null, limits.period, limits.signIns - 1],
  ...[user.kind === 'resolved' ? user.id : null, identity.provider, identity.subject, subjectNamespace],
];

/** Selects why the sign-in is refused, unless its grant exists or its session has ended. */
const selectRefusal = (db: SqlDatabase, signIn: SignIn): SqlStatement =>
  db
    .prepare(
      `SELECT changed, 0 AS created_at FROM (${buildChangeQuery('?7', '?9')})
      UNION ALL SELECT 0, created_at FROM (${oldestCounted}) WHERE ${isNewInActiveSession}`,
    )
    .bind(...signInValues(signIn));

const insertUser = (db: SqlDatabase, signIn: SignIn): SqlStatement => {
  const { user } = signIn;
  switch (user.kind) {
    case 'by-identity':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?10, ?2 WHERE ${canRecord}
            AND NOT EXISTS (SELECT 1 FROM identities WHERE provider = ?7 AND subject = ?8)`,
        )
        .bind(...signInValues(signIn), user.newId);
    case 'resolved':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?6, ?2 WHERE ${canRecord}
          ON CONFLICT (id) DO NOTHING`,
        )
        .bind(...signInValues(signIn));
  }
};

/** A user who continues a session did not sign in at the provider, so `last_sign_in_at` is kept. */
const upsertIdentity = (db: SqlDatabase, signIn: SignIn): SqlStatement => {
  const { identity, user } = signIn;
  const { label = null, sealedRefreshToken = null } = identity;
  return db
    .prepare(
      `INSERT INTO identities
        (provider, subject, user_id, label, sealed_refresh_token, token_identifier, other_token_identifier, created_at, last_sign_in_at)
      SELECT ?7, ?8, ?10, ?11, ?12, ?13, ?14, ?2, ?2 WHERE ${canRecord}
      ON CONFLICT (provider, subject) DO UPDATE SET
        ${user.kind === 'resolved' ? 'user_id = excluded.user_id,' : ''}
        label = coalesce(excluded.label, label),
        ${replaceTokenIfSent},
        refreshable_until = iif(?3 IS NULL, NULL, refreshable_until),
        last_sign_in_at = iif(?3 IS NULL, excluded.last_sign_in_at, last_sign_in_at)
      RETURNING user_id, sealed_refresh_token IS NOT NULL AS hasUpstreamToken`,
    )
    .bind(
      ...signInValues(signIn),
      selectUserId(user),
      label,
      sealedRefreshToken,
      ...identifierValues(identity),
    );
};

/**
 * Must directly follow the statement for the identity: `changes()` shows whether that statement recorded the
 * sign-in.
 */
const insertGrant = (db: SqlDatabase, signIn: SignIn): SqlStatement => {
  const { grant } = signIn;
  return db
    .prepare(
      `INSERT INTO grants
        (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy, created_at,
          sid, device, signed_in_at)
      SELECT ?1, user_id, provider, subject, ?10, ?11, ?12, ?13, ?14, ?15, ?2, ?16, ?17,
        (SELECT created_at FROM grants WHERE id = ?3)
      FROM identities
      WHERE provider = iif(changes() > 0, ?7, NULL) AND subject = ?8`,
    )
    .bind(
      ...signInValues(signIn),
      grant.clientId,
      grant.redirectUri,
      JSON.stringify(grant.scopes),
      grant.resource,
      JSON.stringify(grant.claims),
      grant.refreshPolicy,
      grant.sid ?? null,
      grant.device ?? null,
    );
};

/**
 * Revokes the user's least recently used grants beyond the limit. Must directly follow the statement that
 * writes the audit row: each statement reads nothing unless the one before it changed a row.
 */
const revokeLeastRecentlyUsed = (
  db: SqlDatabase,
  { now, grant, limits }: SignIn,
): readonly SqlStatement[] => {
  const others = limits.activeGrants - Number(grant.clientId !== accountClientId);
  // Contains the ID of the new grant, so that the other two statements find the grants that the first one
  // revoked.
  const reason = `too many grants when ${grant.id} was added`;
  const justRevoked =
    'user_id = iif(changes() > 0, (SELECT user_id FROM grants WHERE id = ?2), NULL) AND revoked_reason = ?3';
  return [
    db
      .prepare(`UPDATE grants SET revoked_at = ?1, revoked_reason = ?3 WHERE id IN (${leastRecentlyUsed})`)
      .bind(now, grant.id, reason, others),
    auditRows(
      db,
      `SELECT ?1, 'revoked', 'broker', 'too many grants', user_id, client_id, provider FROM grants WHERE ${justRevoked}`,
      [now, grant.id, reason],
    ),
    db
      .prepare(
        `INSERT INTO revocations (kind, id, revoked_at, expires_at)
        SELECT 'grant', id, max(?1, last_used_at), access_expires_at FROM grants WHERE ${justRevoked} AND access_expires_at > ?1 - ${cleanupMargin}`,
      )
      .bind(now, grant.id, reason),
  ];
};

/**
 * Finds the grants to revoke. `?1` is now, `?2` the new grant, `?4` the number of other grants that can be
 * active.
 */
const leastRecentlyUsed = `SELECT other.id FROM grants AS other
  WHERE other.user_id = (SELECT user_id FROM grants WHERE id = iif(changes() > 0, ?2, NULL)) AND other.id <> ?2 AND ${isActiveGrant}
  ORDER BY coalesce(other.last_used_at, other.created_at) DESC, other.id LIMIT -1 OFFSET ?4`;

const selectUserId = (user: SignIn['user']): string => {
  switch (user.kind) {
    case 'by-identity':
      return user.newId;
    case 'resolved':
      return user.id;
  }
};
