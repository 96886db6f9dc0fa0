/** A D1 database where only SQL as text reaches it, as by `wrangler d1 execute`: as much of one as this package uses. */
import { withLiterals } from './literal.ts';

/**
 * Carries out statements in one transaction, in their order.
 * @returns JSON: an array with an object for each statement, whose `results` are its rows
 */
export type ExecuteText = (statements: readonly string[]) => Promise<string>;

/** Makes the database. What this package does not call rejects. */
export const textD1 = (execute: ExecuteText): D1Database => {
  const prepared = new WeakMap<object, { readonly query: string; readonly values: readonly unknown[] }>();

  const prepare = (query: string, values: readonly unknown[]): D1PreparedStatement => {
    const statement = {
      bind: (...given: unknown[]) => prepare(query, given),
      ...{ first: missing, run: missing, all: missing, raw: missing },
    };
    prepared.set(statement, { query, values });
    return statement;
  };

  const textOf = (statement: D1PreparedStatement): string => {
    const found = prepared.get(statement);
    if (found === undefined) throw new TypeError('a statement of another database');
    return withLiterals(found.query, found.values);
  };

  return {
    prepare: (query) => prepare(query, []),
    async batch<Row>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]> {
      // What a statement changed is asked for: of a local database, wrangler does not tell.
      const texts = statements.flatMap((statement) => [textOf(statement), 'SELECT changes() AS changes']);
      const answers: readonly Answer<Row>[] = JSON.parse(await execute(texts));
      return statements.map((_, at) => resultOf(answers[2 * at], answers[2 * at + 1]));
    },
    ...{ exec: missing, dump: missing, withSession: () => missingNow() },
  };
};

interface Answer<Row> {
  readonly results: Row[];
}

const resultOf = <Row>(
  answer: Answer<Row> | undefined,
  changed: Answer<unknown> | undefined,
): D1Result<Row> => {
  if (answer === undefined || changed === undefined) throw new Error('fewer answers than statements');
  return {
    success: true,
    results: answer.results,
    meta: { ...unknown, changes: Number(Object(changed.results[0]).changes) },
  };
};

/** What a text does not tell. */
const unknown = {
  ...{ duration: 0, size_after: 0, rows_read: 0, rows_written: 0, last_row_id: 0, changed_db: false },
};

const missingNow = (): never => {
  throw new Error('not there where SQL is text');
};

const missing = async (): Promise<never> => missingNow();
