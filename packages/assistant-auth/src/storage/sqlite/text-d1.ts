/**
 * A D1 database that is reached only through SQL text, as with `wrangler d1 execute`. Implements what storage
 * uses.
 */
import type { SqlDatabase, SqlResult, SqlStatement } from './statements.ts';

/**
 * Executes statements in order, in one transaction.
 * @returns JSON: an array with an object for each statement, whose `results` are its rows
 */
export type ExecuteText = (statements: readonly string[]) => Promise<string>;

/** Creates the database. */
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
      // The number of changes is queried, because Wrangler does not report it for a local database.
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

/**
 * Writes a value as an SQL literal. Text with characters that could be read as syntax is written as bytes, so
 * that nothing between here and the database can interpret a part of it.
 * @throws TypeError for a type that no column has, RangeError for text with an unpaired surrogate or a number
 * that is not finite
 */
export const toSqlLiteral = (value: unknown): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return numberLiteral(value);
  if (typeof value === 'string') return textLiteral(value);
  throw new TypeError(`no literal for a value of type ${typeof value}`);
};

const numberLiteral = (value: number): string => {
  if (!Number.isFinite(value)) throw new RangeError(`not a finite number: ${value}`);
  // In parentheses, because two minus signs in a row start a comment.
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
 * Replaces the numbered parameters of a statement with literals.
 * @throws RangeError for a parameter without a number or a value
 */
export const inlineParameters = (query: string, values: readonly unknown[]): string =>
  query.replace(quotedOrParameter, (found, number: string | undefined) => {
    if (number === undefined) return found;
    const at = Number(number) - 1;
    if (!(at in values)) throw new RangeError(`no value for the parameter ?${number}`);
    return toSqlLiteral(values[at]);
  });

/** Also matches quoted text, because a question mark in quotes is not a parameter. */
const quotedOrParameter = /'(?:[^']|'')*'|\?(\d*)/g;
