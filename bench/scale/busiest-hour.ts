/**
 * Simulates the busiest hour of the day with single-threaded databases, from the model's arrivals and
 * measured service times.
 */
import { createRandomSource, createSimulatedUser } from './day/person.ts';
import { type QueueStats, simulateQueue } from './day/queue.ts';
import { busiestHour, hourOf, simulateVisits } from './day/visits.ts';
import { findDatabase } from './sharding/buckets.ts';

/** How long a round trip keeps a database busy, in milliseconds, by kind. */
export type ServiceTimes = Readonly<Record<string, number>>;

export interface Trips {
  /** The user of each round trip. */
  readonly userIds: readonly string[];
  readonly kinds: readonly string[];
}

export interface Load {
  /** The factor for the number of simulated users. */
  readonly times: number;
  readonly databases: number;
  /** The number of isolates that poll every database for revocations, every ten seconds. */
  readonly isolates: number;
  readonly services: ServiceTimes;
}

const hour = 3_600_000;
const pollIntervalMs = 10_000;
/** Every ten minutes, an isolate reads all unexpired revocations, and not only the new ones. */
const fullReadEvery = 60;

/** Returns all round trips of visits that begin in the busiest hour. */
export const tripsOfBusiestHour = (users: number): Trips => {
  const [userIds, kinds]: [string[], string[]] = [[], []];
  for (let number = 0; number < users; number++) {
    for (const visit of simulateVisits(number)) {
      if (hourOf(visit) !== busiestHour) continue;
      const { userId } = createSimulatedUser(number);
      for (const { kind } of visit) {
        userIds.push(userId);
        kinds.push(kind);
      }
    }
  }
  return { userIds, kinds };
};

/** Simulates every database, and returns the result of the one with the highest utilization. */
export const simulateBusiestDatabase = ({ userIds, kinds }: Trips, load: Load): QueueStats => {
  const trips = Array.from({ length: load.databases }, (): string[] => []);
  for (const [index, kind] of kinds.entries()) {
    const own = trips[findDatabase(userIds[index] ?? '', load.databases)];
    for (let copy = 0; copy < load.times; copy++) own?.push(kind);
  }
  const results = trips.map((own, index) => simulateQueueHour(own, load, index));
  return results.reduce((worst, one) => (one.utilisation > worst.utilisation ? one : worst));
};

/**
 * The users' round trips arrive at random times within the hour. Isolates poll at intervals, each from its
 * own random start.
 */
const simulateQueueHour = (
  kinds: readonly string[],
  { services, isolates }: Load,
  seed: number,
): QueueStats => {
  const { newRevocations = Number.NaN, allRevocations = Number.NaN } = services;
  const random = createRandomSource(seed);
  const polls = isolates * (hour / pollIntervalMs);
  const arrivals = new Float64Array(kinds.length + polls);
  const times = new Float64Array(kinds.length + polls).fill(newRevocations);
  for (const [index, kind] of kinds.entries()) {
    arrivals[index] = random() * hour;
    times[index] = services[kind] ?? Number.NaN;
  }
  for (let poll = 0; poll < polls; poll++) {
    const [isolate, turn] = [poll % isolates, Math.floor(poll / isolates)];
    arrivals[kinds.length + poll] = createRandomSource(isolate)() * pollIntervalMs + turn * pollIntervalMs;
    if (turn % fullReadEvery === 0) times[kinds.length + poll] = allRevocations;
  }
  return simulateQueue(arrivals, times, hour);
};
