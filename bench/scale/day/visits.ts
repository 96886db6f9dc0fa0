/** What everybody does on the day. All assumptions about people stand here; docs/scale.md repeats them. */
import { createDice, type Dice } from './person.ts';

/** A trip to the database, by what it is for. */
type TripKind = 'sign-in' | 'redeem' | 'refresh' | 'check' | 'point' | 'read' | 'sign-out';

export interface Step {
  readonly kind: TripKind;
  /** Second of the day. */
  readonly second: number;
}

/** One visit: its steps in their order. */
export type Visit = readonly Step[];

/** One in so many comes today. */
const comerOneIn = 4;
/** One in so many of those signs in for the first time; everybody else did on some day before. */
const newcomerOneIn = 50;
/** One in so many of those ends the last visit by signing out. */
const leaverOneIn = 500;
/** How long a provider's word counts, in seconds; after that a refresh asks again, and records the answer. */
export const wordLasts = 600;
/** How many visits a person makes, by share: three quarters come once. */
const visitShares = [0.75, 0.2, 0.05];
/** After every round the next one follows with this probability: two and a half rounds in the mean. */
const anotherRound = 0.6;
/** One in so many asks for the score at the end of a visit. */
const askerOneIn = 4;
/** Seconds from one won round to the next. */
const roundLasts = 90;

/** How busy the hours are beside each other; the evening is twice the mean. */
const hours = [5, 3, 2, 2, 2, 3, 5, 8, 10, 11, 12, 13, 14, 13, 12, 12, 13, 15, 18, 21, 22, 22, 16, 10];
const allHours = hours.reduce((sum, weight) => sum + weight, 0);

export const busiestHour = hours.indexOf(Math.max(...hours));
const secondsInHour = 3600;

export const isNewcomer = (number: number): boolean => number % (comerOneIn * newcomerOneIn) === 0;

/** Whether this person ends the day signed out. */
export const isLeaver = (number: number): boolean => number % (comerOneIn * leaverOneIn) === 2 * comerOneIn;

/** Gives the visits of a person, the earliest first. */
export const visitsOf = (number: number): readonly Visit[] => {
  if (number % comerOneIn !== 0) return [];
  const dice = createDice(number ^ 0x5bd1e995);
  const starts = Array.from({ length: visitCount(dice) }, () => startOf(dice)).sort((a, b) => a - b);
  let askAfter = 0;
  return starts.map((start, index) => {
    const entrance = index === 0 && isNewcomer(number) ? signIn : start < askAfter ? refresh : refreshAndAsk;
    if (entrance === refreshAndAsk) askAfter = start + 1 + wordLasts;
    const exit = index === starts.length - 1 && isLeaver(number) ? leave : [];
    return steps(start, [...entrance, ...rounds(dice), ...exit]);
  });
};

/** The hour in which a visit begins. */
export const hourOf = (visit: Visit): number => Math.floor((visit[0]?.second ?? 0) / secondsInHour);

const signIn: readonly TripKind[] = ['sign-in', 'redeem'];
const refresh: readonly TripKind[] = ['refresh'];
const refreshAndAsk: readonly TripKind[] = ['refresh', 'check'];
const leave: readonly TripKind[] = ['sign-out'];

const visitCount = (dice: Dice): number => {
  const thrown = dice();
  const [once = 0, twice = 0] = visitShares;
  if (thrown < once) return 1;
  return thrown < once + twice ? 2 : 3;
};

const startOf = (dice: Dice): number => {
  let thrown = dice() * allHours;
  const hour = hours.findIndex((weight) => {
    thrown -= weight;
    return thrown < 0;
  });
  return Math.max(hour, 0) * secondsInHour + Math.floor(dice() * secondsInHour);
};

const rounds = (dice: Dice): readonly TripKind[] => {
  const kinds: TripKind[] = ['point'];
  while (dice() < anotherRound) kinds.push('point');
  if (dice() * askerOneIn < 1) kinds.push('read');
  return kinds;
};

const steps = (start: number, kinds: readonly TripKind[]): Visit => {
  let second = start;
  return kinds.map((kind) => {
    const step = { kind, second };
    second += kind === 'point' ? roundLasts : 1;
    return step;
  });
};
