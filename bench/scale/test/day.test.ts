import { beforeAll, describe, expect, it } from 'vitest';
import { hourOf, simulateVisits } from '../day/visits.ts';
import { findDifferences } from '../expected.ts';
import { countRows, type TableCounts } from '../worker/count-rows.ts';
import { runMaintenance, simulateHour } from '../worker/play.ts';
import { insertPopulation } from '../worker/population.ts';
import { createStores, type Stores } from '../worker/stores.ts';
import { emptyDatabases } from './empty-databases.ts';

const users = 2400;
const midnight = 1_800_057_600;

let databases: readonly D1Database[];
let stores: Stores;
const counts = (): Promise<readonly TableCounts[]> =>
  Promise.all(databases.map((db, index) => countRows(db, index, databases.length)));

beforeAll(async () => {
  databases = await emptyDatabases();
  stores = createStores(databases);
  const everybody = { from: 0, to: users, midnight };
  await insertPopulation(databases, everybody);
  for (let hour = 0; hour < 24; hour++) {
    await simulateHour(stores, { ...everybody, hour });
    await runMaintenance(stores, hour, midnight);
  }
});

describe('a visit', () => {
  it('begins on the day, also in its last second', () => {
    const hours = new Set<number>();
    for (let number = 0; number < 1_000_000; number++)
      for (const visit of simulateVisits(number)) hours.add(hourOf(visit));
    expect([...hours].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 24 }, (_, hour) => hour),
    );
  });
});

describe('a day over four databases', () => {
  it('loses, doubles and misplaces nothing', async () => {
    expect(findDifferences(users, await counts())).toEqual([]);
  });

  it('gives every database its share', async () => {
    for (const { users: own } of await counts()) {
      expect(own).toBeGreaterThan(users / 5);
      expect(own).toBeLessThan(users / 3);
    }
  });

  it('takes one trip for every step of every visit', () => {
    const steps = Array.from({ length: users }, (_, number) => simulateVisits(number).flat()).flat();
    for (const kind of ['sign-in', 'redeem', 'refresh', 'recheck', 'point', 'read', 'sign-out']) {
      const due = steps.filter((step) => step.kind === kind).length;
      expect(due).toBeGreaterThan(0);
      const trips = stores.usage().reduce((sum, usage) => sum + (usage[kind]?.trips ?? 0), 0);
      expect([kind, trips]).toEqual([kind, due]);
    }
  });

  it('notices a row in the wrong database, and one that is missing', async () => {
    await databases[3]?.exec("INSERT INTO users (id, created_at) VALUES ('AA.astray', 1)");
    await databases[0]?.exec('DELETE FROM scores WHERE user_id = (SELECT min(user_id) FROM scores)');
    expect(findDifferences(users, await counts())).toEqual([
      `users: ${users + 1} instead of ${users}`,
      `scores: ${users - 1} instead of ${users}`,
      expect.stringMatching(/^points: /),
      'misplacedRows: 1 instead of 0',
    ]);
  });
});
