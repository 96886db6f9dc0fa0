/**
 * Simulates the busiest hour of the day at one database, which serves one round trip after the other in a
 * single thread. The number of round trips comes from the model, and their service times were measured.
 */
import { busiestHour, createRandomSource, hourOf, simulateVisits } from './day.ts';

/** How long a round trip keeps the database busy, in milliseconds, by kind. */
export type ServiceTimes = Readonly<Record<string, number>>;

export interface Load {
  /** The factor for the number of simulated users. */
  readonly times: number;
  /** The number of isolates that poll the database for revocations, every ten seconds. */
  readonly isolates: number;
  readonly services: ServiceTimes;
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
 * @param services milliseconds that each round trip keeps the thread busy
 * @param span milliseconds in which they all arrive
 */
export const simulateQueue = (arrivals: Float64Array, services: Float64Array, span: number): QueueStats => {
  const utilization = services.reduce((sum, service) => sum + service, 0) / span;
  if (utilization >= 1)
    return { utilization, median: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY };
  const order = Uint32Array.from(arrivals.keys()).sort(
    (one, other) => (arrivals[one] ?? 0) - (arrivals[other] ?? 0),
  );
  const taken = new Float64Array(arrivals.length);
  let free = 0;
  for (const [turn, index] of order.entries()) {
    const [arrival, service] = [arrivals[index] ?? 0, services[index] ?? 0];
    free = Math.max(free, arrival) + service;
    taken[turn] = free - arrival;
  }
  taken.sort();
  const at = (share: number): number => taken[Math.floor((taken.length - 1) * share)] ?? 0;
  return { utilization, median: at(0.5), p99: at(0.99) };
};

const hour = 3_600_000;
const pollIntervalMs = 10_000;
/** Every ten minutes, an isolate reads all unexpired revocations, and not only the new ones. */
const fullReadEvery = 60;

/** Returns the kinds of all round trips of visits that begin in the busiest hour. */
export const listTripsOfBusiestHour = (users: number): readonly string[] =>
  Array.from({ length: users }, (_, number) => simulateVisits(number).filter(isInBusiestHour))
    .flat(2)
    .map(({ kind }) => kind);

const isInBusiestHour = (visit: Parameters<typeof hourOf>[0]): boolean => hourOf(visit) === busiestHour;

/**
 * Serves the round trips and the isolates' reads. The round trips arrive at random times within the hour.
 * Isolates poll at intervals, each from its own random start.
 */
export const simulateBusiestHour = (
  trips: readonly string[],
  { times, services, isolates }: Load,
): QueueStats => {
  const { newRevocations = Number.NaN, allRevocations = Number.NaN } = services;
  const random = createRandomSource(0);
  const polls = isolates * (hour / pollIntervalMs);
  const tripCount = trips.length * times;
  const arrivals = new Float64Array(tripCount + polls);
  const durations = new Float64Array(tripCount + polls).fill(newRevocations);
  for (let trip = 0; trip < tripCount; trip++) {
    arrivals[trip] = random() * hour;
    durations[trip] = services[trips[trip % trips.length] ?? ''] ?? Number.NaN;
  }
  for (let poll = 0; poll < polls; poll++) {
    const [isolate, turn] = [poll % isolates, Math.floor(poll / isolates)];
    arrivals[tripCount + poll] = createRandomSource(isolate)() * pollIntervalMs + turn * pollIntervalMs;
    if (turn % fullReadEvery === 0) durations[tripCount + poll] = allRevocations;
  }
  return simulateQueue(arrivals, durations, hour);
};
