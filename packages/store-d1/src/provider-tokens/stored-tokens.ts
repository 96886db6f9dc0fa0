/** Tokens of providers as they are stored: found by how their sealed texts begin, and replaced by the same sealed anew. */
import type { Resealing, StoredToken, TokenQuestion } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';
import { type TokenRow, tokenOf } from './checks.ts';

/**
 * Reads the table from `after` on, without an index: keeping one would write rows at every sign-in, and this is asked once an
 * hour, and only after a rotation.
 */
export const findTokens = async (
  db: D1Database,
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
  db: D1Database,
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
