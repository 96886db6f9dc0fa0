import { beforeAll, describe, expect, it } from 'vitest';
import { hourOf, visitsOf } from '../day/visits.ts';
import { differences } from '../expected.ts';
import { type Census, takeCensus } from '../worker/census.ts';
import { keepHouse, play } from '../worker/play.ts';
import { settle } from '../worker/population.ts';
import { createStores, type Stores } from '../worker/stores.ts';
import { emptyDatabases } from './empty-databases.ts';

const users = 2400;
const midnight = 1_800_057_600;

let databases: readonly D1Database[];
let stores: Stores;
const census = (): Promise<readonly Census[]> =>
  Promise.all(databases.map((db, index) => takeCensus(db, index, databases.length)));

beforeAll(async () => {
  databases = await emptyDatabases();
  stores = createStores(databases);
  const everybody = { from: 0, to: users, midnight };
  await settle(databases, everybody);
  for (let hour = 0; hour < 24; hour++) {
    await play(stores, { ...everybody, hour });
    await keepHouse(stores, hour, midnight);
  }
});

describe('a visit', () => {
  it('begins on the day, also in its last second', () => {
    const hours = new Set<number>();
    for (let number = 0; number < 1_000_000; number++)
      for (const visit of visitsOf(number)) hours.add(hourOf(visit));
    expect([...hours].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 24 }, (_, hour) => hour),
    );
  });
});

describe('a day over four databases', () => {
  it('loses, doubles and misplaces nothing', async () => {
    expect(differences(users, await census())).toEqual([]);
  });

  it('gives every database its share', async () => {
    for (const { users: own } of await census()) {
      expect(own).toBeGreaterThan(users / 5);
      expect(own).toBeLessThan(users / 3);
    }
  });

  it('takes one trip for every step of every visit', () => {
    const steps = Array.from({ length: users }, (_, number) => visitsOf(number).flat()).flat();
    for (const kind of ['sign-in', 'redeem', 'refresh', 'check', 'point', 'read', 'sign-out']) {
      const due = steps.filter((step) => step.kind === kind).length;
      expect(due).toBeGreaterThan(0);
      const trips = stores.spent().reduce((sum, spent) => sum + (spent[kind]?.trips ?? 0), 0);
      expect([kind, trips]).toEqual([kind, due]);
    }
  });

  it('notices a row in the wrong database, and one that is missing', async () => {
    await databases[3]?.exec("INSERT INTO users (id, created_at) VALUES ('AA.astray', 1)");
    await databases[0]?.exec('DELETE FROM scores WHERE user_id = (SELECT min(user_id) FROM scores)');
    expect(differences(users, await census())).toEqual([
      `users: ${users + 1} instead of ${users}`,
      `scores: ${users - 1} instead of ${users}`,
      expect.stringMatching(/^points: /),
      'strays: 1 instead of 0',
    ]);
  });
});
