/** What must lie in the databases when the day is over, by the model alone. */
import { isLeaver, isNewcomer, visitsOf } from './day/visits.ts';
import type { Census } from './worker/census.ts';

/** Says in a sentence each what was lost, doubled or misplaced. */
export const differences = (users: number, census: readonly Census[]): readonly string[] => {
  const due = expected(users);
  return counted.flatMap((what) => {
    const found = census.reduce((sum, one) => sum + one[what], 0);
    return found === due[what] ? [] : [`${what}: ${found} instead of ${due[what]}`];
  });
};

const counted = ['users', 'identities', 'grants', 'ended', 'scores', 'points', 'strays'] as const;

const expected = (users: number): Readonly<Record<(typeof counted)[number], number>> => {
  let [ended, swept, points] = [0, 0, 0];
  for (let number = 0; number < users; number++) {
    if (isLeaver(number)) ended += 1;
    if (isLeaver(number) && accessDies(number) <= day) swept += 1;
    // Who was there before has a point already.
    if (!isNewcomer(number)) points += 1;
    points += visitsOf(number)
      .flat()
      .filter(({ kind }) => kind === 'point').length;
  }
  const [grants, left] = [users - swept, ended - swept];
  return { users, identities: users, grants, ended: left, scores: users, points, strays: 0 };
};

const day = 86_400;
const accessLife = 1800;

/** Second of the day: from then on nobody needs the grant of somebody who signed out. */
const accessDies = (number: number): number => (visitsOf(number).at(-1)?.[0]?.second ?? 0) + accessLife;
