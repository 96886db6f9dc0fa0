/**
 * What each user does on the simulated day. All assumptions about users are in this file; docs/scale.md
 * repeats them.
 */
import { createRandomSource, type RandomSource } from './person.ts';

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
const hours = [5, 3, 2, 2, 2, 3, 5, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 18, 21, 22, 22, 16, 10];
const allHours = hours.reduce((sum, weight) => sum + weight, 0);

export const busiestHour = hours.indexOf(Math.max(...hours));
const secondsInHour = 3600;

export const isNewUser = (number: number): boolean => number % (activeOneIn * newUserOneIn) === 0;

/** Returns whether this user signs out today. */
export const signsOutToday = (number: number): boolean =>
  number % (activeOneIn * signOutOneIn) === 2 * activeOneIn;

/** Returns the visits of a user, earliest first. */
export const simulateVisits = (number: number): readonly Visit[] => {
  if (number % activeOneIn !== 0) return [];
  const random = createRandomSource(number ^ 0x5bd1e995);
  const starts = Array.from({ length: visitCount(random) }, () => pickStart(random)).sort((a, b) => a - b);
  let recheckAfter = 0;
  return starts.map((start, index) => {
    const entrance =
      index === 0 && isNewUser(number) ? signIn : start < recheckAfter ? refresh : refreshAndRecheck;
    if (entrance === refreshAndRecheck) recheckAfter = start + 1 + recheckInterval;
    const exit = index === starts.length - 1 && signsOutToday(number) ? signOut : [];
    return steps(start, [...entrance, ...rounds(random), ...exit]);
  });
};

/** Returns the hour in which a visit begins. */
export const hourOf = (visit: Visit): number => Math.floor((visit[0]?.second ?? 0) / secondsInHour);

const signIn: readonly TripKind[] = ['sign-in', 'redeem'];
const refresh: readonly TripKind[] = ['refresh'];
const refreshAndRecheck: readonly TripKind[] = ['refresh', 'recheck'];
const signOut: readonly TripKind[] = ['sign-out'];

const visitCount = (random: RandomSource): number => {
  const randomValue = random();
  const [once = 0, twice = 0] = visitShares;
  if (randomValue < once) return 1;
  return randomValue < once + twice ? 2 : 3;
};

const pickStart = (random: RandomSource): number => {
  let randomValue = random() * allHours;
  const hour = hours.findIndex((weight) => {
    randomValue -= weight;
    return randomValue < 0;
  });
  return Math.max(hour, 0) * secondsInHour + Math.floor(random() * secondsInHour);
};

const rounds = (random: RandomSource): readonly TripKind[] => {
  const kinds: TripKind[] = ['point'];
  while (random() < nextRoundProbability) kinds.push('point');
  if (random() * scoreReadOneIn < 1) kinds.push('read');
  return kinds;
};

const steps = (start: number, kinds: readonly TripKind[]): Visit => {
  let second = start;
  return kinds.map((kind) => {
    const step = { kind, second };
    second += kind === 'point' ? secondsPerRound : 1;
    return step;
  });
};
