/** The audit, read. */
import type { EpochSeconds, UserId } from '@words-with-chat/broker';
import type { Audited } from '../audit.ts';
import { roundTrip } from '../round-trip.ts';
import type { Page } from './page.ts';

export interface AuditRow {
  readonly at: EpochSeconds;
  readonly event: Audited['event'];
  readonly actor: Audited['actor'];
  readonly reason?: string;
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly provider?: string;
}

export const readAudit = async (
  db: D1Database,
  { limit, skip }: Page,
  userId?: UserId,
): Promise<readonly AuditRow[]> => {
  const [found] = await roundTrip<StoredAuditRow>(
    db,
    db
      .prepare(
        `SELECT * FROM audit ${userId === undefined ? '' : 'WHERE user_id = ?3'} ORDER BY seq DESC LIMIT ?1 OFFSET ?2`,
      )
      .bind(limit, skip, ...(userId === undefined ? [] : [userId])),
  );
  return (found?.results ?? []).map(auditRow);
};

interface StoredAuditRow {
  readonly at: number;
  readonly event: Audited['event'];
  readonly actor: Audited['actor'];
  readonly reason: string | null;
  readonly user_id: string | null;
  readonly client_id: string | null;
  readonly provider: string | null;
}

const auditRow = (row: StoredAuditRow): AuditRow => ({
  ...{ at: row.at, event: row.event, actor: row.actor },
  ...(row.reason !== null && { reason: row.reason }),
  ...(row.user_id !== null && { userId: row.user_id }),
  ...(row.client_id !== null && { clientId: row.client_id }),
  ...(row.provider !== null && { provider: row.provider }),
});
