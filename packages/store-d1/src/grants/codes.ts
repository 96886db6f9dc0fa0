/** Authorization codes: spent exactly once, and a late second redemption ends the grant (RFC 6749 §4.1.2). */
import type { CodeClaim, CodeClaimOutcome, Redemption, RedemptionOutcome } from '@words-with-chat/broker';
import { auditGrantChange } from '../audit.ts';
import { endGrants } from '../endings.ts';
import { changedRows, roundTrip } from '../round-trip.ts';
import { factColumns, type GrantRow, grantFacts } from './grant-row.ts';
import { type StatusRow, selectStatus, statusOf } from './sign-ins.ts';

export const redeemCode = async (db: D1Database, redemption: Redemption): Promise<RedemptionOutcome> => {
  // The ending leaves alone what this very call redeems: that is not late.
  const [spent, , ended] = await roundTrip<GrantRow>(
    db,
    spend(db, redemption),
    ...endReplayed(db, redemption),
    auditReplay(db, redemption),
  );
  const grant = spent?.results[0];
  if (grant !== undefined) return { kind: 'redeemed', grant: grantFacts(grant) };
  return { kind: 'refused', reason: changedRows(ended) ? 'replayed' : 'spent' };
};

const spend = (db: D1Database, redemption: Redemption): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE grants SET redeemed_at = ?3, last_used_at = ?3, access_dies_at = ?4,
        refresh_idle_expires_at = min(?5, ?6), refresh_absolute_expires_at = ?6
      WHERE id = ?1 AND client_id = ?2 AND redeemed_at IS NULL AND revoked_at IS NULL AND ?3 < ?7
      RETURNING ${factColumns}`,
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

const endReplayed = (db: D1Database, { grantId, clientId, now, replayGrace }: Redemption) =>
  endGrants(db, {
    target: { kind: 'grant', id: grantId },
    where: 'id = ?2 AND client_id = ?4 AND redeemed_at < ?3 - ?5',
    values: [clientId, replayGrace],
    reason: codeReplayed,
    now,
  });

const auditReplay = (db: D1Database, { grantId, now }: Redemption) =>
  auditGrantChange(db, { event: 'reuse-detected', actor: 'client', reason: codeReplayed, now }, grantId);

const codeReplayed = 'code replayed';

export const claimCode = async (db: D1Database, { grantId, now }: CodeClaim): Promise<CodeClaimOutcome> => {
  const [claimed, found] = await roundTrip<StatusRow>(
    db,
    db
      .prepare(
        `UPDATE grants SET code_claimed_at = ?2
        WHERE id = ?1 AND code_claimed_at IS NULL AND redeemed_at IS NULL AND revoked_at IS NULL`,
      )
      .bind(grantId, now),
    selectStatus(db, grantId),
  );
  return changedRows(claimed) ? 'claimed' : statusOf(found?.results[0]);
};
