/** How grants end: their living access tokens are remembered as dead, and the grants are marked. */
import type { EpochSeconds, RevocationTarget } from '@words-with-chat/broker';

export interface Ending {
  /** Whose tokens die: what the line in `revocations` says. */
  readonly target: RevocationTarget;
  /** Condition on a row of `grants`; `?2` is the target's id, `?3` is now, `?4` and on are `values`. */
  readonly where: string;
  readonly values: readonly (string | number)[];
  readonly reason: string;
  readonly now: EpochSeconds;
}

/** Makes the two statements, for one batch and in this order; the second has changes exactly if a grant ended now. */
export const endGrants = (
  db: D1Database,
  { target, where, values, reason, now }: Ending,
): [remember: D1PreparedStatement, mark: D1PreparedStatement] => [
  // Not before the newest token was issued: it may have come from a server whose clock runs ahead of this one's.
  db
    .prepare(
      `INSERT INTO revocations (kind, id, revoked_at, dead_after)
      SELECT ?1, ?2, max(?3, max(last_used_at)), max(access_dies_at) FROM grants WHERE ${where}
      HAVING max(access_dies_at) FILTER (WHERE revoked_at IS NULL) > ?3`,
    )
    .bind(target.kind, target.id, now, ...values),
  db
    .prepare(
      `UPDATE grants SET revoked_at = ?3, revoked_reason = ?1
      WHERE ${where} AND revoked_at IS NULL`,
    )
    .bind(reason, target.id, now, ...values),
];
