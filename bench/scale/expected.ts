/** What must lie in the databases when the day is over, by the model alone. */
import { isNewUser, signsOutToday, simulateVisits } from './day/visits.ts';
import type { TableCounts } from './worker/count-rows.ts';

/** Says in a sentence each what was lost, doubled or misplaced. */
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
    // Who was there before has a point already.
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

/** Second of the day: from then on nobody needs the grant of somebody who signed out. */
const computeAccessExpiry = (number: number): number =>
  (simulateVisits(number).at(-1)?.[0]?.second ?? 0) + accessTokenLifetime;
