/**
 * The model of the simulated day: the users, what each of them does, and what the database must contain at the
 * end. All assumptions about users are in this file; docs/explanation/scale.md repeats them.
 */
import {
  hintCost,
  keptRounds,
  maxPoints,
  pointsPerWin,
  wrongGuessCost,
} from '../../apps/words/src/game/scoring.ts';

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

/** A step of a round: the start, a letter, a hint, or the word. */
export type RoundStep = 'start' | 'correct-letter' | 'wrong-letter' | 'hint' | 'win';

/** The purpose of a round trip to the database. */
type TripKind = 'sign-in' | 'redeem' | 'refresh' | 'recheck' | RoundStep | 'read' | 'sign-out';

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
/** Every round is won, and has these steps at equal intervals. */
export const roundSteps: readonly RoundStep[] = [
  'start',
  'correct-letter',
  'wrong-letter',
  'correct-letter',
  'wrong-letter',
  'correct-letter',
  'hint',
  'wrong-letter',
  'correct-letter',
  'win',
];

/** Returns how many steps of this kind a round has. */
export const countStepsOfRound = (kind: RoundStep): number =>
  roundSteps.filter((step) => step === kind).length;

/** The points for a round. */
export const pointsPerRound =
  maxPoints - hintCost * countStepsOfRound('hint') - wrongGuessCost * countStepsOfRound('wrong-letter');

/** Seconds from the start of one round to the start of the next. */
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

/** The users, and what they have at the start of the day. */
export interface Population {
  readonly users: number;
  /** The rounds of each user, except of those who sign in for the first time today. All of them are won. */
  readonly roundsPerUser: number;
}

/** The number of rows, and the sums of what the users have achieved, in the database. */
export interface DatabaseCounts {
  readonly users: number;
  readonly identities: number;
  readonly grants: number;
  readonly revokedGrants: number;
  /** The rounds that are stored, and how many of them were won. */
  readonly rounds: number;
  readonly storedWins: number;
  /** The rows of the table `scores`, and the sums of its columns. */
  readonly scores: number;
  readonly wordsGuessed: number;
  readonly points: number;
  readonly roundsStarted: number;
  readonly roundsWon: number;
  readonly bytes: number;
}

/** Returns a sentence for each count that differs from what the model expects at the end of the day. */
export const findDifferences = (population: Population, counts: DatabaseCounts): readonly string[] => {
  const expected = computeExpectedCounts(population);
  return comparedCounts.flatMap((name) =>
    counts[name] === expected[name] ? [] : [`${name}: ${counts[name]} instead of ${expected[name]}`],
  );
};

const comparedCounts = [
  'users',
  'identities',
  'grants',
  'revokedGrants',
  'rounds',
  'storedWins',
  'scores',
  'wordsGuessed',
  'points',
  'roundsStarted',
  'roundsWon',
] as const;

const computeExpectedCounts = ({ users, roundsPerUser }: Population): Omit<DatabaseCounts, 'bytes'> => {
  let [revoked, cleanedUp, started, won, kept] = [0, 0, 0, 0, 0];
  for (let number = 0; number < users; number++) {
    if (signsOutToday(number)) revoked += 1;
    if (signsOutToday(number) && computeAccessExpiry(number) + cleanupMargin <= secondsInDay) cleanedUp += 1;
    const earlier = isNewUser(number) ? 0 : roundsPerUser;
    const kinds = simulateVisits(number).flatMap((visit) => visit.map(({ kind }) => kind));
    const startedToday = kinds.filter((kind) => kind === 'start').length;
    started += earlier + startedToday;
    won += earlier + kinds.filter((kind) => kind === 'win').length;
    kept += Math.min(earlier + startedToday, keptRounds);
  }
  return {
    users,
    identities: users,
    grants: users - cleanedUp,
    revokedGrants: revoked - cleanedUp,
    rounds: kept,
    storedWins: kept,
    scores: users,
    wordsGuessed: won * pointsPerWin,
    points: won * pointsPerRound,
    roundsStarted: started,
    roundsWon: won,
  };
};

const secondsInDay = 86_400;
const accessTokenLifetime = 1800;
/** How long the cleanup keeps a grant that is no longer needed, in seconds. */
const cleanupMargin = 300;

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
  const kinds: TripKind[] = [...roundSteps];
  while (random() < nextRoundProbability) kinds.push(...roundSteps);
  if (random() * scoreReadOneIn < 1) kinds.push('read');
  return kinds;
};

const isRoundStep = (kind: TripKind): boolean => roundSteps.some((step) => step === kind);

const scheduleSteps = (start: number, kinds: readonly TripKind[]): Visit => {
  let second = start;
  return kinds.map((kind) => {
    const step = { kind, second };
    second += isRoundStep(kind) ? secondsPerRound / roundSteps.length : 1;
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
