/** Refresh: one statement moves a generation on or answers a retry, and an old generation ends the grant (RFC 9700 §4.14). */
import type { RefreshOutcome, RefreshQuestion, RefreshUse } from '@words-with-chat/broker';
import { auditGrantChange } from '../audit.ts';
import { endGrants } from '../endings.ts';
import { lease, type TokenRow, tokenOf } from '../provider-tokens/checks.ts';
import { changedRows, roundTrip } from '../round-trip.ts';
import { factColumns, type GrantRow, grantFacts } from './grant-row.ts';

export const refresh = async (db: D1Database, use: RefreshUse): Promise<RefreshOutcome> => {
  const [answered, leased, , ended] = await roundTrip<GrantRow & TokenRow>(
    db,
    answer(db, use),
    lease(db, use),
    // Leaves alone what this very call answers: one generation back at most, and fresh.
    ...endReused(db, use),
    auditReuse(db, use),
  );
  const grant = answered?.results[0];
  const due = leased?.results[0];
  if (grant !== undefined)
    return { kind: 'continued', grant: grantFacts(grant), ...(due && { due: tokenOf(due) }) };
  return { kind: 'refused', reason: changedRows(ended) ? 'reused' : 'ended' };
};

export const isRefreshable = async (db: D1Database, question: RefreshQuestion): Promise<boolean> => {
  const [found] = await roundTrip(
    db,
    db.prepare(`SELECT id FROM grants WHERE ${answerable}`).bind(...asked(question)),
  );
  return (found?.results.length ?? 0) > 0;
};

/** Which row answers a presented refresh token: `?1` to `?5` are what is `asked`. */
const answerable = `id = ?1 AND client_id = ?2 AND revoked_at IS NULL AND refresh_idle_expires_at > ?4
  AND (
    (refresh_policy <> 'none' AND generation = ?3)
    OR (refresh_policy = 'rotating' AND generation = ?3 + 1 AND rotated_at >= ?4 - ?5)
  )`;

const asked = ({ grantId, clientId, generation, now, grace }: RefreshQuestion) => [
  grantId,
  clientId,
  generation,
  now,
  grace,
];

const answer = (db: D1Database, use: RefreshUse): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE grants SET
        generation = generation + (refresh_policy = 'rotating' AND generation = ?3),
        rotated_at = iif(refresh_policy = 'rotating' AND generation = ?3, ?4, rotated_at),
        last_used_at = max(last_used_at, ?4),
        access_dies_at = max(access_dies_at, ?6),
        refresh_idle_expires_at = min(?7, refresh_absolute_expires_at)
      WHERE ${answerable}
      RETURNING ${factColumns}`,
    )
    .bind(...asked(use), use.accessExpiresAt, use.refreshIdleExpiresAt);

const endReused = (db: D1Database, { grantId, clientId, generation, now, grace }: RefreshUse) =>
  endGrants(db, {
    target: { kind: 'grant', id: grantId },
    where: `id = ?2 AND client_id = ?4 AND refresh_policy = 'rotating' AND refresh_idle_expires_at > ?3
      AND (generation > ?5 + 1 OR (generation = ?5 + 1 AND rotated_at < ?3 - ?6))`,
    values: [clientId, generation, grace],
    reason: tokenReused,
    now,
  });

const auditReuse = (db: D1Database, { grantId, now }: RefreshUse) =>
  auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason: tokenReused, now }, grantId);

const tokenReused = 'refresh token reused';
