/** Prints the figures of docs/explanation/scale.md as tables. */
import { listTripsOfBusiestHour, type ServiceTimes, simulateBusiestHour } from './busiest-hour.ts';
import type { TripCosts } from './worker/batching-d1.ts';
import type { Outcome } from './worker/worker.ts';

/** The factors for the number of users that are compared. */
const factors = [1, 3, 5, 6, 10, 50];
/** Cloudflare's own estimate: a query takes a millisecond, so a database handles a thousand per second. */
const assumedMsPerStatement = 1;

export const printReport = (
  { users, isolates }: { readonly users: number; readonly isolates: number },
  { usage, counts }: Outcome,
): void => {
  printTrips(usage);
  console.log(`\n${(counts.bytes / 1e6).toFixed(1)} MB, ${(counts.bytes / users).toFixed(0)} bytes per user`);
  const serviceTimeModels = [
    computeServiceTimes(usage, ({ sqlMilliseconds, trips }) => sqlMilliseconds / trips),
    computeServiceTimes(usage, ({ statements, trips }) => (assumedMsPerStatement * statements) / trips),
  ];
  const trips = listTripsOfBusiestHour(users);
  console.log('\nthe busiest hour: utilization, median and p99 in ms');
  console.log(formatRow(['users', 'measured SQL time', '1 ms a statement']));
  for (const factor of factors) {
    const cells = serviceTimeModels.map((serviceTimes) => {
      const { utilization, median, p99 } = simulateBusiestHour(trips, { factor, isolates, serviceTimes });
      const percentage = `${(utilization * 100).toFixed(1)} %`;
      return utilization >= 1
        ? `${percentage} never`
        : `${percentage} ${median.toFixed(2)} ${p99.toFixed(2)}`;
    });
    console.log(formatRow([(users * factor).toLocaleString('en-US'), ...cells]));
  }
};

const printTrips = (usage: Outcome['usage']): void => {
  console.log('\nround trips');
  console.log(formatRow(['kind', 'count', 'statements', 'rows read', 'rows written', 'SQL ms per trip']));
  for (const [kind, { trips, statements, rowsRead, rowsWritten, sqlMilliseconds }] of Object.entries(usage)) {
    const figures = [trips, statements, rowsRead, rowsWritten].map((figure) =>
      figure.toLocaleString('en-US'),
    );
    console.log(formatRow([kind, ...figures, (sqlMilliseconds / trips).toFixed(3)]));
  }
};

const computeServiceTimes = (
  usage: Outcome['usage'],
  computeServiceTime: (costs: TripCosts) => number,
): ServiceTimes =>
  Object.fromEntries(Object.entries(usage).map(([kind, costs]) => [kind, computeServiceTime(costs)]));

const formatRow = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(20)).join('');
