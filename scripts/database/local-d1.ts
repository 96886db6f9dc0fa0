/** Opens the local D1 database, which `npm start` may be using, through Wrangler's platform proxy. */
import { devNull } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlDatabase, SqlResult, SqlStatement } from 'assistant-auth/d1';
import { CommandError } from '../app/command.ts';
import { buildWranglerEnvironment } from '../app/wrangler.ts';

export interface LocalD1Options {
  /** The Wrangler file with the database binding. */
  readonly config: string;
  readonly dataFolder: string;
  readonly stateFolder: string;
}

/**
 * Opens the database in its own workerd process, without a debugger and without the variables of the app. Its
 * `batch` waits while another process writes.
 * @param pause waits for this many milliseconds
 */
export const openLocalD1 = async (
  { config, dataFolder, stateFolder }: LocalD1Options,
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<{ readonly db: SqlDatabase; close(): Promise<void> }> => {
  // Wrangler reads these when it is loaded.
  Object.assign(process.env, buildWranglerEnvironment(dataFolder));
  const { getPlatformProxy } = await import('wrangler');
  const { env, dispose } = await getPlatformProxy<{ readonly DB: SqlDatabase }>({
    configPath: config,
    persist: { path: join(stateFolder, 'v3') },
    // Otherwise Wrangler reads `.dev.vars` or `.env`, which contain the variables of a deployment.
    envFiles: [devNull],
    remoteBindings: false,
  });
  const db: SqlDatabase = {
    prepare: (sql) => env.DB.prepare(sql),
    batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]> {
      const statementsWithLock = [env.DB.prepare(writeLockStatement), ...statements];
      return retryWhileLocked(async () => (await env.DB.batch<Row>(statementsWithLock)).slice(1), pause);
    },
  };
  return { db, close: dispose };
};

/**
 * Changes nothing. workerd writes at the end of each batch, and reports a lock that it finds only then as an
 * internal error. With this statement first, a locked database is always reported as such.
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
): Promise<Result> => {
  for (let failedAttempts = 0; ; failedAttempts++) {
    try {
      return await attempt();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!message.includes('SQLITE_BUSY'))
        throw new CommandError(`The local database failed: ${message}. ${describeOutcome(message)}`, {
          cause: error,
        });
      const pauseMs = pausesMs[failedAttempts];
      if (pauseMs === undefined)
        throw new CommandError(
          'Another process kept the local database locked for ten seconds. The query changed nothing. Try again later, or stop npm start.',
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
