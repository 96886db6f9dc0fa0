import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { simulateBusiestHour, simulateQueue } from '../busiest-hour.ts';
import { findDifferences, getHour, simulateVisits } from '../day.ts';
import { runMaintenance, simulateHour } from '../worker/simulation.ts';
import { countRows, createStores, insertPopulation } from '../worker/stores.ts';

describe('the model', () => {
  it('has visits in every hour of the day, and in no other', () => {
    const hours = new Set<number>();
    for (let number = 0; number < 1_000_000; number++)
      for (const visit of simulateVisits(number)) hours.add(getHour(visit));
    expect([...hours].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 24 }, (_, hour) => hour),
    );
  });
});

describe('a simulated day', () => {
  const users = 2400;
  const midnight = 1_800_057_600;
  const stores = createStores(env.DB);

  beforeAll(async () => {
    await applyD1Migrations(env.DB, env.MIGRATIONS);
    const slice = { from: 0, to: users, midnight };
    await insertPopulation(env.DB, slice);
    for (let hour = 0; hour < 24; hour++) {
      await simulateHour(stores, { ...slice, hour });
      await runMaintenance(stores, hour, midnight);
    }
  });

  it('leaves the rows that the model expects', async () => {
    const counts = await countRows(env.DB);
    expect(findDifferences(users, counts)).toEqual([]);
    expect(counts).toMatchObject({ users, identities: users, scores: users });
  });

  it('makes one round trip for every step of every visit', () => {
    const steps = Array.from({ length: users }, (_, number) => simulateVisits(number).flat()).flat();
    const usage = stores.usage();
    for (const kind of ['sign-in', 'redeem', 'refresh', 'recheck', 'point', 'read', 'sign-out']) {
      const expected = steps.filter((step) => step.kind === kind).length;
      expect(expected).toBeGreaterThan(0);
      expect([kind, usage[kind]?.trips]).toEqual([kind, expected]);
    }
  });

  it('reports an additional row and a missing row', async () => {
    await env.DB.exec("INSERT INTO users (id, created_at) VALUES ('additional', 1)");
    await env.DB.exec('DELETE FROM scores WHERE user_id = (SELECT min(user_id) FROM scores)');
    expect(findDifferences(users, await countRows(env.DB))).toEqual([
      `users: ${users + 1} instead of ${users}`,
      `scores: ${users - 1} instead of ${users}`,
      expect.stringMatching(/^points: /),
    ]);
  });
});

describe('a database with a single thread', () => {
  const simulateTrips = (trips: readonly (readonly [arrival: number, service: number])[], span: number) =>
    simulateQueue(
      Float64Array.from(trips, ([arrival]) => arrival),
      Float64Array.from(trips, ([, service]) => service),
      span,
    );
  const never = Number.POSITIVE_INFINITY;

  it.each([
    ['serves a round trip immediately if it is idle', ['0 1', '10 2', '20 3'], 30, [0.2, 2, 2]],
    ['serves simultaneous round trips one after the other', ['5 2', '5 2', '5 2'], 60, [0.1, 4, 4]],
    ['serves in the order of arrival', ['1 1', '0 10', '2 1'], 24, [0.5, 10, 10]],
    ['never catches up if there is more work than time', ['0 6', '1 6'], 10, [1.2, never, never]],
  ] as const)('%s', (_, trips, span, [utilization, median, p99]) => {
    const parsed = trips.map((trip) => {
      const [arrival = '', service = ''] = trip.split(' ');
      return [Number(arrival), Number(service)] as const;
    });
    expect(simulateTrips(parsed, span)).toEqual({ utilization, median, p99 });
  });

  it('is busy for the time that its round trips and the reads of the isolates take', () => {
    const serviceTimes = { point: 10, newRevocations: 1, allRevocations: 61 };
    // 2 isolates read 360 times an hour, 6 times all: 2 × (354 × 1 + 6 × 61) = 1440 ms.
    const { utilization } = simulateBusiestHour(['point', 'point'], {
      factor: 36,
      isolates: 2,
      serviceTimes,
    });
    expect(utilization).toBeCloseTo((72 * 10 + 1440) / 3_600_000, 10);
  });
});
