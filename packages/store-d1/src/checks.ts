/** Providers' words: when each is due, and what follows from it (the identity's token is what it was asked with). */
import type { Check, EndingOutcome, EpochSeconds, RefreshUse, StoredToken } from '@words-with-chat/broker';
import { auditIdentityChange } from './audit.ts';
import { changedRows, roundTrip } from './round-trip.ts';

/** What `lease` gives. */
export interface TokenRow {
  readonly provider: string;
  readonly subject: string;
  readonly sealed_refresh_token: string;
}

export const tokenOf = (row: TokenRow): StoredToken => ({
  provider: row.provider,
  subject: row.subject,
  sealedRefreshToken: row.sealed_refresh_token,
});

/** Takes the lease of a check that is due; stands right behind the statement that answers the refresh. */
export const lease = (db: D1Database, { grantId, now, checkLease }: RefreshUse): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE identities SET check_after = ?2 + ?3
      WHERE changes() > 0
        AND (provider, subject) = (SELECT provider, subject FROM grants WHERE id = ?1)
        AND sealed_refresh_token IS NOT NULL AND check_after <= ?2
      RETURNING provider, subject, sealed_refresh_token`,
    )
    .bind(grantId, now, checkLease);

export const storeToken = async (db: D1Database, token: StoredToken): Promise<void> => {
  await roundTrip(
    db,
    db
      .prepare('UPDATE identities SET sealed_refresh_token = ?3 WHERE provider = ?1 AND subject = ?2')
      .bind(...named(token)),
  );
};

export const recordCheck = async (db: D1Database, check: Check): Promise<void> => {
  const { asked, checkAfter, sealedRefreshToken = null } = check;
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET check_after = ?4, sealed_refresh_token = coalesce(?5, sealed_refresh_token)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...named(asked), checkAfter, sealedRefreshToken),
  );
};

export const endIdentity = async (
  db: D1Database,
  asked: StoredToken,
  reason: string,
  now: EpochSeconds,
): Promise<EndingOutcome> => {
  // The token goes last: that it is still there is what the other two ask.
  const [, , forgotten] = await roundTrip(
    db,
    rememberLiving(db, asked, now),
    markGrants(db, asked, reason, now),
    forgetToken(db, asked),
    auditIdentityChange(db, { event: 'revoked', actor: 'provider', reason, now }, asked),
  );
  return changedRows(forgotten) ? 'ended' : 'superseded';
};

const named = ({ provider, subject, sealedRefreshToken }: StoredToken) => [
  provider,
  subject,
  sealedRefreshToken,
];

/** Grants that rest on the identity and have not ended: `?1` to `?3` are what is `named`. */
const resting = `provider = ?1 AND subject = ?2 AND revoked_at IS NULL AND EXISTS (
    SELECT 1 FROM identities WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3
  )`;

/** As in `endGrants`, but a line for each grant: the user may have others, by another identity. */
const rememberLiving = (db: D1Database, asked: StoredToken, now: EpochSeconds): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO revocations (kind, id, revoked_at, dead_after)
      SELECT 'grant', id, max(?4, last_used_at), access_dies_at FROM grants
      WHERE ${resting} AND access_dies_at > ?4`,
    )
    .bind(...named(asked), now);

const markGrants = (
  db: D1Database,
  asked: StoredToken,
  reason: string,
  now: EpochSeconds,
): D1PreparedStatement =>
  db
    .prepare(`UPDATE grants SET revoked_at = ?4, revoked_reason = ?5 WHERE ${resting}`)
    .bind(...named(asked), now, reason);

const forgetToken = (db: D1Database, asked: StoredToken): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE identities SET sealed_refresh_token = NULL
      WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
    )
    .bind(...named(asked));
