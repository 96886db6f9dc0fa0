/** The figures of docs/scale.md, as tables. */
import { busiest, type ServiceTimes, tripsOfBusiestHour } from './busiest-hour.ts';
import type { DayOutcome } from './runner.ts';
import type { Spent } from './worker/gathering-d1.ts';

export interface ReportOptions {
  readonly users: number;
  readonly isolates: number;
}

/** How many databases are held side by side, and with how many times the people. */
const sideBySide = [1, 2, 4, 8];
const times = [1, 4, 10, 20, 50, 100];
/** What Cloudflare calculates with: a query takes a millisecond, so that there are a thousand in a second. */
const ruleOfThumb = 1;

export const printReport = ({ users, isolates }: ReportOptions, outcome: DayOutcome): void => {
  const kinds = totalByKind(outcome.spent);
  printTrips(kinds);
  printDatabases(outcome);
  const trips = tripsOfBusiestHour(users);
  const measured = servicesOf(kinds, ({ sqlMilliseconds, trips: count }) => sqlMilliseconds / count);
  const assumed = servicesOf(kinds, ({ statements, trips: count }) => (ruleOfThumb * statements) / count);
  for (const [name, services] of Object.entries({
    'measured SQL time': measured,
    'a millisecond a statement': assumed,
  })) {
    console.log(`\nthe busiest database in the busiest hour, ${name}: utilisation, median and p99 in ms`);
    console.log(row(['people', ...sideBySide.map((databases) => `${databases} database(s)`)]));
    for (const factor of times) {
      const cells = sideBySide.map((databases) => {
        const fate = busiest(trips, { times: factor, databases, isolates, services });
        return fate.utilisation >= 1
          ? `${percent(fate.utilisation)} never`
          : `${percent(fate.utilisation)} ${fate.median.toFixed(2)} ${fate.p99.toFixed(2)}`;
      });
      console.log(row([(users * factor).toLocaleString('en-US'), ...cells]));
    }
  }
  console.log(`\nthe day took ${Math.round(outcome.seconds)} s`);
};

const printTrips = (kinds: Readonly<Record<string, Spent>>): void => {
  console.log(row(['\ntrips', 'count', 'statements', 'rows read', 'rows written', 'SQL ms a trip']));
  for (const [kind, spent] of Object.entries(kinds)) {
    const figures = [spent.trips, spent.statements, spent.rowsRead, spent.rowsWritten];
    const each = (spent.sqlMilliseconds / spent.trips).toFixed(3);
    console.log(row([kind, ...figures.map((figure) => figure.toLocaleString('en-US')), each]));
  }
};

const printDatabases = ({ census, spent }: DayOutcome): void => {
  console.log(row(['\ndatabase', 'users', 'MB', 'bytes a user', 'trips', 'SQL s']));
  for (const [index, { users, bytes }] of census.entries()) {
    const own = Object.values(spent[index] ?? {});
    const trips = own.reduce((sum, one) => sum + one.trips, 0);
    const sql = own.reduce((sum, one) => sum + one.sqlMilliseconds, 0) / 1000;
    const cells = [users.toLocaleString('en-US'), (bytes / 1e6).toFixed(1), (bytes / users).toFixed(0)];
    console.log(row([String(index), ...cells, trips.toLocaleString('en-US'), sql.toFixed(1)]));
  }
};

const totalByKind = (spent: DayOutcome['spent']): Readonly<Record<string, Spent>> => {
  const total: Record<string, Spent> = {};
  for (const [kind, one] of spent.flatMap((database) => Object.entries(database))) {
    const before = total[kind];
    total[kind] = before === undefined ? one : sum(before, one);
  }
  return total;
};

const sum = (one: Spent, other: Spent): Spent => ({
  trips: one.trips + other.trips,
  statements: one.statements + other.statements,
  rowsRead: one.rowsRead + other.rowsRead,
  rowsWritten: one.rowsWritten + other.rowsWritten,
  sqlMilliseconds: one.sqlMilliseconds + other.sqlMilliseconds,
});

const servicesOf = (
  kinds: Readonly<Record<string, Spent>>,
  service: (spent: Spent) => number,
): ServiceTimes => Object.fromEntries(Object.entries(kinds).map(([kind, spent]) => [kind, service(spent)]));

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(18)).join('');
