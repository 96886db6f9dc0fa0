/** A wrapper around a real D1 database that counts round trips and billed rows. */

/** The usage of a database so far. */
interface Usage {
  readonly trips: number;
  /** The statements in these round trips. */
  readonly statements: number;
  /** Rows scanned, and rows and index entries written, as in the `meta` of D1: these are billed. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

export interface CountingD1 {
  readonly db: D1Database;
  /** Returns the number of calls to the real database. */
  trips(): number;
  /** @throws Error after `raw`, `exec` or `dump`, whose results have no row counts */
  usage(): Usage;
}

/** Wraps a database. */
export const countingD1 = (database: D1Database): CountingD1 => {
  let trips = 0;
  let statements = 0;
  let rowsRead = 0;
  let rowsWritten = 0;
  let rowsAreKnown = true;
  const originals = new WeakMap<object, D1PreparedStatement>();

  const addRows = (response: unknown): void => {
    const results: readonly unknown[] = Array.isArray(response) ? response : [response];
    statements += results.length;
    for (const result of results) {
      if (!isResult(result)) rowsAreKnown = false;
      else {
        rowsRead += result.meta.rows_read;
        rowsWritten += result.meta.rows_written;
      }
    }
  };

  const callDatabase = async (target: object, name: string, args: readonly unknown[]): Promise<unknown> => {
    trips += 1;
    // `first` is `all` without the meta.
    const response: unknown = await call(target, name === 'first' ? 'all' : name, args.map(unwrap));
    addRows(response);
    return name === 'first' ? readFirst(response, args[0]) : response;
  };

  const countCalls = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function' || typeof name !== 'string') return member;
        return (...args: readonly unknown[]) => {
          if (executingMethods.has(name)) return callDatabase(target, name, args);
          const response = call(target, name, args.map(unwrap));
          return preparingMethods.has(name) ? wrapResult(response) : response;
        };
      },
    });

  const wrapResult = (response: unknown): unknown => {
    if (typeof response !== 'object' || response === null) return response;
    const wrapper = countCalls(response);
    if (isStatement(response)) originals.set(wrapper, response);
    return wrapper;
  };

  // A batch accepts only statements that the real database prepared.
  const unwrap = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(unwrap);
    return (typeof value === 'object' && value !== null && originals.get(value)) || value;
  };

  const usage = (): Usage => {
    if (!rowsAreKnown) throw new Error('a call was made whose result has no row counts');
    return { trips, statements, rowsRead, rowsWritten };
  };

  return { db: countCalls(database), trips: () => trips, usage };
};

const executingMethods: ReadonlySet<string> = new Set([
  'batch',
  'exec',
  'dump',
  'first',
  'run',
  'all',
  'raw',
]);
const preparingMethods: ReadonlySet<string> = new Set(['prepare', 'bind', 'withSession']);

const call = (target: object, name: string, args: readonly unknown[]): unknown =>
  Reflect.apply(Reflect.get(target, name), target, args);

const readFirst = (response: unknown, column: unknown): unknown => {
  const row = isResult(response) ? (response.results[0] ?? null) : null;
  return typeof column === 'string' && row !== null ? row[column] : row;
};

const isStatement = (value: object): value is D1PreparedStatement => 'bind' in value;

const isResult = (value: unknown): value is D1Result<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && 'meta' in value && 'results' in value;
