/** Identities whose provider cannot be asked whether the person is still there. */
import type { EpochSeconds, UserId } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';
import { living, type Page } from './page.ts';

export interface UnwatchedIdentity {
  readonly provider: string;
  readonly userId: UserId;
  /** When the person last signed in, without a token of the provider's coming of it. */
  readonly since: EpochSeconds;
  /** How many living grants rest on it. */
  readonly livingGrants: number;
  /** The time from which those grants can't be refreshed, after an inconclusive recheck. Absent: no limit. */
  readonly refreshableUntil?: EpochSeconds;
}

export const readUnwatched = async (
  db: D1Database,
  { limit, skip }: Page,
  now: EpochSeconds,
): Promise<readonly UnwatchedIdentity[]> => {
  const [found] = await roundTrip<UnwatchedRow>(
    db,
    db
      .prepare(
        `SELECT identities.provider, identities.user_id, last_sign_in_at, refreshable_until, count(*) AS living_grants
        FROM identities JOIN grants USING (provider, subject)
        WHERE sealed_refresh_token IS NULL AND ${living('?1')}
        GROUP BY identities.provider, identities.subject
        ORDER BY last_sign_in_at, identities.user_id, identities.provider, identities.subject LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(unwatchedIdentity);
};

interface UnwatchedRow {
  readonly provider: string;
  readonly user_id: string;
  readonly last_sign_in_at: number;
  readonly living_grants: number;
  readonly refreshable_until: number | null;
}

const unwatchedIdentity = (row: UnwatchedRow): UnwatchedIdentity => ({
  provider: row.provider,
  userId: row.user_id,
  since: row.last_sign_in_at,
  livingGrants: row.living_grants,
  ...(row.refreshable_until !== null && { refreshableUntil: row.refreshable_until }),
});
