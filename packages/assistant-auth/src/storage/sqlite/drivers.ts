/**
 * Runs batches of statements on SQLite drivers: `node:sqlite`, `bun:sqlite` and libSQL. A batch is one
 * transaction. It waits while another connection writes, without blocking the event loop.
 */
import type { Clock, Milliseconds, Seconds } from '../../oauth/identifiers.ts';
import type { SqlDatabase, SqlResult, SqlStatement } from './statements.ts';

/** A value of a parameter. */
export type SqliteValue = string | number | null;

/**
 * A connection of a synchronous driver. `DatabaseSync` from `node:sqlite` (Node, Deno and Bun) and `Database`
 * from `bun:sqlite` are compatible.
 */
export interface SqliteConnection {
  /** Runs SQL that has no parameters and returns no rows. */
  exec(sql: string): unknown;
  /** Prepares one statement without running it. */
  prepare(sql: string): SqlitePreparedStatement;
}

/** A prepared statement of a {@link SqliteConnection}. */
export interface SqlitePreparedStatement {
  /**
   * Runs the statement and returns its rows; none if it is not a query and has no `RETURNING` clause.
   * @param parameters the values of `?1`, `?2` and so on, with these names as keys
   */
  all(parameters: Record<string, SqliteValue>): unknown[];
}

/** A libSQL client. `Client` from `@libsql/client` 0.18 or newer is compatible. */
export interface LibsqlClient {
  /** How the client reaches the database: `file` for a local file. */
  readonly protocol: string;
  /** Runs one statement. */
  execute(sql: string): Promise<LibsqlResult>;
  /** Runs the statements in order, in one transaction. */
  batch(statements: LibsqlStatement[], mode: 'read' | 'write'): Promise<LibsqlResult[]>;
  /** Closes all connections, and opens new ones when they are needed. */
  reconnect(): unknown;
}

/** A statement with the values of its parameters. */
export interface LibsqlStatement {
  /** One SQL statement. */
  readonly sql: string;
  /** The values of `?1`, `?2` and so on. */
  readonly args: SqliteValue[];
}

/** The result of a statement. */
export interface LibsqlResult {
  /** The rows that the statement returned. */
  readonly rows: unknown[];
}

/** What {@link sqliteStorage} and the other functions take: a connection, or a libSQL client. */
export type SqliteDatabase = SqliteConnection | LibsqlClient;

/** How to wait for a lock. */
export interface Waiting {
  /** Waits for this many milliseconds. */
  readonly sleep: (duration: Milliseconds) => Promise<void>;
  readonly now: Clock;
}

/**
 * Prepares a connection for the broker, and returns the interface that the SQL of the storage uses.
 * @throws TypeError if it is neither a connection nor a client
 */
export const createSqliteDatabase = (database: SqliteDatabase, waiting: Waiting): SqlDatabase => {
  if (isLibsqlClient(database)) return createLibsqlDatabase(database, waiting);
  if (typeof Object(database).prepare !== 'function' || typeof Object(database).exec !== 'function')
    throw new TypeError(
      'The database must be a DatabaseSync from node:sqlite, a Database from bun:sqlite or a libSQL client.',
    );
  return createConnectionDatabase(database, waiting);
};

const isLibsqlClient = (database: SqliteDatabase): database is LibsqlClient =>
  ['batch', 'execute', 'reconnect'].every((name) => typeof Object(database)[name] === 'function');

// node:sqlite and bun:sqlite

const createConnectionDatabase = (connection: SqliteConnection, waiting: Waiting): SqlDatabase => {
  const prepare = createStatementCache(connection);
  const start = createConnectionStart(connection);
  return createSqlDatabase(<Row>(statements: readonly BoundStatement[]) =>
    retryWhileLocked(async () => {
      start();
      connection.exec(isReadOnly(statements) ? 'BEGIN' : 'BEGIN IMMEDIATE');
      try {
        const results = runStatements<Row>(statements, prepare);
        connection.exec('COMMIT');
        return results;
      } catch (error) {
        rollBack(connection);
        throw error;
      }
    }, waiting),
  );
};

const runStatements = <Row>(
  statements: readonly BoundStatement[],
  prepare: (sql: string) => RunStatement,
): SqlResult<Row>[] => {
  const countChanges = (): number => readNumber(prepare(totalChanges)([]));
  let changesBefore = countChanges();
  return statements.map(({ sql, values }) => {
    const results: Row[] = prepare(sql)(values).map(Object);
    const changesAfter = countChanges();
    const result = { results, meta: { changes: changesAfter - changesBefore } };
    changesBefore = changesAfter;
    return result;
  });
};

/**
 * Returns a function that sets the connection up when it is called for the first time. An acknowledged
 * transaction must survive a crash of the machine, because a redeemed code must not be redeemable again: this
 * needs `synchronous = FULL`. With a write-ahead log, reads and writes do not block each other. A
 * `busy_timeout` would block the event loop, once for each attempt.
 */
const createConnectionStart = (connection: SqliteConnection): (() => void) => {
  let isStarted = false;
  return () => {
    if (isStarted) return;
    for (const pragma of connectionSettings) connection.exec(pragma);
    isStarted = true;
  };
};

const journalMode = 'PRAGMA journal_mode = WAL';

const connectionSettings = [
  'PRAGMA busy_timeout = 0',
  journalMode,
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = ON',
];

/** After some errors, such as a full disk, SQLite itself has already rolled back, and `ROLLBACK` fails. */
const rollBack = (connection: SqliteConnection): void => {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // The error that caused the rollback is the one to report.
  }
};

/** Runs a prepared statement with values, and returns its rows. */
type RunStatement = (values: readonly SqliteValue[]) => unknown[];

/** More than the number of different statements of the storage. */
const maxCachedStatements = 200;

/** Returns a function that prepares a statement only once, because that can take longer than running it. */
const createStatementCache = (connection: SqliteConnection): ((sql: string) => RunStatement) => {
  const cache = new Map<string, RunStatement>();
  return (sql) => {
    const cached = cache.get(sql);
    if (cached !== undefined) return cached;
    const run = prepareStatement(connection, sql);
    if (cache.size >= maxCachedStatements) cache.clear();
    cache.set(sql, run);
    return run;
  };
};

/**
 * Binds values by name, which every driver supports: some versions of Node reject positional values for `?1`.
 * Node rejects a name that the statement does not have, and a statement may use only some of the numbers.
 */
const prepareStatement = (connection: SqliteConnection, sql: string): RunStatement => {
  const statement = connection.prepare(sql);
  const numbers = new Set([...sql.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number)));
  return (values) =>
    statement.all(
      Object.fromEntries(
        values.flatMap((value, index) => (numbers.has(index + 1) ? [[`?${index + 1}`, value]] : [])),
      ),
    );
};

// libSQL

const createLibsqlDatabase = (client: LibsqlClient, waiting: Waiting): SqlDatabase => {
  const start = createLibsqlStart(client);
  const enqueue = createQueue();
  return createSqlDatabase(<Row>(statements: readonly BoundStatement[]) => {
    const attempt = async (): Promise<SqlResult<Row>[]> => {
      try {
        await start();
        return await runLibsqlBatch<Row>(client, statements);
      } catch (error) {
        // A connection that found the database locked keeps reading an old state, in which it can never write.
        if (isLocked(error)) await client.reconnect();
        throw error;
      }
    };
    return retryWhileLocked(() => enqueue(attempt), waiting);
  });
};

/** Returns a function that runs one task at a time, so that nothing runs while a client reconnects. */
const createQueue = (): (<Result>(work: () => Promise<Result>) => Promise<Result>) => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
};

/**
 * Returns a function that sets the database up when it is called for the first time. A client can open another
 * connection at any time, so this sets only what is stored in the file. libSQL's builds of SQLite use
 * `synchronous = FULL` and enforce foreign keys by default.
 */
const createLibsqlStart = (client: LibsqlClient): (() => Promise<void>) => {
  let isStarted = false;
  return async () => {
    if (isStarted) return;
    if (readNumber((await client.execute('PRAGMA foreign_keys')).rows, 'foreign_keys') !== 1)
      throw new Error('The database does not enforce foreign keys.');
    if (client.protocol === 'file') await client.execute(journalMode);
    isStarted = true;
  };
};

const runLibsqlBatch = async <Row>(
  client: LibsqlClient,
  statements: readonly BoundStatement[],
): Promise<SqlResult<Row>[]> => {
  const count = { sql: totalChanges, args: [] };
  const batch = statements.flatMap(({ sql, values }) => [{ sql, args: [...values] }, count]);
  const [first, ...others] = await client.batch([count, ...batch], isReadOnly(statements) ? 'read' : 'write');
  let changesBefore = readNumber(first?.rows);
  return statements.map((_, index) => {
    const results: Row[] = (others[2 * index]?.rows ?? []).map(Object);
    const changesAfter = readNumber(others[2 * index + 1]?.rows);
    const result = { results, meta: { changes: changesAfter - changesBefore } };
    changesBefore = changesAfter;
    return result;
  });
};

// All drivers

/** A statement with the values of `?1`, `?2` and so on. */
export interface BoundStatement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

/** Creates the interface that the SQL of the storage uses, from a function that runs a batch. */
export const createSqlDatabase = (
  run: <Row>(statements: readonly BoundStatement[]) => Promise<SqlResult<Row>[]>,
): SqlDatabase => {
  const boundStatements = new WeakMap<SqlStatement, BoundStatement>();
  const prepare = (sql: string, values: readonly SqliteValue[]): SqlStatement => {
    const statement = { bind: (...given: unknown[]) => prepare(sql, given.map(toValue)) };
    boundStatements.set(statement, { sql, values });
    return statement;
  };
  return {
    prepare: (sql) => prepare(sql, []),
    batch: async <Row>(statements: SqlStatement[]) =>
      run<Row>(
        statements.map((statement) => {
          const bound = boundStatements.get(statement);
          if (bound === undefined) throw new TypeError('The statement belongs to another database.');
          return bound;
        }),
      ),
  };
};

/**
 * Drivers treat other values differently; one of them ends the process.
 * @throws TypeError for anything but a string, number or `null`
 */
const toValue = (value: unknown): SqliteValue => {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new TypeError(`A parameter must be a string, a number or null, not ${typeof value}.`);
};

/** Counts in the same way for all drivers. What drivers return differs, for example after `RETURNING`. */
const totalChanges = 'SELECT total_changes() AS number';

/** By name, so that a connection that returns rows as arrays fails before anything is written. */
const readNumber = (rows: readonly unknown[] | undefined, column = 'number'): number => {
  const { [column]: number } = Object(rows?.[0]);
  if (typeof number !== 'number') throw new Error('The database did not return a number.');
  return number;
};

/** A batch that only reads does not need a write lock. */
const isReadOnly = (statements: readonly BoundStatement[]): boolean =>
  statements.every(({ sql }) => /^\s*SELECT\b/i.test(sql));

/** How long a batch waits for a lock. */
const maxWait: Seconds = 5;

/** The pauses between attempts: about five seconds in total. */
const pauses: readonly Milliseconds[] = [1, 2, 5, 10, ...Array.from({ length: 250 }, () => 20)];

/**
 * SQLite lets one connection write at a time. A batch that finds the database locked has changed nothing. The
 * deadline matters only for a libSQL client, which can wait by itself in each attempt.
 * @throws the driver's error if the database stays locked, or if it fails for another reason
 */
const retryWhileLocked = async <Result>(
  attempt: () => Promise<Result>,
  { sleep, now }: Waiting,
): Promise<Result> => {
  const deadline = now() + maxWait;
  for (const pause of pauses) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLocked(error) || now() > deadline) throw error;
      await sleep(pause);
    }
  }
  return attempt();
};

/** Drivers have different codes for this error, but the same message. */
const isLocked = (error: unknown): boolean =>
  error instanceof Error && /database is locked|SQLITE_BUSY/.test(error.message);
