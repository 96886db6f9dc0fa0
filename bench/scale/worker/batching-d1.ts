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

export const createBatchingD1 = (db: D1Database): BatchingD1 => {
  const usage: Record<string, TripCosts> = {};
  const pending: PendingTrip[] = [];
  let isFlushing = false;

  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    while (pending.length > 0) {
      // Lets the users who just got a response send their next request.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const batch = pending.splice(0, Math.max(1, computeBatchSize(pending)));
      await executeBatch(db, batch, (trip, results) => {
        usage[trip.kind] = addCosts(usage[trip.kind] ?? noCosts, results);
      });
    }
    isFlushing = false;
  };

  const enqueue = (kind: string, statements: readonly D1PreparedStatement[]) =>
    new Promise<readonly D1Result[]>((resolve, reject) => {
      pending.push({ kind, statements, resolve, reject });
      void flush();
    });

  return { forKind: (kind) => wrapDatabase(db, kind, enqueue), usage: () => usage };
};

const computeBatchSize = (pending: readonly PendingTrip[]): number => {
  let statements = 0;
  const endIndex = pending.findIndex((trip) => {
    statements += trip.statements.length;
    return statements > maxStatements;
  });
  return endIndex < 0 ? pending.length : endIndex;
};

const executeBatch = async (
  db: D1Database,
  batch: readonly PendingTrip[],
  recordResults: (trip: PendingTrip, results: readonly D1Result[]) => void,
): Promise<void> => {
  try {
    const results = await db.batch(batch.flatMap(({ statements }) => statements));
    let offset = 0;
    for (const trip of batch) {
      const tripResults = results.slice(offset, offset + trip.statements.length);
      offset += trip.statements.length;
      recordResults(trip, tripResults);
      trip.resolve(tripResults);
    }
  } catch (error) {
    for (const trip of batch) trip.reject(error);
  }
};

const noCosts: TripCosts = { trips: 0, statements: 0, rowsRead: 0, rowsWritten: 0, sqlMilliseconds: 0 };

const addCosts = (costs: TripCosts, results: readonly D1Result[]): TripCosts => {
  const total = (member: 'rows_read' | 'rows_written' | 'duration') =>
    results.reduce((sum, { meta }) => sum + meta[member], 0);
  return {
    trips: costs.trips + 1,
    statements: costs.statements + results.length,
    rowsRead: costs.rowsRead + total('rows_read'),
    rowsWritten: costs.rowsWritten + total('rows_written'),
    sqlMilliseconds: costs.sqlMilliseconds + total('duration'),
  };
};

type Enqueue = (kind: string, statements: readonly D1PreparedStatement[]) => Promise<readonly D1Result[]>;

/** Implements the part of a database that the stores use: `prepare` with `bind` and `first`, and `batch`. */
const wrapDatabase = (db: D1Database, kind: string, enqueue: Enqueue): D1Database => {
  const originalStatements = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const wrapStatement = (original: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(original, {
      get(_, name) {
        if (name === 'bind') return (...values: unknown[]) => wrapStatement(original.bind(...values));
        if (name === 'first') return async () => (await enqueue(kind, [original]))[0]?.results[0] ?? null;
        throw new TypeError(`the stores must not call ${String(name)}`);
      },
    });
    originalStatements.set(proxy, original);
    return proxy;
  };
  return new Proxy(db, {
    get(_, name) {
      if (name === 'prepare') return (query: string) => wrapStatement(db.prepare(query));
      if (name === 'batch')
        return (statements: readonly D1PreparedStatement[]) =>
          enqueue(
            kind,
            statements.map((wrapped) => originalStatements.get(wrapped) ?? wrapped),
          );
      throw new TypeError(`the stores must not call ${String(name)}`);
    },
  });
};
