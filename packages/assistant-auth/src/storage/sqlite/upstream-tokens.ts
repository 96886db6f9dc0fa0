/** Rechecks of identities at their providers: acquires the lease, which also stores that a recheck starts, and stores each outcome. */

import type { EpochSeconds } from '../../oauth/time.ts';
import type { CheckQuestion, CheckTurn } from '../account-storage.ts';
import type {
  Check,
  EndingOutcome,
  NamedToken,
  RecheckLease,
  RefreshUse,
  StoredToken,
  UpstreamTokenDrop,
} from '../broker-storage.ts';
import type { Resealing, TokenQuestion } from '../maintenance.ts';
import { auditIdentityChange } from './audit.ts';
import { changedRows, roundTrip, type SqlDatabase, type SqlStatement } from './batch.ts';
import { endEach } from './revocations.ts';

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
export const lease = (db: SqlDatabase, { grantId, now, checkLease }: RefreshUse): SqlStatement =>
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
  db: SqlDatabase,
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

export const storeToken = async (db: SqlDatabase, token: NamedToken): Promise<void> => {
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

export const recordCheck = async (db: SqlDatabase, check: Check): Promise<void> => {
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
  db: SqlDatabase,
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

export const resolveRecheck = async (db: SqlDatabase, asked: StoredToken): Promise<void> => {
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
  db: SqlDatabase,
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

const forgetToken = (db: SqlDatabase, asked: StoredToken): SqlStatement =>
  db
    .prepare(
      `UPDATE identities SET ${forgotten}
      WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
    )
    .bind(...named(asked));

// Tokens of providers as they are stored: found by how their sealed texts begin, and replaced by the same sealed anew.

/**
 * Reads the table from `after` on, without an index: keeping one would write rows at every sign-in, and this is asked once an
 * hour, and only after a rotation.
 */
export const findTokens = async (
  db: SqlDatabase,
  { beginnings, after, limit }: TokenQuestion,
): Promise<readonly StoredToken[]> => {
  const { condition, values } = beginsWithOneOf(beginnings, 4);
  const [found] = await roundTrip<TokenRow>(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE (provider, subject) > (?1, ?2) AND (${condition})
        ORDER BY provider, subject LIMIT ?3`,
      )
      .bind(after?.provider ?? '', after?.subject ?? '', limit, ...values),
  );
  return (found?.results ?? []).map(tokenOf);
};

export const replaceTokens = async (
  db: SqlDatabase,
  { tokens, now, checkLease }: Resealing,
): Promise<void> => {
  await roundTrip(
    db,
    db
      .prepare(
        `UPDATE identities SET sealed_refresh_token = value ->> 'sealedRefreshToken' FROM json_each(?1)
        WHERE provider = value ->> 'provider' AND subject = value ->> 'subject'
          AND sealed_refresh_token = value ->> 'was' AND check_after NOT BETWEEN ?2 + 1 AND ?2 + 2 * ?3`,
      )
      .bind(JSON.stringify(tokens), now, checkLease),
  );
};

/**
 * Makes the condition that a row's sealed text begins with one of these, and its parameters.
 * @param first the number of its first parameter
 */
export const beginsWithOneOf = (
  beginnings: readonly string[],
  first: number,
): { readonly condition: string; readonly values: readonly string[] } => {
  const groups = Object.entries(Object.groupBy(beginnings, ({ length }) => length));
  const parts = groups.map(
    ([length], at) =>
      `substr(sealed_refresh_token, 1, ${length}) IN (SELECT value FROM json_each(?${first + at}))`,
  );
  return {
    condition: parts.length === 0 ? 'FALSE' : parts.join(' OR '),
    values: groups.map(([, group]) => JSON.stringify(group)),
  };
};

// Providers' tokens in a row of `identities`: the sealed one, and the names that go with it.

/** What `token_name` and `other_token_name` hold for a token that came just now. */
export const nameColumns = ({
  tokenNames,
}: Pick<NamedToken, 'tokenNames'>): [string | null, string | null] => [
  tokenNames?.[0] ?? null,
  tokenNames?.[1] ?? null,
];

/** In an upsert: the token that the provider sent, with its names if it has any; otherwise the stored one with its own. */
export const newTokenOrStored = `
  unresolved_rechecks = iif(excluded.sealed_refresh_token IS NULL, unresolved_rechecks, 0),
  token_name = iif(excluded.sealed_refresh_token IS NULL, token_name, excluded.token_name),
  other_token_name = iif(excluded.sealed_refresh_token IS NULL, other_token_name, excluded.other_token_name),
  sealed_refresh_token = coalesce(excluded.sealed_refresh_token, sealed_refresh_token)`;

/** Deletes a token that can no longer be used, and what is stored about it. */
export const forgotten =
  'sealed_refresh_token = NULL, token_name = NULL, other_token_name = NULL, vouched_until = 0, unresolved_rechecks = 0';
