/** The operator's statistics, in SQL: totals, sign-ins from the audit log, and counts of refused requests. */
import type { EpochSeconds } from '../../oauth/identifiers.ts';
import { buildActiveGrantCondition } from './admin-users.ts';
import { runBatch, type SqlDatabase } from './statements.ts';
import type { ClientUsage, Statistics } from './storage-admin.ts';

/** The maximum number of clients in the statistics. */
const maxClients = 10;

const secondsPerDay = 86_400;

export const readStatistics = async (
  db: SqlDatabase,
  dayCount: number,
  now: EpochSeconds,
): Promise<Statistics> => {
  const today = Math.floor(now / secondsPerDay);
  const days = Array.from({ length: dayCount }, (_, index) => formatDay(today - index));
  const [users, clients, signIns, refusals] = await runBatch<StatisticsRow>(
    db,
    db.prepare('SELECT count(*) AS count FROM users'),
    db
      .prepare(
        `SELECT top.*, clients.name FROM (
          SELECT client_id, count(*) AS count, sum(count(*)) OVER () AS all_grants, count(*) OVER () AS all_clients
          FROM grants WHERE ${buildActiveGrantCondition('?1')}
          GROUP BY client_id ORDER BY count(*) DESC, client_id LIMIT ?2
        ) AS top LEFT JOIN clients ON clients.id = top.client_id ORDER BY top.count DESC, top.client_id`,
      )
      .bind(now, maxClients),
    db
      .prepare(
        `SELECT date(at, 'unixepoch') AS day, count(*) AS count FROM audit
        WHERE event = 'signed-in' AND at >= unixepoch(?1) GROUP BY day`,
      )
      .bind(days.at(-1)),
    db
      .prepare('SELECT * FROM refusals WHERE day BETWEEN ?1 AND ?2 ORDER BY day DESC, count DESC, reason')
      .bind(days.at(-1), days[0]),
  );
  const signInsByDay = sumByDay(signIns?.results);
  const refusalsByDay = sumByDay(refusals?.results);
  return {
    users: users?.results[0]?.count ?? 0,
    activeGrants: clients?.results[0]?.all_grants ?? 0,
    activeClients: clients?.results[0]?.all_clients ?? 0,
    topClients: (clients?.results ?? []).map(toClientUsage),
    days: days.map((day) => ({
      day,
      signIns: signInsByDay.get(day) ?? 0,
      refusals: refusalsByDay.get(day) ?? 0,
    })),
    refusals: (refusals?.results ?? []).map(({ day, reason, count }) => ({ day, reason, count })),
  };
};

/** Each statement returns some of these columns. */
interface StatisticsRow {
  readonly count: number;
  readonly client_id: string;
  readonly name: string | null;
  readonly all_grants: number;
  readonly all_clients: number;
  readonly day: string;
  readonly reason: string;
}

/** @param day the number of days since 1970-01-01 */
const formatDay = (day: number): string =>
  new Date(day * secondsPerDay * 1000).toISOString().slice(0, 'YYYY-MM-DD'.length);

const sumByDay = (rows: readonly StatisticsRow[] = []): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>();
  for (const { day, count } of rows) sums.set(day, (sums.get(day) ?? 0) + count);
  return sums;
};

const toClientUsage = ({ client_id, name, count }: StatisticsRow): ClientUsage => ({
  clientId: client_id,
  ...(name !== null && { name }),
  activeGrants: count,
});
