/** Users as an operator sees them. */
import type { EpochSeconds, UserId } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';
import { living, type Page } from './page.ts';

export interface UserSummary {
  readonly id: UserId;
  readonly createdAt: EpochSeconds;
  readonly identities: number;
  /** Sessions at the account page included. */
  readonly livingGrants: number;
  /** Nothing for a user without identities. */
  readonly lastSignInAt?: EpochSeconds;
}

export const readUsers = async (
  db: D1Database,
  { limit, skip }: Page,
  now: EpochSeconds,
): Promise<readonly UserSummary[]> => {
  const [found] = await roundTrip<UserRow>(
    db,
    db
      .prepare(
        `SELECT id, created_at,
          (SELECT count(*) FROM identities WHERE user_id = users.id) AS identities,
          (SELECT count(*) FROM grants WHERE user_id = users.id AND ${living('?1')}) AS living_grants,
          (SELECT max(last_sign_in_at) FROM identities WHERE user_id = users.id) AS last_sign_in_at
        FROM users ORDER BY created_at DESC, id LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(userSummary);
};

interface UserRow {
  readonly id: string;
  readonly created_at: number;
  readonly identities: number;
  readonly living_grants: number;
  readonly last_sign_in_at: number | null;
}

const userSummary = (row: UserRow): UserSummary => ({
  id: row.id,
  createdAt: row.created_at,
  identities: row.identities,
  livingGrants: row.living_grants,
  ...(row.last_sign_in_at !== null && { lastSignInAt: row.last_sign_in_at }),
});
