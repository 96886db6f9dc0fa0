/** The one way to D1: every statement of an operation at once, all or nothing. */
import { StorageUnavailable } from '../broker-storage.ts';

/**
 * Runs the statements in order, in one transaction and one round trip.
 * @returns one result per statement, in their order
 * @throws StorageUnavailable for every failure; what D1 says may quote SQL, so it stays in `cause`
 */
export const runBatch = async <Row>(
  db: SqlDatabase,
  ...statements: SqlStatement[]
): Promise<readonly SqlResult<Row>[]> => {
  try {
    return await db.batch<Row>(statements);
  } catch (cause) {
    throw new StorageUnavailable('D1 did not carry out the statements', { cause });
  }
};

/** Tells whether a statement changed anything. */
export const hasChanges = (result: SqlResult | undefined): boolean => (result?.meta.changes ?? 0) > 0;

/** A database as D1 offers it. Cloudflare's `D1Database` binding fits. */
export interface SqlDatabase {
  prepare(sql: string): SqlStatement;
  /** Runs the statements in order, in one transaction. */
  batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]>;
}

export interface SqlStatement {
  /** Sets the values of `?1`, `?2` and so on. */
  bind(...values: unknown[]): SqlStatement;
}

export interface SqlResult<Row = unknown> {
  readonly results: Row[];
  /** `changes`: the number of rows that the statement inserted, updated or deleted. */
  readonly meta: { readonly changes: number };
}
