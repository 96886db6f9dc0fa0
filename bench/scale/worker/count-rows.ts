/** Counts the rows in a database, to compare them with the expected ones. */
import { findBucketDatabase, parseBucket } from '../sharding/buckets.ts';

export interface TableCounts {
  readonly users: number;
  readonly identities: number;
  readonly grants: number;
  readonly ended: number;
  readonly scores: number;
  readonly points: number;
  /** Rows whose bucket belongs to another database. */
  readonly misplacedRows: number;
  readonly bytes: number;
}

/** Counts the rows of database `index` of `databases`. */
export const countRows = async (db: D1Database, index: number, databases: number): Promise<TableCounts> => {
  const [count, ...prefixes] = await db.batch<Record<string, number | string>>([
    db.prepare(counting),
    ...owners.map((owner) => db.prepare(owner)),
  ]);
  const of = (name: string): number => Number(count?.results[0]?.[name]);
  const misplacedRows = prefixes
    .flatMap(({ results }) => results)
    .filter(({ prefix }) => findBucketDatabase(parseBucket(`${prefix}x`) ?? -1, databases) !== index)
    .reduce((sum, { rows }) => sum + Number(rows), 0);
  return {
    users: of('users'),
    identities: of('identities'),
    grants: of('grants'),
    ended: of('ended'),
    scores: of('scores'),
    points: of('points'),
    misplacedRows,
    bytes: count?.meta.size_after ?? 0,
  };
};

const counting = `SELECT
  (SELECT count(*) FROM users) AS users,
  (SELECT count(*) FROM identities) AS identities,
  (SELECT count(*) FROM grants) AS grants,
  (SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL) AS ended,
  (SELECT count(*) FROM scores) AS scores,
  (SELECT coalesce(sum(score), 0) FROM scores) AS points`;

const owners = [
  ['users', 'id'],
  ['identities', 'user_id'],
  ['grants', 'id'],
  ['grants', 'user_id'],
  ['scores', 'user_id'],
].map(
  ([table, id]) =>
    `SELECT substr(${id}, 1, 3) AS prefix, count(*) AS rows FROM ${table} GROUP BY substr(${id}, 1, 3)`,
);
