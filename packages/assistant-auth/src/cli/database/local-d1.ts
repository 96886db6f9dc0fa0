/** Opens a local D1 database, which `wrangler dev` may be using, through Wrangler's platform proxy. */
import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlDatabase, SqlResult, SqlStatement } from '../../storage/sqlite/d1.ts';
import { CommandError, UsageError } from '../command.ts';
import type { LocalD1Location } from './location.ts';
import { loadWrangler, localEnvironment, readD1Binding, type Wrangler } from './wrangler.ts';

/** A local D1 database and the Wrangler that opens it. */
export interface LocalD1 {
  readonly api: Wrangler['api'];
  /** The path of the Wrangler file. */
  readonly config: string;
  readonly binding: string;
  /** The folder that Wrangler's option `--persist-to` names. */
  readonly persistTo: string;
  /** The command that may be using the database, for messages. */
  readonly server: string;
}

/**
 * Finds a local D1 database.
 * @throws CommandError if Wrangler is not installed, if its configuration has no such database, or if the
 * folder contains no database
 */
export const findLocalD1 = async (location: LocalD1Location): Promise<LocalD1> => {
  // Wrangler reads these when it is loaded. Its warnings are about other bindings of the project.
  const { WRANGLER_LOG = 'error' } = process.env;
  Object.assign(process.env, localEnvironment, { WRANGLER_LOG }, location.environment);
  const wrangler = await loadWrangler(location.projectFolder);
  const { config, binding } = readD1Binding(wrangler, location);
  const persistTo = location.persistTo ?? join(dirname(config), '.wrangler/state');
  if (!existsSync(join(persistTo, 'v3/d1')))
    throw new UsageError(
      `There is no local D1 database in ${persistTo}. Run "npx wrangler d1 migrations apply ${binding} --local" to create it, or pass --persist-to <dir> if it is in another folder.`,
    );
  return { api: wrangler.api, config, binding, persistTo, server: location.server };
};

/**
 * Opens the database in its own workerd process, without a debugger and without the variables of the app. Its
 * `batch` waits while another process writes.
 * @param pause waits for this many milliseconds
 */
export const openLocalD1 = async (
  { api, config, binding, persistTo, server }: LocalD1,
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<{ readonly db: SqlDatabase; close(): Promise<void> }> => {
  const { env, dispose } = await api.getPlatformProxy<Readonly<Record<string, SqlDatabase>>>({
    configPath: config,
    persist: { path: join(persistTo, 'v3') },
    // Otherwise Wrangler reads `.dev.vars` or `.env`, which contain the variables of a deployment.
    envFiles: [devNull],
    remoteBindings: false,
  });
  const proxy = env[binding];
  if (proxy === undefined) throw new Error(`Wrangler did not open the binding ${binding} of ${config}.`);
  const db: SqlDatabase = {
    prepare: (sql) => proxy.prepare(sql),
    batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]> {
      const statementsWithLock = [proxy.prepare(writeLockStatement), ...statements];
      const attempt = async () => (await proxy.batch<Row>(statementsWithLock)).slice(1);
      return retryWhileLocked(attempt, pause, { binding, server });
    },
  };
  return { db, close: dispose };
};

/**
 * Changes nothing. workerd writes at the end of each batch, and reports a lock that it finds only then as
 * an internal error. With this statement first, a locked database is always reported as such.
 */
const writeLockStatement = 'DELETE FROM users WHERE false';

/** About ten seconds in total. */
const pausesMs = [50, 100, 200, 400, 800, 1600, 2000, 2000, 3000];

/**
 * SQLite lets one connection write at a time, and workerd does not wait for another one. An attempt that
 * finds the database locked has changed nothing, because a batch is one transaction.
 * @throws CommandError if the database stays locked, or if it fails for another reason
 */
const retryWhileLocked = async <Result>(
  attempt: () => Promise<Result>,
  pause: (ms: number) => Promise<unknown>,
  { binding, server }: Pick<LocalD1, 'binding' | 'server'>,
): Promise<Result> => {
  for (let failedAttempts = 0; ; failedAttempts++) {
    try {
      return await attempt();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!message.includes('SQLITE_BUSY'))
        throw new CommandError(
          message.includes('no such table')
            ? `The local D1 database of the binding ${binding} has no tables of assistant-auth. Apply the migrations with "npx wrangler d1 migrations apply ${binding} --local".`
            : `The local database failed: ${message}. ${describeOutcome(message)}`,
          { cause: error },
        );
      const pauseMs = pausesMs[failedAttempts];
      if (pauseMs === undefined)
        throw new CommandError(
          `Another process kept the local database locked for ten seconds. The query changed nothing. Try again later, or stop ${server}.`,
          { cause: error },
        );
      await pause(pauseMs);
    }
  }
};

/**
 * After an error of SQLite itself, the transaction was rolled back. After any other error, for example from
 * workerd, the outcome is unknown.
 */
const describeOutcome = (message: string): string =>
  message.startsWith('D1_ERROR') && !message.includes('internal error')
    ? 'The query changed nothing.'
    : 'Before you try again, check whether the change was made.';
