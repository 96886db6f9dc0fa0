/** Sessions: grants of the account page, which end as any grant does. */
import { accountClientId, type Session, type SessionUse } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';

export const useSession = async (
  db: D1Database,
  { grantId, now, idleExpiresAt }: SessionUse,
): Promise<Session | undefined> => {
  const [, found] = await roundTrip<SessionRow>(
    db,
    db
      .prepare(
        `UPDATE grants SET last_used_at = max(last_used_at, ?2),
          refresh_idle_expires_at = min(?3, refresh_absolute_expires_at)
        WHERE ${livingSession('?1', '?2')}`,
      )
      .bind(grantId, now, idleExpiresAt),
    db
      .prepare(
        `SELECT grants.user_id, provider, subject, label, sealed_refresh_token IS NOT NULL AS watched
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
    identity: { provider, subject, ...(label !== null && { label }), watched: row.watched === 1 },
  };
};

/** The condition on a row of `grants` that it is a session and lives; of the parameters for its id and for now. */
export const livingSession = (id: string, now: string): string =>
  `id = ${id} AND client_id = '${accountClientId}' AND redeemed_at IS NOT NULL AND revoked_at IS NULL
    AND refresh_idle_expires_at > ${now}`;

interface SessionRow {
  readonly user_id: string;
  readonly provider: string;
  readonly subject: string;
  readonly label: string | null;
  readonly watched: number;
}
