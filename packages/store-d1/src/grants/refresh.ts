/**
 * Refresh: one statement rotates the token, answers a retry, or starts a new branch after a lost response; the other statements detect
 * reuse (RFC 9700 §4.14.2).
 */
import type { RefreshOutcome, RefreshQuestion, RefreshUse } from '@words-with-chat/broker';
import { auditGrantChange } from '../audit.ts';
import { endGrants } from '../endings.ts';
import { type LeaseRow, lease, leaseOf } from '../provider-tokens/checks.ts';
import { changedRows, roundTrip } from '../round-trip.ts';
import { factColumns, type GrantRow, grantFacts } from './grant-row.ts';

export const refresh = async (db: D1Database, use: RefreshUse): Promise<RefreshOutcome> => {
  const [answered, leased, , ended] = await roundTrip<GrantRow & LeaseRow>(
    db,
    answer(db, use),
    lease(db, use),
    // Never matches a request that was just answered: its token is now the previous one, within the grace period.
    ...endReused(db, use),
    auditReuse(db, use),
  );
  const grant = answered?.results[0];
  const due = leased?.results[0];
  if (grant !== undefined)
    return { kind: 'continued', grant: grantFacts(grant), ...(due && { due: leaseOf(due, use.now) }) };
  return { kind: 'refused', reason: changedRows(ended) ? 'reused' : 'ended' };
};

export const isRefreshable = async (db: D1Database, question: RefreshQuestion): Promise<boolean> => {
  const [found] = await roundTrip(
    db,
    db.prepare(`SELECT id FROM grants WHERE ${answerable}`).bind(...asked(question)),
  );
  return (found?.results.length ?? 0) > 0;
};

/** Whether a grant and its identity allow any refresh. `now` is the SQL parameter with the current time. */
const refreshable = (now: string): string => `refresh_idle_expires_at > ${now}
  AND NOT EXISTS (
    SELECT 1 FROM identities
    WHERE identities.provider = grants.provider AND identities.subject = grants.subject AND refreshable_until <= ${now}
  )`;

/**
 * The generation that the current one replaced. The branch columns count only while the first token of the branch is the current one, so
 * that a release that doesn't know them can rotate the grant in between.
 */
const previous = 'iif(branch_generation IS generation, branch_started_from, generation - 1)';

/** The grant that a presented refresh token can refresh. `?1` to `?6` are the values of `asked`. */
const answerable = `id = ?1 AND client_id = ?2 AND revoked_at IS NULL AND ${refreshable('?4')}
  AND (
    (refresh_policy <> 'none' AND generation = ?3)
    OR (refresh_policy = 'rotating' AND ${previous} = ?3 AND (rotated_at >= ?4 - ?5 OR ?6 = 'recover'))
  )`;

/** Whether the token starts a new generation: the current token, or the previous one after the grace period. */
const movesOn = `refresh_policy = 'rotating' AND (generation = ?3 OR rotated_at < ?4 - ?5)`;

/** Whether the token is late: its successor was never used, and from now on it can't be. */
const startsBranch = `refresh_policy = 'rotating' AND generation > ?3 AND rotated_at < ?4 - ?5`;

const asked = ({ grantId, clientId, generation, now, grace, lateRefresh }: RefreshQuestion) => [
  ...[grantId, clientId, generation, now, grace, lateRefresh],
];

const answer = (db: D1Database, use: RefreshUse): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE grants SET
        generation = generation + iif(${movesOn}, 1, 0),
        branch_generation = iif(${startsBranch}, generation + 1, branch_generation),
        branch_started_from = iif(${startsBranch}, ?3, branch_started_from),
        previous_rotated_at = iif(${movesOn} AND NOT (${startsBranch}), coalesce(rotated_at, redeemed_at), previous_rotated_at),
        rotated_at = iif(${movesOn}, ?4, rotated_at),
        last_used_at = max(last_used_at, ?4),
        access_dies_at = max(access_dies_at, ?7),
        refresh_idle_expires_at = min(?8, refresh_absolute_expires_at)
      WHERE ${answerable}
      RETURNING ${factColumns}`,
    )
    .bind(...asked(use), use.accessExpiresAt, use.refreshIdleExpiresAt);

const endReused = (db: D1Database, { grantId, clientId, generation, now, grace, lateRefresh }: RefreshUse) =>
  endGrants(db, {
    target: { kind: 'grant', id: grantId },
    where: `id = ?2 AND client_id = ?4 AND refresh_policy = 'rotating' AND ${refreshable('?3')}
      AND generation > ?5
      AND NOT (${previous} = ?5 AND (rotated_at >= ?3 - ?6 OR ?7 = 'recover'))`,
    values: [clientId, generation, grace, lateRefresh],
    reason: tokenReused,
    now,
  });

const auditReuse = (db: D1Database, { grantId, now }: RefreshUse) =>
  auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason: tokenReused, now }, grantId);

const tokenReused = 'refresh token reused';
