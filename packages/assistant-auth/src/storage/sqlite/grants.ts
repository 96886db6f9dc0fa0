/**
 * Grants in SQL: codes and refresh tokens. A code is redeemed once (`updateRedeemedGrant`); a second
 * redemption after the grace period revokes the grant (`revokeReplayed`, RFC 6749 §4.1.2). Reuse of a
 * replaced refresh token revokes the grant (`revokeReused`, RFC 9700 §4.14.2); `isTokenAccepted` says when a
 * replaced token is still accepted, and `token-endpoint/refresh-token.ts` and `BrokerStorage.refresh`
 * describe the rule.
 */

import type { GrantId } from '../../oauth/identifiers.ts';
import type {
  CodeClaim,
  CodeClaimOutcome,
  CodeRedemption,
  CodeRedemptionOutcome,
  GrantRefresh,
  GrantState,
  PresentedRefreshToken,
  RefreshableGrant,
  RefreshOutcome,
} from '../broker-storage.ts';
import { runBatchOnce } from './clients.ts';
import { revokeByTarget, type TargetRevocation } from './revocations.ts';
import { type StatusRow, selectStatus, toGrantStatus } from './sign-ins.ts';
import { auditGrantChange, hasChanges, runBatch, type SqlDatabase, type SqlStatement } from './statements.ts';
import { acquireLeaseOnRefresh, type RecheckLeaseRow, toRecheckLease } from './upstream-tokens.ts';

export const redeemCode = async (
  db: SqlDatabase,
  redemption: CodeRedemption,
): Promise<CodeRedemptionOutcome> => {
  // The revocation does not match the grant that this call redeems, because it was redeemed just now, and not
  // before the grace period. `revokeReplayed` is three statements, and the second one changes the grant.
  const results = await runBatchOnce<GrantStateRow>(
    db,
    redemption.assertion,
    updateRedeemedGrant(db, redemption),
    ...revokeReplayed(db, redemption),
  );
  if (results === undefined) return assertionReplayed;
  const [redeemed, , revoked] = results;
  const grant = redeemed?.results[0];
  if (grant !== undefined) return { kind: 'redeemed', grant: toGrantState(grant) };
  return { kind: 'refused', reason: hasChanges(revoked) ? 'replayed' : 'invalid' };
};

const assertionReplayed = { kind: 'refused', reason: 'assertion-replayed' } as const;

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
  revokeAfterReuse(db, grantId, {
    where: 'id = ?2 AND client_id = ?4 AND redeemed_at < ?3 - ?5',
    values: [clientId, replayGrace],
    reason: 'code replayed',
    now,
  });

/** Creates three statements: those of `revokeByTarget`, and the audit row. */
const revokeAfterReuse = (
  db: SqlDatabase,
  id: GrantId,
  revocation: Omit<TargetRevocation, 'target'>,
): readonly SqlStatement[] => {
  const { reason, now } = revocation;
  return [
    ...revokeByTarget(db, { ...revocation, target: { kind: 'grant', id } }),
    auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason, now }, id),
  ];
};

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

// Refresh: the first three statements detect reuse. If there is none, the next one rotates, accepts a retry,
// or starts a branch, and the last one acquires a recheck lease.

export const refresh = async (db: SqlDatabase, use: GrantRefresh): Promise<RefreshOutcome> => {
  const results = await runBatchOnce<GrantStateRow & RecheckLeaseRow>(
    db,
    use.assertion,
    // Before the rotation: without a grace period, they would match the token that was just used.
    ...revokeReused(db, use),
    updateRefreshedGrant(db, use),
    acquireLeaseOnRefresh(db, use),
  );
  if (results === undefined) return assertionReplayed;
  const [, revoked, , refreshed, leased] = results;
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

export const readRefreshable = async (
  db: SqlDatabase,
  token: PresentedRefreshToken,
): Promise<RefreshableGrant | undefined> => {
  const [found] = await runBatch<Omit<RefreshableGrant, 'claims'> & Pick<GrantStateRow, 'claims'>>(
    db,
    db
      .prepare(`SELECT user_id AS userId, provider, subject, claims FROM grants WHERE ${isTokenAccepted}`)
      .bind(...tokenValues(token)),
  );
  const row = found?.results[0];
  return row && { ...row, claims: JSON.parse(row.claims) };
};

/**
 * Returns the condition that the refresh tokens of a grant have not expired, and that its identity can be
 * refreshed.
 * @param now the SQL parameter with the current time
 */
const buildRefreshableCondition = (now: string): string => `refresh_idle_expires_at > ${now}
  AND NOT EXISTS (
    SELECT 1 FROM identities
    WHERE identities.provider = grants.provider AND identities.subject = grants.subject AND refreshable_until <= ${now}
  )`;

/**
 * The generation that the current one replaced. The branch columns count only while the first token of the
 * branch is the current one, so that an older release, which ignores them, can rotate the grant in between.
 */
const previousGeneration = 'iif(branch_generation IS generation, branch_started_from, generation - 1)';

/**
 * Returns the condition that the newest rotation is so recent that the previous token is a retry.
 * @param now the SQL parameter with the current time
 * @param grace the SQL parameter with the grace period. With 0, nothing is a retry, whatever the clock says
 */
const buildRetryCondition = (now: string, grace: string): string =>
  `(${grace} > 0 AND rotated_at >= ${now} - ${grace})`;

const isRetry = buildRetryCondition('?4', '?5');

/** The condition that a presented refresh token can refresh its grant. `?1` to `?6` are the `tokenValues`. */
const isTokenAccepted = `id = ?1 AND client_id = ?2 AND revoked_at IS NULL AND ${buildRefreshableCondition('?4')}
  AND (
    (refresh_policy <> 'none' AND generation = ?3)
    OR (refresh_policy = 'rotating' AND ${previousGeneration} = ?3 AND (${isRetry} OR ?6 = 'recover'))
  )`;

/**
 * The condition that the token starts a new generation: the current token, or the previous one after the
 * grace period.
 */
const startsGeneration = `refresh_policy = 'rotating' AND (generation = ?3 OR NOT ${isRetry})`;

/** The condition that the token is late: its successor was never used, and from now on it can't be. */
const startsBranch = `refresh_policy = 'rotating' AND generation > ?3 AND NOT ${isRetry}`;

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
        refresh_idle_expires_at = min(?8, refresh_absolute_expires_at),
        claims = coalesce(?9, claims)
      WHERE ${isTokenAccepted}
      RETURNING ${grantStateColumns}`,
    )
    .bind(
      ...tokenValues(use),
      use.accessExpiresAt,
      use.refreshIdleExpiresAt,
      use.claims === undefined ? null : JSON.stringify(use.claims),
    );

const revokeReused = (
  db: SqlDatabase,
  { grantId, clientId, generation, now, grace, lateRefresh }: GrantRefresh,
) =>
  revokeAfterReuse(db, grantId, {
    where: `id = ?2 AND client_id = ?4 AND refresh_policy = 'rotating' AND ${buildRefreshableCondition('?3')}
      AND generation > ?5
      AND NOT (${previousGeneration} = ?5 AND (${buildRetryCondition('?3', '?6')} OR ?7 = 'recover'))`,
    values: [clientId, generation, grace, lateRefresh],
    reason: 'refresh token reused',
    now,
  });

/** The columns in `grantStateColumns`. Scopes and claims are JSON. */
type GrantStateRow = Omit<GrantState, 'scopes' | 'claims'> & {
  readonly scopes: string;
  readonly claims: string;
};

const grantStateColumns = `user_id AS userId, provider, redirect_uri AS redirectUri, scopes, resource, claims,
  refresh_policy AS refreshPolicy, generation, refresh_idle_expires_at AS refreshIdleExpiresAt,
  refresh_absolute_expires_at AS refreshAbsoluteExpiresAt`;

const toGrantState = (row: GrantStateRow): GrantState => ({
  ...row,
  scopes: JSON.parse(row.scopes),
  claims: JSON.parse(row.claims),
});
