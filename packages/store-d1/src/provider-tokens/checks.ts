/** Rechecks of identities at their providers: acquires the lease, which also stores that a recheck starts, and stores each outcome. */
import type {
  Check,
  CheckQuestion,
  CheckTurn,
  EndingOutcome,
  EpochSeconds,
  NamedToken,
  RecheckLease,
  RefreshUse,
  StoredToken,
  UpstreamTokenDrop,
} from '@words-with-chat/broker';
import { auditIdentityChange } from '../audit.ts';
import { endEach } from '../endings.ts';
import { changedRows, roundTrip } from '../round-trip.ts';
import { forgotten, nameColumns } from './tokens.ts';

/** A stored token. */
export interface TokenRow {
  readonly provider: string;
  readonly subject: string;
  readonly sealed_refresh_token: string;
}

/** What a statement that acquires a lease returns. */
export interface LeaseRow extends TokenRow {
  /** Includes the recheck that starts now. */
  readonly unresolved_rechecks: number;
}

export const tokenOf = (row: TokenRow): StoredToken => ({
  provider: row.provider,
  subject: row.subject,
  sealedRefreshToken: row.sealed_refresh_token,
});

export const leaseOf = (row: LeaseRow, startedAt: EpochSeconds): RecheckLease => ({
  ...tokenOf(row),
  isUnresolved: row.unresolved_rechecks > 1,
  startedAt,
});

/** Counts a recheck that starts. Storing an outcome sets the number back to 0, and so does a new token. */
const startsRecheck = 'unresolved_rechecks = unresolved_rechecks + 1';
const leaseColumns = 'provider, subject, sealed_refresh_token, unresolved_rechecks';

/** Acquires the lease for a recheck, if one is due. Must directly follow the statement that answers the refresh. */
export const lease = (db: D1Database, { grantId, now, checkLease }: RefreshUse): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE identities SET check_after = ?2 + ?3, ${startsRecheck}
      WHERE changes() > 0
        AND (provider, subject) = (SELECT provider, subject FROM grants WHERE id = ?1)
        AND sealed_refresh_token IS NOT NULL AND check_after <= ?2
      RETURNING ${leaseColumns}`,
    )
    .bind(grantId, now, checkLease);

export const takeCheck = async (
  db: D1Database,
  { provider, subject, now, checkLease }: CheckQuestion,
): Promise<CheckTurn> => {
  const [leased, vouched] = await roundTrip<LeaseRow>(
    db,
    db
      .prepare(
        `UPDATE identities SET check_after = ?3 + ?4, ${startsRecheck}
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token IS NOT NULL
          AND check_after <= ?3 AND vouched_until <= ?3
        RETURNING ${leaseColumns}`,
      )
      .bind(provider, subject, now, checkLease),
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token IS NOT NULL AND vouched_until > ?3`,
      )
      .bind(provider, subject, now),
  );
  const token = leased?.results[0];
  if (token !== undefined) return { kind: 'due', token: leaseOf(token, now) };
  return { kind: vouched?.results[0] === undefined ? 'no-word' : 'vouched' };
};

export const storeToken = async (db: D1Database, token: NamedToken): Promise<void> => {
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET sealed_refresh_token = ?3, token_name = ?4, other_token_name = ?5, unresolved_rechecks = 0
        WHERE provider = ?1 AND subject = ?2`,
      )
      .bind(...named(token), ...nameColumns(token)),
  );
};

export const recordCheck = async (db: D1Database, check: Check): Promise<void> => {
  const { asked, checkAfter, sealedRefreshToken = null } = check;
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET check_after = ?4, vouched_until = ?4, unresolved_rechecks = 0,
          token_name = iif(?5 IS NULL, token_name, ?6), other_token_name = iif(?5 IS NULL, other_token_name, ?7),
          sealed_refresh_token = coalesce(?5, sealed_refresh_token)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...named(asked), checkAfter, sealedRefreshToken, ...nameColumns(check)),
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
    ...endEach(db, { where: resting, values: named(asked), reason, now }),
    forgetToken(db, asked),
    auditIdentityChange(db, { event: 'revoked', actor: 'provider', reason, now }, asked),
  );
  return changedRows(forgotten) ? 'ended' : 'superseded';
};

export const resolveRecheck = async (db: D1Database, asked: StoredToken): Promise<void> => {
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET unresolved_rechecks = max(unresolved_rechecks - 1, 0)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...named(asked)),
  );
};

export const dropUpstreamToken = async (
  db: D1Database,
  { asked, startedAt, now, refreshableUntil, reason }: UpstreamTokenDrop,
): Promise<'dropped' | 'superseded'> => {
  const [dropped] = await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET ${forgotten},
          refreshable_until = iif(last_sign_in_at < ?5, ?4, refreshable_until)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...named(asked), refreshableUntil, startedAt),
    auditIdentityChange(db, { event: 'upstream-token-dropped', actor: 'broker', reason, now }, asked),
  );
  return changedRows(dropped) ? 'dropped' : 'superseded';
};

const named = ({ provider, subject, sealedRefreshToken }: StoredToken): readonly string[] => [
  provider,
  subject,
  sealedRefreshToken,
];

/** Grants that rest on the identity while its token is the one that was asked with: `?2` to `?4` are what is `named`. */
const resting = `provider = ?2 AND subject = ?3 AND EXISTS (
    SELECT 1 FROM identities WHERE provider = ?2 AND subject = ?3 AND sealed_refresh_token = ?4
  )`;

const forgetToken = (db: D1Database, asked: StoredToken): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE identities SET ${forgotten}
      WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
    )
    .bind(...named(asked));
