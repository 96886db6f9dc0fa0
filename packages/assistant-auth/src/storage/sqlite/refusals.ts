/** Counts of refused requests, in SQL. */
import type { RefusalCount } from '../broker-storage.ts';
import { runBatch, type SqlDatabase } from './statements.ts';

export const recordRefusals = async (db: SqlDatabase, refusals: readonly RefusalCount[]): Promise<void> => {
  await runBatch(
    db,
    db
      .prepare(
        // WHERE: otherwise, SQLite's parser takes ON CONFLICT for the condition of a join.
        `INSERT INTO refusals SELECT value ->> 'day', value ->> 'reason', value ->> 'count' FROM json_each(?1) WHERE TRUE
        ON CONFLICT DO UPDATE SET count = count + excluded.count`,
      )
      .bind(JSON.stringify(refusals)),
  );
};
