/** Upstream tokens in SQL: leases and outcomes of rechecks, and the resealing of stored tokens. */

import type { EpochSeconds } from '../../oauth/identifiers.ts';
import type { RecheckLeaseOutcome, RecheckLeaseRequest } from '../account-storage.ts';
import type {
  GrantRefresh,
  IdentityRevocationOutcome,
  IssuedUpstreamToken,
  NewUpstreamToken,
  RecheckLease,
  RecordedRecheck,
  StoredUpstreamToken,
  UpstreamTokenDrop,
  UpstreamTokenQuery,
  UpstreamTokenReplacement,
} from '../broker-storage.ts';
import { namespaceColumn } from './providers.ts';
import { revokeEach } from './revocations.ts';
import {
  auditIdentityChange,
  hasChanges,
  runBatch,
  type SqlDatabase,
  type SqlStatement,
} from './statements.ts';

/** An identity with a stored token. */
interface UpstreamTokenRow {
  readonly provider: string;
  readonly subject: string;
  readonly sealed_refresh_token: string;
}

/** An identity with a stored token, and the namespace of its provider, if one is stored. */
export interface IssuedTokenRow extends UpstreamTokenRow {
  readonly subject_namespace: string | null;
}

/** What a statement that acquires a lease returns. */
export interface RecheckLeaseRow extends IssuedTokenRow {
  /** Includes the recheck that starts now. */
  readonly unresolved_rechecks: number;
}

const toStoredToken = (row: UpstreamTokenRow): StoredUpstreamToken => ({
  provider: row.provider,
  subject: row.subject,
  sealedRefreshToken: row.sealed_refresh_token,
});

export const toIssuedToken = (row: IssuedTokenRow): IssuedUpstreamToken => ({
  ...toStoredToken(row),
  ...(row.subject_namespace !== null && { subjectNamespace: row.subject_namespace }),
});

export const toRecheckLease = (row: RecheckLeaseRow, startedAt: EpochSeconds): RecheckLease => ({
  ...toIssuedToken(row),
  isUnresolved: row.unresolved_rechecks > 1,
  startedAt,
});

/**
 * Counts a recheck that starts. A confirmed recheck or a new token resets the number to 0;
 * `resolveRecheck` subtracts one.
 */
const countRecheckStart = 'unresolved_rechecks = unresolved_rechecks + 1';
const leaseColumns = `provider, subject, sealed_refresh_token, unresolved_rechecks, ${namespaceColumn}`;

/**
 * Acquires the lease for a recheck, if one is due. Must directly follow the statement that refreshes the
 * grant.
 */
export const acquireLeaseOnRefresh = (
  db: SqlDatabase,
  { grantId, now, recheckLeaseDuration }: GrantRefresh,
): SqlStatement =>
  db
    .prepare(
      `UPDATE identities SET recheck_after = ?2 + ?3, ${countRecheckStart}
      WHERE changes() > 0
        AND (provider, subject) = (SELECT provider, subject FROM grants WHERE id = ?1)
        AND sealed_refresh_token IS NOT NULL AND recheck_after <= ?2
      RETURNING ${leaseColumns}`,
    )
    .bind(grantId, now, recheckLeaseDuration);

export const acquireRecheckLease = async (
  db: SqlDatabase,
  { provider, subject, now, recheckLeaseDuration }: RecheckLeaseRequest,
): Promise<RecheckLeaseOutcome> => {
  const [leased, verified] = await runBatch<RecheckLeaseRow>(
    db,
    db
      .prepare(
        `UPDATE identities SET recheck_after = ?3 + ?4, ${countRecheckStart}
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token IS NOT NULL
          AND recheck_after <= ?3 AND verified_until <= ?3
        RETURNING ${leaseColumns}`,
      )
      .bind(provider, subject, now, recheckLeaseDuration),
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token IS NOT NULL AND verified_until > ?3`,
      )
      .bind(provider, subject, now),
  );
  const lease = leased?.results[0];
  if (lease !== undefined) return { kind: 'acquired', lease: toRecheckLease(lease, now) };
  return { kind: verified?.results[0] === undefined ? 'inconclusive' : 'verified' };
};

export const storeUpstreamToken = async (db: SqlDatabase, token: NewUpstreamToken): Promise<void> => {
  await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET sealed_refresh_token = ?3, token_identifier = ?4, other_token_identifier = ?5, unresolved_rechecks = 0
        WHERE provider = ?1 AND subject = ?2`,
      )
      .bind(...tokenValues(token), ...identifierValues(token)),
  );
};

export const recordRecheck = async (db: SqlDatabase, recheck: RecordedRecheck): Promise<void> => {
  const { usedToken, recheckAfter, sealedRefreshToken = null } = recheck;
  await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET recheck_after = ?4, verified_until = ?4, unresolved_rechecks = 0,
          token_identifier = iif(?5 IS NULL, token_identifier, ?6), other_token_identifier = iif(?5 IS NULL, other_token_identifier, ?7),
          sealed_refresh_token = coalesce(?5, sealed_refresh_token)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...tokenValues(usedToken), recheckAfter, sealedRefreshToken, ...identifierValues(recheck)),
  );
};

export const revokeGrantsOfIdentity = async (
  db: SqlDatabase,
  usedToken: StoredUpstreamToken,
  reason: string,
  now: EpochSeconds,
): Promise<IdentityRevocationOutcome> => {
  // The token is deleted after the grants are revoked, because those statements check that it is still
  // stored.
  const [, , clearedToken] = await runBatch(
    db,
    ...revokeEach(db, { where: basedOnIdentity, values: tokenValues(usedToken), reason, now }),
    clearUpstreamToken(db, usedToken),
    auditIdentityChange(db, { event: 'revoked', actor: 'provider', reason, now }, usedToken),
  );
  return hasChanges(clearedToken) ? 'revoked' : 'superseded';
};

export const resolveRecheck = async (db: SqlDatabase, usedToken: StoredUpstreamToken): Promise<void> => {
  await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET unresolved_rechecks = max(unresolved_rechecks - 1, 0)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...tokenValues(usedToken)),
  );
};

export const dropUpstreamToken = async (
  db: SqlDatabase,
  { usedToken, startedAt, now, refreshableUntil, reason }: UpstreamTokenDrop,
): Promise<'dropped' | 'superseded'> => {
  const [dropped] = await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET ${clearTokenColumns},
          refreshable_until = iif(last_sign_in_at < ?5, ?4, refreshable_until)
        WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
      )
      .bind(...tokenValues(usedToken), refreshableUntil, startedAt),
    auditIdentityChange(db, { event: 'upstream-token-dropped', actor: 'broker', reason, now }, usedToken),
  );
  return hasChanges(dropped) ? 'dropped' : 'superseded';
};

const tokenValues = ({ provider, subject, sealedRefreshToken }: StoredUpstreamToken): readonly string[] => [
  provider,
  subject,
  sealedRefreshToken,
];

/**
 * The condition for grants of the identity, while the token that was used is still stored. `?2` to `?4` are
 * the `tokenValues`.
 */
const basedOnIdentity = `provider = ?2 AND subject = ?3 AND EXISTS (
    SELECT 1 FROM identities WHERE provider = ?2 AND subject = ?3 AND sealed_refresh_token = ?4
  )`;

const clearUpstreamToken = (db: SqlDatabase, usedToken: StoredUpstreamToken): SqlStatement =>
  db
    .prepare(
      `UPDATE identities SET ${clearTokenColumns}
      WHERE provider = ?1 AND subject = ?2 AND sealed_refresh_token = ?3`,
    )
    .bind(...tokenValues(usedToken));

/**
 * Reads the table from `after` on, because sealed tokens have no index. An index would cost a write for every
 * new token, and this query runs only in a cleanup, and only if the ring has several keys.
 */
export const findUpstreamTokens = async (
  db: SqlDatabase,
  { prefixes, after, limit }: UpstreamTokenQuery,
): Promise<readonly StoredUpstreamToken[]> => {
  const { condition, values } = buildPrefixCondition(prefixes, 4);
  const [found] = await runBatch<UpstreamTokenRow>(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE (provider, subject) > (?1, ?2) AND (${condition})
        ORDER BY provider, subject LIMIT ?3`,
      )
      .bind(after?.provider ?? '', after?.subject ?? '', limit, ...values),
  );
  return (found?.results ?? []).map(toStoredToken);
};

export const replaceUpstreamTokens = async (
  db: SqlDatabase,
  { tokens, now, recheckLeaseDuration }: UpstreamTokenReplacement,
): Promise<void> => {
  await runBatch(
    db,
    db
      .prepare(
        `UPDATE identities SET sealed_refresh_token = value ->> 'sealedRefreshToken' FROM json_each(?1)
        WHERE provider = value ->> 'provider' AND subject = value ->> 'subject'
          AND sealed_refresh_token = value ->> 'previous' AND recheck_after NOT BETWEEN ?2 + 1 AND ?2 + 2 * ?3`,
      )
      .bind(JSON.stringify(tokens), now, recheckLeaseDuration),
  );
};

/**
 * Returns the condition that a row's sealed text begins with one of the prefixes, and the values of its
 * parameters.
 * @param first the number of its first parameter
 */
export const buildPrefixCondition = (
  prefixes: readonly string[],
  first: number,
): { readonly condition: string; readonly values: readonly string[] } => {
  const groups = Object.entries(Object.groupBy(prefixes, ({ length }) => length));
  const parts = groups.map(
    ([length], at) =>
      `substr(sealed_refresh_token, 1, ${length}) IN (SELECT value FROM json_each(?${first + at}))`,
  );
  return {
    condition: parts.length === 0 ? 'FALSE' : parts.join(' OR '),
    values: groups.map(([, group]) => JSON.stringify(group)),
  };
};

/**
 * Returns the values of `token_identifier` and `other_token_identifier` for a token that was just received.
 */
export const identifierValues = ({
  tokenIdentifiers,
}: Pick<NewUpstreamToken, 'tokenIdentifiers'>): [string | null, string | null] => [
  tokenIdentifiers?.[0] ?? null,
  tokenIdentifiers?.[1] ?? null,
];

/**
 * In an upsert: stores the token that the provider sent, with its identifiers if it has any. Otherwise, keeps
 * the stored token and its identifiers.
 */
export const replaceTokenIfSent = `
  unresolved_rechecks = iif(excluded.sealed_refresh_token IS NULL, unresolved_rechecks, 0),
  token_identifier = iif(excluded.sealed_refresh_token IS NULL, token_identifier, excluded.token_identifier),
  other_token_identifier = iif(excluded.sealed_refresh_token IS NULL, other_token_identifier, excluded.other_token_identifier),
  sealed_refresh_token = coalesce(excluded.sealed_refresh_token, sealed_refresh_token)`;

/** Deletes a token that can no longer be used, and what is stored about it. */
export const clearTokenColumns =
  'sealed_refresh_token = NULL, token_identifier = NULL, other_token_identifier = NULL, verified_until = 0, unresolved_rechecks = 0';
