/**
 * Simulates the busiest hour of the day at one database, which serves one round trip after the other in a
 * single thread. The number of round trips comes from the model, and their service times were measured.
 */
import { busiestHour, createRandomSource, getHour, simulateVisits } from './day.ts';

/** How long a round trip keeps the database busy, in milliseconds, by kind. */
export type ServiceTimes = Readonly<Record<string, number>>;

export interface SimulatedLoad {
  /** The factor for the number of simulated users. */
  readonly factor: number;
  /** The number of isolates that poll the database for revocations, every ten seconds. */
  readonly isolates: number;
  readonly serviceTimes: ServiceTimes;
}

export interface QueueStats {
  /** The share of the time in which the thread was busy. With 1 or more, it never catches up. */
  readonly utilization: number;
  /** Milliseconds from the arrival of a round trip until it was served. */
  readonly median: number;
  readonly p99: number;
}

/**
 * Serves round trips in the order of their arrival.
 * @param arrivals milliseconds, in any order
 * @param serviceTimes milliseconds that each round trip keeps the thread busy
 * @param span milliseconds in which they all arrive
 */
export const simulateQueue = (
  arrivals: Float64Array,
  serviceTimes: Float64Array,
  span: number,
): QueueStats => {
  const utilization = serviceTimes.reduce((sum, serviceTime) => sum + serviceTime, 0) / span;
  if (utilization >= 1)
    return { utilization, median: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY };
  const order = Uint32Array.from(arrivals.keys()).sort(
    (one, other) => (arrivals[one] ?? 0) - (arrivals[other] ?? 0),
  );
  const responseTimes = new Float64Array(arrivals.length);
  let freeAt = 0;
  for (const [position, index] of order.entries()) {
    const [arrival, serviceTime] = [arrivals[index] ?? 0, serviceTimes[index] ?? 0];
    freeAt = Math.max(freeAt, arrival) + serviceTime;
    responseTimes[position] = freeAt - arrival;
  }
  responseTimes.sort();
  const quantile = (share: number): number =>
    responseTimes[Math.floor((responseTimes.length - 1) * share)] ?? 0;
  return { utilization, median: quantile(0.5), p99: quantile(0.99) };
};

const hour = 3_600_000;
const pollIntervalMs = 10_000;
/** Every ten minutes, an isolate reads all unexpired revocations, and not only the new ones. */
const pollsPerFullRead = 60;

/** Returns the kinds of all round trips of visits that begin in the busiest hour. */
export const listTripsOfBusiestHour = (users: number): readonly string[] =>
  Array.from({ length: users }, (_, number) => simulateVisits(number).filter(isInBusiestHour))
    .flat(2)
    .map(({ kind }) => kind);

const isInBusiestHour = (visit: Parameters<typeof getHour>[0]): boolean => getHour(visit) === busiestHour;

/**
 * Serves the round trips and the isolates' reads. The round trips arrive at random times within the hour.
 * Isolates poll at intervals, each from its own random start.
 */
export const simulateBusiestHour = (
  trips: readonly string[],
  { factor, serviceTimes, isolates }: SimulatedLoad,
): QueueStats => {
  const { newRevocations = Number.NaN, allRevocations = Number.NaN } = serviceTimes;
  const random = createRandomSource(0);
  const polls = isolates * (hour / pollIntervalMs);
  const tripCount = trips.length * factor;
  const arrivals = new Float64Array(tripCount + polls);
  const durations = new Float64Array(tripCount + polls).fill(newRevocations);
  for (let trip = 0; trip < tripCount; trip++) {
    arrivals[trip] = random() * hour;
    durations[trip] = serviceTimes[trips[trip % trips.length] ?? ''] ?? Number.NaN;
  }
  for (let poll = 0; poll < polls; poll++) {
    const [isolate, pollNumber] = [poll % isolates, Math.floor(poll / isolates)];
    arrivals[tripCount + poll] = createRandomSource(isolate)() * pollIntervalMs + pollNumber * pollIntervalMs;
    if (pollNumber % pollsPerFullRead === 0) durations[tripCount + poll] = allRevocations;
  }
  return simulateQueue(arrivals, durations, hour);
};
