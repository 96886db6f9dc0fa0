/** A user's grants as an operator sees them. */
import type { EpochSeconds, GrantId, UserId } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';
import { living } from './page.ts';

export interface GrantSummary {
  readonly id: GrantId;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly provider: string;
  readonly createdAt: EpochSeconds;
  /** When its newest token was issued. */
  readonly lastUsedAt?: EpochSeconds;
  /** `waiting`: its code was not redeemed, or not yet. */
  readonly state: 'living' | 'waiting' | 'expired' | 'revoked';
  /** Why it was revoked. */
  readonly reason?: string;
}

export const readGrants = async (
  db: D1Database,
  userId: UserId,
  now: EpochSeconds,
): Promise<readonly GrantSummary[] | undefined> => {
  const [user, grants] = await roundTrip<GrantRow>(
    db,
    db.prepare('SELECT id FROM users WHERE id = ?1').bind(userId),
    db
      .prepare(
        `SELECT id, client_id, redirect_uri, scopes, provider, created_at, last_used_at, revoked_reason,
          CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN redeemed_at IS NULL THEN 'waiting'
            WHEN ${living('?2')} THEN 'living' ELSE 'expired' END AS state
        FROM grants WHERE user_id = ?1 ORDER BY created_at DESC, id`,
      )
      .bind(userId, now),
  );
  return user?.results[0] && (grants?.results ?? []).map(grantSummary);
};

interface GrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly redirect_uri: string;
  /** JSON array. */
  readonly scopes: string;
  readonly provider: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly revoked_reason: string | null;
  readonly state: GrantSummary['state'];
}

const grantSummary = (row: GrantRow): GrantSummary => ({
  id: row.id,
  clientId: row.client_id,
  redirectUri: row.redirect_uri,
  scopes: JSON.parse(row.scopes),
  provider: row.provider,
  createdAt: row.created_at,
  ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  state: row.state,
  ...(row.revoked_reason !== null && { reason: row.revoked_reason }),
});
