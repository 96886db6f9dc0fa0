/** What everybody does on the day. All assumptions about people stand here; docs/scale.md repeats them. */
import { createRandomSource, type RandomSource } from './person.ts';

/** A trip to the database, by what it is for. */
type TripKind = 'sign-in' | 'redeem' | 'refresh' | 'recheck' | 'point' | 'read' | 'sign-out';

export interface Step {
  readonly kind: TripKind;
  /** Second of the day. */
  readonly second: number;
}

/** One visit: its steps in their order. */
export type Visit = readonly Step[];

/** One in so many comes today. */
const activeOneIn = 4;
/** One in so many of those signs in for the first time; everybody else did on some day before. */
const newUserOneIn = 50;
/** One in so many of those ends the last visit by signing out. */
const signOutOneIn = 500;
/** How long a provider's word counts, in seconds; after that a refresh asks again, and records the answer. */
export const recheckInterval = 600;
/** How many visits a person makes, by share: three quarters come once. */
const visitShares = [0.75, 0.2, 0.05];
/** After every round the next one follows with this probability: two and a half rounds in the mean. */
const nextRoundProbability = 0.6;
/** One in so many asks for the score at the end of a visit. */
const scoreReadOneIn = 4;
/** Seconds from one won round to the next. */
const secondsPerRound = 90;

/** How busy the hours are beside each other; the evening is twice the mean. */
const hours = [5, 3, 2, 2, 2, 3, 5, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 18, 21, 22, 22, 16, 10];
const allHours = hours.reduce((sum, weight) => sum + weight, 0);

export const busiestHour = hours.indexOf(Math.max(...hours));
const secondsInHour = 3600;

export const isNewUser = (number: number): boolean => number % (activeOneIn * newUserOneIn) === 0;

/** Whether this person ends the day signed out. */
export const signsOutToday = (number: number): boolean =>
  number % (activeOneIn * signOutOneIn) === 2 * activeOneIn;

/** Gives the visits of a person, the earliest first. */
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

/** The hour in which a visit begins. */
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
