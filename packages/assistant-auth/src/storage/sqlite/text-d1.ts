/** A D1 database where only SQL as text reaches it, as by `wrangler d1 execute`: as much of one as this package uses. */
import type { SqlDatabase, SqlResult, SqlStatement } from './statements.ts';

/**
 * Carries out statements in one transaction, in their order.
 * @returns JSON: an array with an object for each statement, whose `results` are its rows
 */
export type ExecuteText = (statements: readonly string[]) => Promise<string>;

/** Makes the database. What this package does not call rejects. */
export const textD1 = (execute: ExecuteText): SqlDatabase => {
  const preparedStatements = new WeakMap<
    object,
    { readonly query: string; readonly values: readonly unknown[] }
  >();

  const prepare = (query: string, values: readonly unknown[]): SqlStatement => {
    const statement = { bind: (...given: unknown[]) => prepare(query, given) };
    preparedStatements.set(statement, { query, values });
    return statement;
  };

  const renderStatement = (statement: SqlStatement): string => {
    const found = preparedStatements.get(statement);
    if (found === undefined) throw new TypeError('a statement of another database');
    return inlineParameters(found.query, found.values);
  };

  return {
    prepare: (query) => prepare(query, []),
    async batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]> {
      // What a statement changed is asked for: of a local database, wrangler does not tell.
      const texts = statements.flatMap((statement) => [
        renderStatement(statement),
        'SELECT changes() AS changes',
      ]);
      const statementResults: readonly StatementResult<Row>[] = JSON.parse(await execute(texts));
      return statements.map((_, at) => toD1Result(statementResults[2 * at], statementResults[2 * at + 1]));
    },
  };
};

interface StatementResult<Row> {
  readonly results: Row[];
}

const toD1Result = <Row>(
  result: StatementResult<Row> | undefined,
  changesResult: StatementResult<unknown> | undefined,
): SqlResult<Row> => {
  if (result === undefined || changesResult === undefined) throw new Error('fewer answers than statements');
  return {
    results: result.results,
    meta: { changes: Number(Object(changesResult.results[0]).changes) },
  };
};

// Values as they stand in SQL that is text and nothing else.

/**
 * Writes a value. Texts with anything that could be read as more than a text are written as their bytes, so that no reader between
 * here and the database can take a part of them for something else.
 * @throws TypeError for what no column holds, RangeError for half a surrogate pair or what is no finite number
 */
export const toSqlLiteral = (value: unknown): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return numberLiteral(value);
  if (typeof value === 'string') return textLiteral(value);
  throw new TypeError(`no literal for a value of type ${typeof value}`);
};

const numberLiteral = (value: number): string => {
  if (!Number.isFinite(value)) throw new RangeError(`not a finite number: ${value}`);
  // In brackets: two minus signs in a row begin a comment.
  return value < 0 ? `(${value})` : String(value);
};

const plainText = /^[\w .:/@-]*$/;

const textLiteral = (value: string): string => {
  if (plainText.test(value)) return `'${value}'`;
  if (!value.isWellFormed()) throw new RangeError('not a well-formed text');
  const bytes = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0'));
  return `CAST(x'${bytes.join('')}' AS TEXT)`;
};

/**
 * Puts literals in place of the numbered parameters of a statement.
 * @throws RangeError for a parameter without a number or a value
 */
export const inlineParameters = (query: string, values: readonly unknown[]): string =>
  query.replace(quotedOrParameter, (found, number: string | undefined) => {
    if (number === undefined) return found;
    const at = Number(number) - 1;
    if (!(at in values)) throw new RangeError(`no value for the parameter ?${number}`);
    return toSqlLiteral(values[at]);
  });

/** A question mark in quotes is none. */
const quotedOrParameter = /'(?:[^']|'')*'|\?(\d*)/g;
