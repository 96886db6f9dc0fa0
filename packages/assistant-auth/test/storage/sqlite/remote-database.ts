/** Connects the SQL of the package to a database that speaks SQLite's dialect. */
import type { SqlDatabase, SqlResult, SqlStatement } from 'assistant-auth/d1';

export interface Query {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Runs the queries in order, in one transaction, with the client of your database. */
type RunTransaction = (
  queries: readonly Query[],
) => Promise<readonly { readonly rows: readonly unknown[]; readonly changes: number }[]>;

export const createRemoteDatabase = (runTransaction: RunTransaction): SqlDatabase => {
  const queries = new WeakMap<SqlStatement, Query>();

  const prepare = (sql: string, values: readonly unknown[] = []): SqlStatement => {
    const statement = { bind: (...bound: unknown[]) => prepare(sql, bound) };
    queries.set(statement, { sql, values });
    return statement;
  };

  const readQuery = (statement: SqlStatement): Query => {
    const query = queries.get(statement);
    if (query === undefined) throw new TypeError('The statement is from another database.');
    return query;
  };

  return {
    prepare: (sql) => prepare(sql),
    async batch<Row>(statements: SqlStatement[]) {
      const results = await runTransaction(statements.map(readQuery));
      return results.map(
        ({ rows, changes }): SqlResult<Row> => ({ results: rows as Row[], meta: { changes } }),
      );
    },
  };
};
