/**
 * What may still need a sealing key. Nobody keeps which token was sealed with which key, so it is told by the time: what was sealed
 * before the key after it came to the front may need it.
 */
import type { EpochSeconds, Seconds } from '@words-with-chat/broker';
import { beginsWithOneOf } from '../provider-tokens/stored-tokens.ts';
import { roundTrip } from '../round-trip.ts';

export interface KeyQuestion {
  /** The keys of a ring, the newest first. */
  readonly keys: readonly {
    readonly id: string;
    /** How everything begins that it sealed. */
    readonly beginnings: readonly string[];
  }[];
  readonly now: EpochSeconds;
}

export interface KeyUse {
  readonly id: string;
  /** How many stored tokens of providers it sealed. */
  readonly storedTokens: number;
  /** From when on it surely sealed nothing; nothing while it seals, or as long as no sweep has seen the next one. */
  readonly sealedUntil?: EpochSeconds;
  /** How many living grants may have a token or cookie from before that. */
  readonly livingGrants: number;
  /** When the last of these dies, unless it is revoked before. */
  readonly neededUntil?: EpochSeconds;
}

/** How long, after the first sweep with another key, an isolate may go on that was started with the ring of before. */
const stragglers: Seconds = 3600;

export const readKeyUse = async (db: D1Database, { keys, now }: KeyQuestion): Promise<readonly KeyUse[]> => {
  const [newest] = keys;
  if (newest === undefined) return [];
  const found = await roundTrip<KeyRow>(
    db,
    ...keys.map(({ id, beginnings }) => {
      const { condition, values } = beginsWithOneOf(beginnings, 5);
      return db.prepare(useOf(condition)).bind(id, newest.id, stragglers, now, ...values);
    }),
  );
  return keys.map(({ id }, index) => keyUse(id, found[index]?.results[0]));
};

/**
 * The next key came after the last time that this one did; of a key that no sweep has seen it is only known that the newest, if that was
 * seen, came after it. A stable refresh token stays the same text until it dies, a rotating one is sealed anew with each generation.
 */
const useOf = (sealedByIt: string): string =>
  `WITH
    seen AS (
      SELECT max(seq) AS last, max(seq) FILTER (WHERE id = ?1) AS own, max(seq) FILTER (WHERE id = ?2) AS newest
      FROM sealing_keys
    ),
    ended AS (
      SELECT sealing_since + ?3 AS at FROM sealing_keys, seen WHERE ?1 <> ?2 AND seq = CASE
        WHEN own IS NOT NULL THEN (SELECT min(seq) FROM sealing_keys WHERE seq > own)
        WHEN newest = last THEN last
      END
    ),
    needing AS (
      SELECT max(
        coalesce(access_dies_at, 0),
        CASE refresh_policy WHEN 'stable' THEN refresh_absolute_expires_at
          WHEN 'rotating' THEN refresh_idle_expires_at ELSE 0 END
      ) AS until
      FROM grants, ended
      WHERE revoked_at IS NULL AND (
        (access_dies_at > ?4 AND last_used_at < ended.at)
        OR (refresh_policy <> 'none' AND refresh_idle_expires_at > ?4
          AND iif(refresh_policy = 'rotating', coalesce(rotated_at, redeemed_at), redeemed_at) < ended.at)
      )
    )
  SELECT
    (SELECT count(*) FROM identities WHERE ${sealedByIt}) AS stored_tokens,
    (SELECT at FROM ended) AS sealed_until,
    (SELECT count(*) FROM needing) AS living_grants,
    (SELECT max(until) FROM needing) AS needed_until`;

interface KeyRow {
  readonly stored_tokens: number;
  readonly sealed_until: number | null;
  readonly living_grants: number;
  readonly needed_until: number | null;
}

const keyUse = (id: string, row: KeyRow | undefined): KeyUse => ({
  id,
  storedTokens: row?.stored_tokens ?? 0,
  ...(typeof row?.sealed_until === 'number' && { sealedUntil: row.sealed_until }),
  livingGrants: row?.living_grants ?? 0,
  ...(typeof row?.needed_until === 'number' && { neededUntil: row.needed_until }),
});
