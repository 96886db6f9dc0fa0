/**
 * Grants in SQL: sign-ins, which store user, identity and grant together, codes (RFC 6749 §4.1.2) and refresh
 * tokens (RFC 9700 §4.14.2).
 */
import { accountClientId } from '../../oauth/identifiers.ts';
import type {
  CodeClaim,
  CodeClaimOutcome,
  CodeRedemption,
  CodeRedemptionOutcome,
  GrantRefresh,
  GrantState,
  GrantStatus,
  PresentedRefreshToken,
  RefreshOutcome,
  RefreshPolicy,
  SignIn,
  SignInOutcome,
} from '../broker-storage.ts';
import { buildActiveSessionCondition } from './accounts.ts';
import { isActiveGrant, revokeByTarget } from './revocations.ts';
import {
  auditGrantChange,
  auditRows,
  hasChanges,
  runBatch,
  type SqlDatabase,
  type SqlStatement,
} from './statements.ts';
import {
  acquireLeaseOnRefresh,
  identifierValues,
  type RecheckLeaseRow,
  replaceTokenIfSent,
  toRecheckLease,
} from './upstream-tokens.ts';

export const recordSignIn = async (db: SqlDatabase, signIn: SignIn): Promise<SignInOutcome> => {
  const [counted, , upserted] = await runBatch<SignInRow>(
    db,
    selectOldestCounted(db, signIn),
    insertUser(db, signIn),
    upsertIdentity(db, signIn),
    insertGrant(db, signIn),
    auditGrantChange(db, { event: 'signed-in', actor: 'user', now: signIn.now }, signIn.grant.id),
    ...revokeLeastRecentlyUsed(db, signIn),
  );
  const { user_id, hasUpstreamToken } = upserted?.results[0] ?? {};
  if (user_id !== undefined)
    return { kind: 'recorded', userId: user_id, hasUpstreamToken: hasUpstreamToken === 1 };
  const { created_at } = counted?.results[0] ?? {};
  if (created_at !== undefined)
    return { kind: 'limited', retryAfter: created_at + signIn.limits.period - signIn.now };
  // The grant ID of someone who continues a session was generated just now, so it can't exist.
  return { kind: signIn.session === undefined ? 'replayed' : 'session-ended' };
};

/**
 * The rows that the statements of a sign-in return: `created_at` if the limit is reached, or the columns of
 * the identity.
 */
interface SignInRow {
  readonly created_at?: number;
  readonly user_id?: string;
  readonly hasUpstreamToken?: number;
}

export const readGrantStatus = async (db: SqlDatabase, grantId: string): Promise<GrantStatus> => {
  const [found] = await runBatch<StatusRow>(db, selectStatus(db, grantId));
  return toGrantStatus(found?.results[0]);
};

interface StatusRow {
  readonly revoked: number;
}

const selectStatus = (db: SqlDatabase, grantId: string): SqlStatement =>
  db.prepare('SELECT revoked_at IS NOT NULL AS revoked FROM grants WHERE id = ?1').bind(grantId);

const toGrantStatus = (row: StatusRow | undefined): GrantStatus => {
  if (row === undefined) return 'unknown';
  return row.revoked === 1 ? 'revoked' : 'active';
};

/**
 * The condition that this transaction has not been recorded yet, and that its session, if it has one, has not
 * ended. `?1` is the grant's ID, `?2` now, `?3` the session.
 */
const isNew = `NOT EXISTS (SELECT 1 FROM grants WHERE id = ?1)
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
const canRecord = `${isNew} AND NOT EXISTS (${oldestCounted})`;

/** The values of `?1` to `?8`. */
const signInValues = ({ now, session, grant, limits, user, identity }: SignIn) => [
  ...[grant.id, now, session ?? null, limits.period, limits.signIns - 1],
  ...[user.kind === 'resolved' ? user.id : null, identity.provider, identity.subject],
];

const selectOldestCounted = (db: SqlDatabase, signIn: SignIn): SqlStatement =>
  db.prepare(`SELECT created_at FROM (${oldestCounted}) WHERE ${isNew}`).bind(...signInValues(signIn));

const insertUser = (db: SqlDatabase, signIn: SignIn): SqlStatement => {
  const { user } = signIn;
  switch (user.kind) {
    case 'by-identity':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?9, ?2 WHERE ${canRecord}
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

/** Someone who continues a session did not sign in at the provider, so `last_sign_in_at` is kept. */
const upsertIdentity = (db: SqlDatabase, signIn: SignIn): SqlStatement => {
  const { identity, user } = signIn;
  const { label = null, sealedRefreshToken = null } = identity;
  return db
    .prepare(
      `INSERT INTO identities
        (provider, subject, user_id, label, sealed_refresh_token, token_identifier, other_token_identifier, created_at, last_sign_in_at)
      SELECT ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?2, ?2 WHERE ${canRecord}
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
          sid, signed_in_at)
      SELECT ?1, user_id, provider, subject, ?9, ?10, ?11, ?12, ?13, ?14, ?2, ?15,
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
    );
};

/**
 * Revokes the user's least recently used grants beyond the limit. Must directly follow the statement for the
 * audit: each statement reads nothing unless the one before it changed a row.
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
        SELECT 'grant', id, max(?1, last_used_at), access_expires_at FROM grants WHERE ${justRevoked} AND access_expires_at > ?1`,
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

// Codes are redeemed once; a late second redemption revokes the grant (RFC 6749 §4.1.2).

export const redeemCode = async (
  db: SqlDatabase,
  redemption: CodeRedemption,
): Promise<CodeRedemptionOutcome> => {
  // The revocation does not match the grant that this call redeems, because that redemption is not late.
  const [redeemed, , revoked] = await runBatch<GrantStateRow>(
    db,
    updateRedeemedGrant(db, redemption),
    ...revokeReplayed(db, redemption),
    auditReplay(db, redemption),
  );
  const grant = redeemed?.results[0];
  if (grant !== undefined) return { kind: 'redeemed', grant: toGrantState(grant) };
  return { kind: 'refused', reason: hasChanges(revoked) ? 'replayed' : 'invalid' };
};

const updateRedeemedGrant = (db: SqlDatabase, redemption: CodeRedemption): SqlStatement =>
  db
    .prepare(
      `UPDATE grants SET redeemed_at = ?3, last_used_at = ?3, access_expires_at = ?4,
        refresh_idle_expires_at = min(?5, ?6), refresh_absolute_expires_at = ?6
      WHERE id = ?1 AND client_id = ?2 AND redeemed_at IS NULL AND revoked_at IS NULL AND ?3 < ?7
      RETURNING ${grantStateColumns}`,
    )
    .bind(
      redemption.grantId,
      redemption.clientId,
      redemption.now,
      redemption.accessExpiresAt,
      redemption.refreshIdleExpiresAt,
      redemption.refreshAbsoluteExpiresAt,
      redemption.codeExpiresAt,
    );

const revokeReplayed = (db: SqlDatabase, { grantId, clientId, now, replayGrace }: CodeRedemption) =>
  revokeByTarget(db, {
    target: { kind: 'grant', id: grantId },
    where: 'id = ?2 AND client_id = ?4 AND redeemed_at < ?3 - ?5',
    values: [clientId, replayGrace],
    reason: codeReplayed,
    now,
  });

const auditReplay = (db: SqlDatabase, { grantId, now }: CodeRedemption) =>
  auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason: codeReplayed, now }, grantId);

const codeReplayed = 'code replayed';

export const claimCode = async (db: SqlDatabase, { grantId, now }: CodeClaim): Promise<CodeClaimOutcome> => {
  const [claimed, found] = await runBatch<StatusRow>(
    db,
    db
      .prepare(
        `UPDATE grants SET code_claimed_at = ?2
        WHERE id = ?1 AND code_claimed_at IS NULL AND redeemed_at IS NULL AND revoked_at IS NULL`,
      )
      .bind(grantId, now),
    selectStatus(db, grantId),
  );
  return hasChanges(claimed) ? 'claimed' : toGrantStatus(found?.results[0]);
};

// Refresh: one statement rotates, answers a retry, or starts a branch; the others detect reuse.

export const refresh = async (db: SqlDatabase, use: GrantRefresh): Promise<RefreshOutcome> => {
  const [refreshed, leased, , revoked] = await runBatch<GrantStateRow & RecheckLeaseRow>(
    db,
    updateRefreshedGrant(db, use),
    acquireLeaseOnRefresh(db, use),
    // Never matches a request that was just answered: its token is now the previous one, within the grace
    // period.
    ...revokeReused(db, use),
    auditReuse(db, use),
  );
  const grant = refreshed?.results[0];
  const recheck = leased?.results[0];
  if (grant !== undefined)
    return {
      kind: 'refreshed',
      grant: toGrantState(grant),
      ...(recheck && { recheck: toRecheckLease(recheck, use.now) }),
    };
  return { kind: 'refused', reason: hasChanges(revoked) ? 'reused' : 'inactive' };
};

export const isRefreshable = async (db: SqlDatabase, token: PresentedRefreshToken): Promise<boolean> => {
  const [found] = await runBatch(
    db,
    db.prepare(`SELECT id FROM grants WHERE ${isTokenAccepted}`).bind(...tokenValues(token)),
  );
  return (found?.results.length ?? 0) > 0;
};

/** Whether a grant and its identity allow any refresh. `now` is the SQL parameter with the current time. */
const buildRefreshableCondition = (now: string): string => `refresh_idle_expires_at > ${now}
  AND NOT EXISTS (
    SELECT 1 FROM identities
    WHERE identities.provider = grants.provider AND identities.subject = grants.subject AND refreshable_until <= ${now}
  )`;

/**
 * The generation that the current one replaced. The branch columns count only while the first token of the
 * branch is the current one, so that a release that doesn't know them can rotate the grant in between.
 */
const previous = 'iif(branch_generation IS generation, branch_started_from, generation - 1)';

/** The condition that a presented refresh token can refresh its grant. `?1` to `?6` are the `tokenValues`. */
const isTokenAccepted = `id = ?1 AND client_id = ?2 AND revoked_at IS NULL AND ${buildRefreshableCondition('?4')}
  AND (
    (refresh_policy <> 'none' AND generation = ?3)
    OR (refresh_policy = 'rotating' AND ${previous} = ?3 AND (rotated_at >= ?4 - ?5 OR ?6 = 'recover'))
  )`;

/**
 * Whether the token starts a new generation: the current token, or the previous one after the grace period.
 */
const startsGeneration = `refresh_policy = 'rotating' AND (generation = ?3 OR rotated_at < ?4 - ?5)`;

/** Whether the token is late: its successor was never used, and from now on it can't be. */
const startsBranch = `refresh_policy = 'rotating' AND generation > ?3 AND rotated_at < ?4 - ?5`;

const tokenValues = ({ grantId, clientId, generation, now, grace, lateRefresh }: PresentedRefreshToken) => [
  ...[grantId, clientId, generation, now, grace, lateRefresh],
];

const updateRefreshedGrant = (db: SqlDatabase, use: GrantRefresh): SqlStatement =>
  db
    .prepare(
      `UPDATE grants SET
        generation = generation + iif(${startsGeneration}, 1, 0),
        branch_generation = iif(${startsBranch}, generation + 1, branch_generation),
        branch_started_from = iif(${startsBranch}, ?3, branch_started_from),
        previous_rotated_at = iif(${startsGeneration} AND NOT (${startsBranch}), coalesce(rotated_at, redeemed_at), previous_rotated_at),
        rotated_at = iif(${startsGeneration}, ?4, rotated_at),
        last_used_at = max(last_used_at, ?4),
        access_expires_at = max(access_expires_at, ?7),
        refresh_idle_expires_at = min(?8, refresh_absolute_expires_at)
      WHERE ${isTokenAccepted}
      RETURNING ${grantStateColumns}`,
    )
    .bind(...tokenValues(use), use.accessExpiresAt, use.refreshIdleExpiresAt);

const revokeReused = (
  db: SqlDatabase,
  { grantId, clientId, generation, now, grace, lateRefresh }: GrantRefresh,
) =>
  revokeByTarget(db, {
    target: { kind: 'grant', id: grantId },
    where: `id = ?2 AND client_id = ?4 AND refresh_policy = 'rotating' AND ${buildRefreshableCondition('?3')}
      AND generation > ?5
      AND NOT (${previous} = ?5 AND (rotated_at >= ?3 - ?6 OR ?7 = 'recover'))`,
    values: [clientId, generation, grace, lateRefresh],
    reason: tokenReused,
    now,
  });

const auditReuse = (db: SqlDatabase, { grantId, now }: GrantRefresh) =>
  auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason: tokenReused, now }, grantId);

const tokenReused = 'refresh token reused';

/** The columns in `grantStateColumns`. */
interface GrantStateRow {
  readonly user_id: string;
  /** JSON array. */
  readonly scopes: string;
  readonly resource: string;
  /** JSON object. */
  readonly claims: string;
  readonly refresh_policy: RefreshPolicy;
  readonly generation: number;
  readonly refresh_idle_expires_at: number;
  readonly refresh_absolute_expires_at: number;
}

const grantStateColumns = `user_id, scopes, resource, claims, refresh_policy, generation,
  refresh_idle_expires_at, refresh_absolute_expires_at`;

const toGrantState = (row: GrantStateRow): GrantState => ({
  userId: row.user_id,
  scopes: JSON.parse(row.scopes),
  resource: row.resource,
  claims: JSON.parse(row.claims),
  refreshPolicy: row.refresh_policy,
  generation: row.generation,
  refreshIdleExpiresAt: row.refresh_idle_expires_at,
  refreshAbsoluteExpiresAt: row.refresh_absolute_expires_at,
});
