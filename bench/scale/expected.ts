/** Computes from the model what the databases must contain at the end of the day, and compares. */
import { isNewUser, signsOutToday, simulateVisits } from './day/visits.ts';
import type { TableCounts } from './worker/count-rows.ts';

/** Returns a sentence for each count that differs from the expected one. */
export const findDifferences = (users: number, counts: readonly TableCounts[]): readonly string[] => {
  const expectedCounts = expected(users);
  return counted.flatMap((what) => {
    const found = counts.reduce((sum, one) => sum + one[what], 0);
    return found === expectedCounts[what] ? [] : [`${what}: ${found} instead of ${expectedCounts[what]}`];
  });
};

const counted = ['users', 'identities', 'grants', 'ended', 'scores', 'points', 'misplacedRows'] as const;

const expected = (users: number): Readonly<Record<(typeof counted)[number], number>> => {
  let [ended, cleanedUp, points] = [0, 0, 0];
  for (let number = 0; number < users; number++) {
    if (signsOutToday(number)) ended += 1;
    if (signsOutToday(number) && computeAccessExpiry(number) <= day) cleanedUp += 1;
    // Users from before the day already have a point.
    if (!isNewUser(number)) points += 1;
    points += simulateVisits(number)
      .flat()
      .filter(({ kind }) => kind === 'point').length;
  }
  const [grants, left] = [users - cleanedUp, ended - cleanedUp];
  return { users, identities: users, grants, ended: left, scores: users, points, misplacedRows: 0 };
};

const day = 86_400;
const accessTokenLifetime = 1800;

/** The second of the day from which the grant of a user who signed out is no longer needed. */
const computeAccessExpiry = (number: number): number =>
  (simulateVisits(number).at(-1)?.[0]?.second ?? 0) + accessTokenLifetime;
