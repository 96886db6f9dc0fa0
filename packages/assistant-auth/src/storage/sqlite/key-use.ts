/**
 * Finds out what may still need a sealing key, and from when a key can be promoted. The database does not record which token was
 * sealed with which key, so times decide: everything that was sealed before another key began to seal may need the key.
 */
import type { EpochSeconds, Seconds } from '../../oauth/time.ts';
import { runBatch, type SqlDatabase } from './batch.ts';
import { buildPrefixCondition } from './upstream-tokens.ts';

export interface KeyUsageQuery {
  /** The keys of a ring, in order. The first one seals. */
  readonly keys: readonly {
    readonly id: string;
    /** The prefixes that a text sealed with this key can begin with. */
    readonly prefixes: readonly string[];
  }[];
  readonly now: EpochSeconds;
}

export interface KeyUsage {
  readonly id: string;
  /** The number of stored upstream tokens that it sealed. */
  readonly sealedUpstreamTokens: number;
  /** The time from which it cannot have sealed anything. Missing until a sweep has found another key at the front after it. */
  readonly sealedUntil?: EpochSeconds;
  /** The number of active grants that may have a token or cookie from before `sealedUntil`. */
  readonly activeGrants: number;
  /** When the last of these grants expires, unless it is revoked before. */
  readonly lastGrantExpiresAt?: EpochSeconds;
  /**
   * The time from which every isolate has the key, so that it can be promoted. Missing until a sweep has found the key in the deployed
   * ring, and after a sweep that did not find it.
   */
  readonly promotableFrom?: EpochSeconds;
  /**
   * Whether no sweep has found it at the front although it is not the first key: it may have sealed nothing, or it was promoted and rolled
   * back between two sweeps.
   */
  readonly isSealingPeriodUnknown: boolean;
}

/** How long an isolate with the previous ring may run after the first sweep with the next ring. */
const rolloutPeriod: Seconds = 3600;

export const readKeyUsage = async (
  db: SqlDatabase,
  { keys, now }: KeyUsageQuery,
): Promise<readonly KeyUsage[]> => {
  const [first] = keys;
  if (first === undefined) return [];
  const found = await runBatch<KeyUsageRow>(
    db,
    ...keys.map(({ id, prefixes }) => {
      const { condition, values } = buildPrefixCondition(prefixes, 5);
      return db.prepare(buildUsageQuery(condition)).bind(id, first.id, rolloutPeriod, now, ...values);
    }),
  );
  return keys.map(({ id }, index) => toKeyUsage(id, found[index]?.results[0]));
};

/**
 * A key stopped sealing when the key in the next row of `sealing_keys` began to seal. It is unknown until when a key without a row there
 * sealed: it may have been promoted and rolled back between two sweeps. A stable refresh token does not change until it expires; a rotating
 * one is sealed again with each generation, and the previous one can still be used after a lost response.
 */
const buildUsageQuery = (sealedByKey: string): string =>
  `WITH
    own AS (SELECT max(seq) AS last FROM sealing_keys WHERE id = ?1),
    ended AS (
      SELECT sealing_since + ?3 AS at FROM sealing_keys, own
      WHERE ?1 <> ?2 AND seq = (SELECT min(seq) FROM sealing_keys WHERE seq > last)
    ),
    needing AS (
      SELECT max(
        coalesce(access_expires_at, 0),
        CASE refresh_policy WHEN 'stable' THEN refresh_absolute_expires_at
          WHEN 'rotating' THEN refresh_idle_expires_at ELSE 0 END
      ) AS until
      FROM grants, ended
      WHERE revoked_at IS NULL AND (
        (access_expires_at > ?4 AND last_used_at < ended.at)
        OR (refresh_policy <> 'none' AND refresh_idle_expires_at > ?4
          AND iif(refresh_policy = 'rotating', coalesce(previous_rotated_at, redeemed_at), redeemed_at) < ended.at)
      )
    )
  SELECT
    (SELECT count(*) FROM identities WHERE ${sealedByKey}) AS stored_tokens,
    (SELECT at FROM ended) AS sealed_until,
    (SELECT count(*) FROM needing) AS active_grants,
    (SELECT max(until) FROM needing) AS retain_until,
    (SELECT in_ring_since + ?3 FROM ring_keys WHERE id = ?1) AS promotable_from,
    (SELECT last IS NULL AND ?1 <> ?2 FROM own) AS is_sealing_period_unknown`;

interface KeyUsageRow {
  readonly stored_tokens: number;
  readonly sealed_until: number | null;
  readonly active_grants: number;
  readonly retain_until: number | null;
  readonly promotable_from: number | null;
  readonly is_sealing_period_unknown: number | null;
}

const toKeyUsage = (id: string, row: KeyUsageRow | undefined): KeyUsage => ({
  id,
  sealedUpstreamTokens: row?.stored_tokens ?? 0,
  ...(typeof row?.sealed_until === 'number' && { sealedUntil: row.sealed_until }),
  activeGrants: row?.active_grants ?? 0,
  ...(typeof row?.retain_until === 'number' && { lastGrantExpiresAt: row.retain_until }),
  ...(typeof row?.promotable_from === 'number' && { promotableFrom: row.promotable_from }),
  isSealingPeriodUnknown: row?.is_sealing_period_unknown === 1,
});
