/**
 * The model of the simulated day: the users, what each of them does, and what the database must contain at the
 * end. All assumptions about users are in this file; docs/scale.md repeats them.
 */

/** A user. It is generated from its number, so it is always the same. */
export interface SimulatedUser {
  readonly number: number;
  readonly provider: string;
  readonly subject: string;
  readonly userId: string;
  readonly grantId: string;
}

/** Creates a user whose IDs are as long and as random as the broker's. */
export const createSimulatedUser = (number: number): SimulatedUser => {
  const random = createRandomSource(number);
  const subject = `1${generateDigits(random)}${generateDigits(random)}`;
  return { number, provider: 'google', subject, userId: generateId(random), grantId: generateId(random) };
};

/** The purpose of a round trip to the database. */
type TripKind = 'sign-in' | 'redeem' | 'refresh' | 'recheck' | 'point' | 'read' | 'sign-out';

export interface Step {
  readonly kind: TripKind;
  /** The second of the day. */
  readonly second: number;
}

/** A visit: its steps in order. */
export type Visit = readonly Step[];

/** One in this number of users is active today. */
const activeOneIn = 4;
/** One in this number of active users signs in for the first time. All others did on an earlier day. */
const newUserOneIn = 50;
/** One in this number of active users signs out at the end of the last visit. */
const signOutOneIn = 500;
/**
 * How long a recheck result is valid, in seconds. After that, a refresh rechecks the identity and records the
 * result.
 */
export const recheckInterval = 600;
/** The shares of users with one, two and three visits: three quarters have one. */
const visitShares = [0.75, 0.2, 0.05];
/** The probability that another round follows a round: 2.5 rounds on average. */
const nextRoundProbability = 0.6;
/** At the end of one in this number of visits, the score is read. */
const scoreReadOneIn = 4;
/** Seconds from one won round to the next. */
const secondsPerRound = 90;

/** The relative load of the hours. The evening has about twice the average. */
const hourWeights = [5, 3, 2, 2, 2, 3, 5, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 18, 21, 22, 22, 16, 10];
const totalWeight = hourWeights.reduce((sum, weight) => sum + weight, 0);

export const busiestHour = hourWeights.indexOf(Math.max(...hourWeights));
const secondsInHour = 3600;

export const isNewUser = (number: number): boolean => number % (activeOneIn * newUserOneIn) === 0;

/** Returns whether this user signs out today. */
const signsOutToday = (number: number): boolean => number % (activeOneIn * signOutOneIn) === 2 * activeOneIn;

/** Returns the visits of a user, earliest first. */
export const simulateVisits = (number: number): readonly Visit[] => {
  if (number % activeOneIn !== 0) return [];
  const random = createRandomSource(number ^ 0x5bd1e995);
  const starts = Array.from({ length: pickVisitCount(random) }, () => pickStart(random)).sort(
    (a, b) => a - b,
  );
  let recheckAfter = 0;
  return starts.map((start, index) => {
    const firstSteps =
      index === 0 && isNewUser(number) ? signIn : start < recheckAfter ? refresh : refreshAndRecheck;
    if (firstSteps === refreshAndRecheck) recheckAfter = start + 1 + recheckInterval;
    const lastSteps = index === starts.length - 1 && signsOutToday(number) ? signOut : [];
    return scheduleSteps(start, [...firstSteps, ...simulateRounds(random), ...lastSteps]);
  });
};

/** Returns the hour in which a visit begins. */
export const getHour = (visit: Visit): number => Math.floor((visit[0]?.second ?? 0) / secondsInHour);

/** The number of rows, and the sum of the scores, in the database. */
export interface DatabaseCounts {
  readonly users: number;
  readonly identities: number;
  readonly grants: number;
  readonly revokedGrants: number;
  readonly scores: number;
  readonly points: number;
  readonly bytes: number;
}

/** Returns a sentence for each count that differs from what the model expects at the end of the day. */
export const findDifferences = (users: number, counts: DatabaseCounts): readonly string[] => {
  const expected = computeExpectedCounts(users);
  return comparedCounts.flatMap((name) =>
    counts[name] === expected[name] ? [] : [`${name}: ${counts[name]} instead of ${expected[name]}`],
  );
};

const comparedCounts = ['users', 'identities', 'grants', 'revokedGrants', 'scores', 'points'] as const;

const computeExpectedCounts = (users: number): Omit<DatabaseCounts, 'bytes'> => {
  let [revoked, cleanedUp, points] = [0, 0, 0];
  for (let number = 0; number < users; number++) {
    if (signsOutToday(number)) revoked += 1;
    if (signsOutToday(number) && computeAccessExpiry(number) <= secondsInDay) cleanedUp += 1;
    // Users from before the day already have a point.
    if (!isNewUser(number)) points += 1;
    points += simulateVisits(number)
      .flat()
      .filter(({ kind }) => kind === 'point').length;
  }
  return {
    users,
    identities: users,
    grants: users - cleanedUp,
    revokedGrants: revoked - cleanedUp,
    scores: users,
    points,
  };
};

const secondsInDay = 86_400;
const accessTokenLifetime = 1800;

/** The second of the day from which the grant of a user who signed out is no longer needed. */
const computeAccessExpiry = (number: number): number =>
  (simulateVisits(number).at(-1)?.[0]?.second ?? 0) + accessTokenLifetime;

const signIn: readonly TripKind[] = ['sign-in', 'redeem'];
const refresh: readonly TripKind[] = ['refresh'];
const refreshAndRecheck: readonly TripKind[] = ['refresh', 'recheck'];
const signOut: readonly TripKind[] = ['sign-out'];

const pickVisitCount = (random: RandomSource): number => {
  const randomValue = random();
  const [oneVisitShare = 0, twoVisitsShare = 0] = visitShares;
  if (randomValue < oneVisitShare) return 1;
  return randomValue < oneVisitShare + twoVisitsShare ? 2 : 3;
};

const pickStart = (random: RandomSource): number => {
  let randomValue = random() * totalWeight;
  const hour = hourWeights.findIndex((weight) => {
    randomValue -= weight;
    return randomValue < 0;
  });
  return Math.max(hour, 0) * secondsInHour + Math.floor(random() * secondsInHour);
};

const simulateRounds = (random: RandomSource): readonly TripKind[] => {
  const kinds: TripKind[] = ['point'];
  while (random() < nextRoundProbability) kinds.push('point');
  if (random() * scoreReadOneIn < 1) kinds.push('read');
  return kinds;
};

const scheduleSteps = (start: number, kinds: readonly TripKind[]): Visit => {
  let second = start;
  return kinds.map((kind) => {
    const step = { kind, second };
    second += kind === 'point' ? secondsPerRound : 1;
    return step;
  });
};

/** Returns numbers from 0 (inclusive) to 1 (exclusive), the same for the same seed. */
export type RandomSource = () => number;

export const createRandomSource = (seed: number): RandomSource => {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const generateDigits = (random: RandomSource): string =>
  Math.floor(random() * 1e10)
    .toString()
    .padStart(10, '0');

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const generateId = (random: RandomSource): string =>
  Array.from({ length: 22 }, () => alphabet.charAt(random() * 64)).join('');
