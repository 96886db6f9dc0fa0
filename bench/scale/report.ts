/** Prints the figures of docs/scale.md as tables. */
import { type ServiceTimes, simulateBusiestDatabase, tripsOfBusiestHour } from './busiest-hour.ts';
import type { DayOutcome } from './runner.ts';
import type { DatabaseUsage } from './worker/batching-d1.ts';

export interface ReportOptions {
  readonly users: number;
  readonly isolates: number;
}

/** The numbers of databases, and the factors for the number of users, that are compared. */
const databaseCounts = [1, 2, 4, 8];
const times = [1, 4, 10, 20, 50, 100];
/** Cloudflare's own estimate: a query takes a millisecond, so a database handles a thousand per second. */
const assumedMsPerStatement = 1;

export const printReport = ({ users, isolates }: ReportOptions, outcome: DayOutcome): void => {
  const kinds = totalByKind(outcome.usage);
  printTrips(kinds);
  printDatabases(outcome);
  const trips = tripsOfBusiestHour(users);
  const measured = computeServiceTimes(kinds, ({ sqlMilliseconds, trips: count }) => sqlMilliseconds / count);
  const assumed = computeServiceTimes(
    kinds,
    ({ statements, trips: count }) => (assumedMsPerStatement * statements) / count,
  );
  for (const [name, services] of Object.entries({
    'measured SQL time': measured,
    'a millisecond a statement': assumed,
  })) {
    console.log(`\nthe busiest database in the busiest hour, ${name}: utilisation, median and p99 in ms`);
    console.log(row(['people', ...databaseCounts.map((databases) => `${databases} database(s)`)]));
    for (const factor of times) {
      const cells = databaseCounts.map((databases) => {
        const queueStats = simulateBusiestDatabase(trips, { times: factor, databases, isolates, services });
        return queueStats.utilisation >= 1
          ? `${percent(queueStats.utilisation)} never`
          : `${percent(queueStats.utilisation)} ${queueStats.median.toFixed(2)} ${queueStats.p99.toFixed(2)}`;
      });
      console.log(row([(users * factor).toLocaleString('en-US'), ...cells]));
    }
  }
  console.log(`\nthe day took ${Math.round(outcome.seconds)} s`);
};

const printTrips = (kinds: Readonly<Record<string, DatabaseUsage>>): void => {
  console.log(row(['\ntrips', 'count', 'statements', 'rows read', 'rows written', 'SQL ms a trip']));
  for (const [kind, usage] of Object.entries(kinds)) {
    const figures = [usage.trips, usage.statements, usage.rowsRead, usage.rowsWritten];
    const each = (usage.sqlMilliseconds / usage.trips).toFixed(3);
    console.log(row([kind, ...figures.map((figure) => figure.toLocaleString('en-US')), each]));
  }
};

const printDatabases = ({ counts, usage }: DayOutcome): void => {
  console.log(row(['\ndatabase', 'users', 'MB', 'bytes a user', 'trips', 'SQL s']));
  for (const [index, { users, bytes }] of counts.entries()) {
    const own = Object.values(usage[index] ?? {});
    const trips = own.reduce((sum, one) => sum + one.trips, 0);
    const sql = own.reduce((sum, one) => sum + one.sqlMilliseconds, 0) / 1000;
    const cells = [users.toLocaleString('en-US'), (bytes / 1e6).toFixed(1), (bytes / users).toFixed(0)];
    console.log(row([String(index), ...cells, trips.toLocaleString('en-US'), sql.toFixed(1)]));
  }
};

const totalByKind = (usage: DayOutcome['usage']): Readonly<Record<string, DatabaseUsage>> => {
  const total: Record<string, DatabaseUsage> = {};
  for (const [kind, one] of usage.flatMap((database) => Object.entries(database))) {
    const before = total[kind];
    total[kind] = before === undefined ? one : sum(before, one);
  }
  return total;
};

const sum = (one: DatabaseUsage, other: DatabaseUsage): DatabaseUsage => ({
  trips: one.trips + other.trips,
  statements: one.statements + other.statements,
  rowsRead: one.rowsRead + other.rowsRead,
  rowsWritten: one.rowsWritten + other.rowsWritten,
  sqlMilliseconds: one.sqlMilliseconds + other.sqlMilliseconds,
});

const computeServiceTimes = (
  kinds: Readonly<Record<string, DatabaseUsage>>,
  service: (usage: DatabaseUsage) => number,
): ServiceTimes => Object.fromEntries(Object.entries(kinds).map(([kind, usage]) => [kind, service(usage)]));

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(18)).join('');
