/**
 * Fakes a deployed D1 database with SQLite in memory, as a binding and as the query endpoint of Cloudflare's
 * API.
 */
import { DatabaseSync } from 'node:sqlite';
import type { SqlDatabase, SqlStatement } from 'assistant-auth/d1';

type Value = string | number | null;

interface Query {
  /** One statement, or several if there are no parameters. */
  readonly sql: string;
  readonly params?: readonly Value[];
}

interface StatementResult {
  readonly success: true;
  readonly results: Record<string, unknown>[];
  readonly meta: { readonly changes: number; readonly duration: number };
}

export interface FakeD1 {
  /** The database as storage uses it, to arrange and inspect rows. */
  readonly db: SqlDatabase;
  /**
   * Runs the body of a request to the query endpoint in one transaction.
   * @throws Error with SQLite's message if a statement fails. In that case, nothing was changed
   */
  query(body: Query | { readonly batch: readonly Query[] }): readonly StatementResult[];
}

/** Creates an empty database. */
export const createFakeD1 = (): FakeD1 => {
  const sqlite = new DatabaseSync(':memory:');
  const runQueries = (queries: readonly Query[]): StatementResult[] => {
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      const results = queries.flatMap((query) => runQuery(sqlite, query));
      sqlite.exec('COMMIT');
      return results;
    } catch (error) {
      sqlite.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    db: createBinding(runQueries),
    query: (body) => runQueries('batch' in body ? body.batch : [body]),
  };
};

const runQuery = (sqlite: DatabaseSync, { sql, params = [] }: Query): StatementResult[] => {
  const results: StatementResult[] = [];
  // `prepare` compiles only the first of several statements.
  for (let rest = sql; /\S/.test(rest); ) {
    const statement = sqlite.prepare(rest);
    const before = countChanges(sqlite);
    const rows = statement.all(...params).map((row) => ({ ...row }));
    const changes = countChanges(sqlite) - before;
    results.push({ success: true, results: rows, meta: { changes, duration: 0 } });
    rest = rest.slice(rest.indexOf(statement.sourceSQL) + statement.sourceSQL.length);
  }
  return results;
};

const countChanges = (sqlite: DatabaseSync): number => {
  const { changes } = sqlite.prepare('SELECT total_changes() AS changes').get() ?? {};
  return Number(changes);
};

const createBinding = (
  runQueries: (queries: readonly Query[]) => readonly StatementResult[],
): SqlDatabase => {
  const queries = new WeakMap<SqlStatement, Query>();
  const prepare = (sql: string, params: readonly Value[]): SqlStatement => {
    const statement = { bind: (...values: unknown[]) => prepare(sql, values.map(requireValue)) };
    queries.set(statement, { sql, params });
    return statement;
  };
  return {
    prepare: (sql) => prepare(sql, []),
    async batch(statements) {
      const results = runQueries(statements.map((statement) => queries.get(statement) ?? { sql: '' }));
      return JSON.parse(JSON.stringify(results));
    },
  };
};

const requireValue = (value: unknown): Value => {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`D1 does not accept a parameter of type ${typeof value}.`);
};
