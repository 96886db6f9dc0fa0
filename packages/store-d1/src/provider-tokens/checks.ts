/** Providers' words: when each is due, and what follows from it (the identity's token is what it was asked with). */
import type {
  Check,
  CheckQuestion,
  CheckTurn,
  EndingOutcome,
  EpochSeconds,
  NamedToken,
  RefreshUse,
  StoredToken,
} from '@words-with-chat/broker';
import { auditIdentityChange } from '../audit.ts';
import { endEach } from '../endings.ts';
import { changedRows, roundTrip } from '../round-trip.ts';
import { forgotten, nameColumns } from './tokens.ts';

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

export const takeCheck = async (
  db: D1Database,
  { provider, subject, now, checkLease }: CheckQuestion,
): Promise<CheckTurn> => {
  const [leased, vouched] = await roundTrip<TokenRow>(
    db,
    db
      .prepare(
        `UPDATE identities SET check_after = ?3 + ?4
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token IS NOT NULL
          AND check_after <= ?3 AND vouched_until <= ?3
        RETURNING provider, subject, sealed_refresh_token`,
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
  if (token !== undefined) return { kind: 'due', token: tokenOf(token) };
  return { kind: vouched?.results[0] === undefined ? 'no-word' : 'vouched' };
};

export const storeToken = async (db: D1Database, token: NamedToken): Promise<void> => {
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET sealed_refresh_token = ?3, token_name = ?4, other_token_name = ?5
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
        `UPDATE identities SET check_after = ?4, vouched_until = ?4,
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
