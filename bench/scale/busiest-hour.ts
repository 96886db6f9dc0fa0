/** The busiest hour of the day, at databases that are single threads: from the model's arrivals and measured service times. */
import { createRandomSource, createSimulatedUser } from './day/person.ts';
import { type QueueStats, simulateQueue } from './day/queue.ts';
import { busiestHour, hourOf, simulateVisits } from './day/visits.ts';
import { findDatabase } from './sharding/buckets.ts';

/** Milliseconds that a trip keeps a database busy, by kind. */
export type ServiceTimes = Readonly<Record<string, number>>;

export interface Trips {
  /** Of whom each trip is. */
  readonly userIds: readonly string[];
  readonly kinds: readonly string[];
}

export interface Load {
  /** How many times the simulated people come. */
  readonly times: number;
  readonly databases: number;
  /** How many isolates ask every database for revocations, every ten seconds. */
  readonly isolates: number;
  readonly services: ServiceTimes;
}

const hour = 3_600_000;
const pollIntervalMs = 10_000;
/** After ten minutes an isolate reads all that lives, not only news. */
const fullReadEvery = 60;

/** Gives all trips of visits that begin in the busiest hour. */
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

/** Tells how the busiest of the databases fares. */
export const simulateBusiestDatabase = ({ userIds, kinds }: Trips, load: Load): QueueStats => {
  const trips = Array.from({ length: load.databases }, (): string[] => []);
  for (const [index, kind] of kinds.entries()) {
    const own = trips[findDatabase(userIds[index] ?? '', load.databases)];
    for (let copy = 0; copy < load.times; copy++) own?.push(kind);
  }
  const results = trips.map((own, index) => simulateQueueHour(own, load, index));
  return results.reduce((worst, one) => (one.utilisation > worst.utilisation ? one : worst));
};

/** People come whenever they like within the hour; isolates ask at intervals, each from an instant of its own. */
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
