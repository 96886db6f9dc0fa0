/**
 * Combines the round trips of many users to a real D1 database: those that arrive during a batch are sent
 * together in the next one. The statements of a round trip stay together and in order. This is needed because
 * a local D1 takes a millisecond per call and tens of microseconds per statement, and a day has millions of
 * round trips. Also counts the costs of each kind of round trip.
 */

/** What all round trips of one kind cost together. */
export interface TripCosts {
  readonly trips: number;
  readonly statements: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** D1's own measurement of the SQL time. Its clock ticks in milliseconds, so only sums are meaningful. */
  readonly sqlMilliseconds: number;
}

export interface BatchingD1 {
  /** Returns the database for round trips of this kind. */
  forKind(kind: string): D1Database;
  usage(): Readonly<Record<string, TripCosts>>;
}

interface PendingTrip {
  readonly kind: string;
  readonly statements: readonly D1PreparedStatement[];
  readonly resolve: (results: readonly D1Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The maximum number of statements in one call, so that D1's time limit is not reached. */
const maxStatements = 300;

export const createBatchingD1 = (real: D1Database): BatchingD1 => {
  const usage: Record<string, TripCosts> = {};
  const pending: PendingTrip[] = [];
  let isFlushing = false;

  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    while (pending.length > 0) {
      // Lets the users who just got a response send their next request.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const group = pending.splice(0, Math.max(1, groupSize(pending)));
      await executeBatch(real, group, (trip, results) => {
        usage[trip.kind] = add(usage[trip.kind] ?? nothing, results);
      });
    }
    isFlushing = false;
  };

  const enqueue = (kind: string, statements: readonly D1PreparedStatement[]) =>
    new Promise<readonly D1Result[]>((resolve, reject) => {
      pending.push({ kind, statements, resolve, reject });
      void flush();
    });

  return { forKind: (kind) => wrapDatabase(real, kind, enqueue), usage: () => usage };
};

const groupSize = (pending: readonly PendingTrip[]): number => {
  let statements = 0;
  const end = pending.findIndex((trip) => {
    statements += trip.statements.length;
    return statements > maxStatements;
  });
  return end < 0 ? pending.length : end;
};

const executeBatch = async (
  db: D1Database,
  group: readonly PendingTrip[],
  recordResults: (trip: PendingTrip, results: readonly D1Result[]) => void,
): Promise<void> => {
  try {
    const results = await db.batch(group.flatMap(({ statements }) => statements));
    let from = 0;
    for (const trip of group) {
      const own = results.slice(from, from + trip.statements.length);
      from += trip.statements.length;
      recordResults(trip, own);
      trip.resolve(own);
    }
  } catch (error) {
    for (const trip of group) trip.reject(error);
  }
};

const nothing: TripCosts = { trips: 0, statements: 0, rowsRead: 0, rowsWritten: 0, sqlMilliseconds: 0 };

const add = (before: TripCosts, results: readonly D1Result[]): TripCosts => {
  const total = (of: 'rows_read' | 'rows_written' | 'duration') =>
    results.reduce((sum, { meta }) => sum + meta[of], 0);
  return {
    trips: before.trips + 1,
    statements: before.statements + results.length,
    rowsRead: before.rowsRead + total('rows_read'),
    rowsWritten: before.rowsWritten + total('rows_written'),
    sqlMilliseconds: before.sqlMilliseconds + total('duration'),
  };
};

type Enqueue = (kind: string, statements: readonly D1PreparedStatement[]) => Promise<readonly D1Result[]>;

/** Implements the part of a database that the stores use: `prepare` with `bind` and `first`, and `batch`. */
const wrapDatabase = (real: D1Database, kind: string, enqueue: Enqueue): D1Database => {
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const statement = (original: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(original, {
      get(_, name) {
        if (name === 'bind') return (...values: unknown[]) => statement(original.bind(...values));
        if (name === 'first') return async () => (await enqueue(kind, [original]))[0]?.results[0] ?? null;
        throw new TypeError(`the stores must not call ${String(name)}`);
      },
    });
    originals.set(proxy, original);
    return proxy;
  };
  return new Proxy(real, {
    get(_, name) {
      if (name === 'prepare') return (query: string) => statement(real.prepare(query));
      if (name === 'batch')
        return (statements: readonly D1PreparedStatement[]) =>
          enqueue(
            kind,
            statements.map((one) => originals.get(one) ?? one),
          );
      throw new TypeError(`the stores must not call ${String(name)}`);
    },
  });
};
