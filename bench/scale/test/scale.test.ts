import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { keptRounds } from '../../../apps/words/src/game/scoring.ts';
import { simulateBusiestHour, simulateQueue } from '../busiest-hour.ts';
import { findDifferences, getHour, isNewUser, roundSteps, simulateVisits, type Visit } from '../day.ts';
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

  it('expects the grants that were not needed for less than five minutes, which the cleanup keeps', () => {
    const noRows = {
      ...{ users: 0, identities: 0, grants: 0, revokedGrants: 0, rounds: 0, storedWins: 0, scores: 0 },
      ...{ wordsGuessed: 0, points: 0, roundsStarted: 0, roundsWon: 0, bytes: 0 },
    };
    const findRevoked = (users: number) =>
      findDifferences({ users, roundsPerUser: 0 }, noRows).find((text) => text.startsWith('revokedGrants'));
    // The access token of user 122,008 expires 290 seconds before the end of the day.
    expect(findRevoked(122_008)).toBe('revokedGrants: 0 instead of 3');
    expect(findRevoked(122_009)).toBe('revokedGrants: 0 instead of 4');
  });

  it('has rounds of ten steps, 90 seconds from one start to the next', () => {
    const visit = findVisitWithTwoRounds();
    const start = visit.findIndex(({ kind }) => kind === 'start');
    const second = visit[start]?.second ?? Number.NaN;
    expect(visit.slice(start, start + 11)).toEqual(
      [
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
        'start',
      ].map((kind, index) => ({ kind, second: second + 9 * index })),
    );
  });
});

const findVisitWithTwoRounds = (): Visit => {
  for (let number = 0; ; number++)
    for (const visit of simulateVisits(number))
      if (visit.filter(({ kind }) => kind === 'start').length === 2) return visit;
};

describe('a simulated day', () => {
  const users = 2400;
  // So that the first round of the day is kept besides all earlier ones, and the second replaces one.
  const roundsPerUser = keptRounds - 1;
  const population = { users, roundsPerUser };
  const midnight = 1_800_057_600;
  const stores = createStores(env.DB);

  beforeAll(async () => {
    await applyD1Migrations(env.DB, env.MIGRATIONS);
    const slice = { from: 0, to: users, midnight };
    await insertPopulation(env.DB, { ...slice, roundsPerUser });
    for (let hour = 0; hour < 24; hour++) {
      await simulateHour(stores, { ...slice, hour });
      await runMaintenance(stores, hour, midnight);
    }
  });

  it('leaves the rows that the model expects', async () => {
    const counts = await countRows(env.DB);
    expect(findDifferences(population, counts)).toEqual([]);
    expect(counts).toMatchObject({ users, identities: users, scores: users });
  });

  it('counts each round that was started as won, with ten points', async () => {
    const numbers = Array.from({ length: users }, (_, number) => number);
    const steps = numbers.flatMap((number) => simulateVisits(number).flat());
    const earlierRounds = numbers.filter((number) => !isNewUser(number)).length * roundsPerUser;
    const rounds = earlierRounds + steps.filter(({ kind }) => kind === 'start').length;
    expect(await countRows(env.DB)).toMatchObject({
      wordsGuessed: rounds,
      points: rounds * 10,
      roundsStarted: rounds,
      roundsWon: rounds,
    });
  });

  it('keeps at most 50 rounds of a user', async () => {
    const { results } = await env.DB.prepare(
      'SELECT rounds, count(*) AS users FROM (SELECT count(*) AS rounds FROM rounds GROUP BY user_id) GROUP BY rounds HAVING rounds >= 49 ORDER BY rounds',
    ).all();
    const activeUsers = users / 4 - users / 200;
    expect(results).toEqual([
      { rounds: 49, users: users - users / 4 },
      { rounds: 50, users: activeUsers },
    ]);
  });

  it('plays rounds that end like the rounds from before the day', async () => {
    const readRounds = async (condition: string) => {
      const columns =
        'word, hidden_letters, moves, wrong_guesses, hints, outcome, points, expires_at - started_at';
      const select = `SELECT DISTINCT ${columns} FROM rounds WHERE started_at ${condition} ?1 ORDER BY word`;
      return (await env.DB.prepare(select).bind(midnight).all()).results;
    };
    const played = await readRounds('>=');
    const earlier = await readRounds('<');
    expect(earlier).toHaveLength(30);
    // The latest words of a user do not return.
    expect(played.length).toBeGreaterThan(15);
    expect(earlier).toEqual(expect.arrayContaining(played));
  });

  it('makes one round trip for every step of every visit', () => {
    const steps = Array.from({ length: users }, (_, number) => simulateVisits(number).flat()).flat();
    const usage = stores.usage();
    const otherKinds = ['sign-in', 'redeem', 'refresh', 'recheck', 'read', 'sign-out'];
    for (const kind of [...new Set(roundSteps), ...otherKinds]) {
      const expected = steps.filter((step) => step.kind === kind).length;
      expect(expected).toBeGreaterThan(0);
      expect([kind, usage[kind]?.trips]).toEqual([kind, expected]);
    }
  });

  it('reports an additional row and a missing row', async () => {
    await env.DB.exec("INSERT INTO users (id, created_at) VALUES ('additional', 1)");
    await env.DB.exec('DELETE FROM scores WHERE user_id = (SELECT min(user_id) FROM scores)');
    expect(findDifferences(population, await countRows(env.DB))).toEqual([
      `users: ${users + 1} instead of ${users}`,
      `scores: ${users - 1} instead of ${users}`,
      expect.stringMatching(/^wordsGuessed: /),
      expect.stringMatching(/^points: /),
      expect.stringMatching(/^roundsStarted: /),
      expect.stringMatching(/^roundsWon: /),
    ]);
  });

  it('reports a missing round and a round that is not won', async () => {
    const before = findDifferences(population, await countRows(env.DB));
    const { rounds, storedWins } = await countRows(env.DB);
    await env.DB.exec(
      'DELETE FROM rounds WHERE user_id = (SELECT min(user_id) FROM rounds) AND id = (SELECT id FROM rounds ORDER BY user_id LIMIT 1)',
    );
    await env.DB.exec(
      "UPDATE rounds SET outcome = 'lost' WHERE user_id = (SELECT max(user_id) FROM rounds) AND id = (SELECT id FROM rounds ORDER BY user_id DESC LIMIT 1)",
    );
    const differences = findDifferences(population, await countRows(env.DB));
    expect(differences.filter((difference) => !before.includes(difference))).toEqual([
      `rounds: ${rounds - 1} instead of ${rounds}`,
      `storedWins: ${storedWins - 2} instead of ${storedWins}`,
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
    const serviceTimes = { hint: 10, newRevocations: 1, allRevocations: 61 };
    // 2 isolates read 360 times an hour, 6 times all: 2 × (354 × 1 + 6 × 61) = 1440 ms.
    const { utilization } = simulateBusiestHour(['hint', 'hint'], {
      factor: 36,
      isolates: 2,
      serviceTimes,
    });
    expect(utilization).toBeCloseTo((72 * 10 + 1440) / 3_600_000, 10);
  });
});
