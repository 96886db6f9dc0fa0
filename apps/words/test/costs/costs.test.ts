import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { insertOtherUsers } from '../../../../packages/assistant-auth/test/storage/d1/other-users.ts';
import { deploy } from '../deployment.ts';
import { computeAllowance, computeDollarsPerMillion, freePlan, paidPlan, prices } from './billing-plans.ts';
import { formatNumber, readDocumentedTable } from './documented-tables.ts';
import { flows } from './flows.ts';
import { type Cost, measure, sum } from './measure.ts';

const evening = 'an evening: one refresh, ten rounds won with eight guesses and a hint each, the score once';
const measured = new Map<string, Cost>();

const getCost = (flow: string): Cost => {
  const cost = measured.get(flow);
  if (cost === undefined) throw new Error(`the flow "${flow}" was not measured`);
  return cost;
};

beforeAll(async () => {
  await insertOtherUsers(await emptyD1(), 1_800_000_000);
  await insertLastPlayer();
  for (const [name, flow] of Object.entries(flows)) measured.set(name, await measure(flow));
  // Sorting rows in random order takes a few more or fewer reads each time.
  const start = getCost('a round is started');
  measured.set('a round is started', { ...start, rowsRead: Math.ceil(start.rowsRead / 100) * 100 });
  measured.set(
    evening,
    sum([
      [1, getCost('ChatGPT refreshes, with a recheck at the provider')],
      [10, getCost('a round is started')],
      [70, getCost('a guess')],
      [10, getCost('a hint')],
      [10, getCost('the guess that wins a round')],
      [1, getCost('the score is read')],
    ]),
  );
});

/** Inserts a player with a round after those of all others: the end of an index would cost one row less. */
const insertLastPlayer = async (): Promise<void> => {
  const round = `
    INSERT INTO rounds (user_id, id, daily, word, hidden_letters, started_at, expires_at)
    VALUES ('~', '~', '~', 'owl', 'owl', 1, 1)`;
  await env.DB.batch([
    env.DB.prepare("INSERT INTO users (id, created_at) VALUES ('~', 1)"),
    env.DB.prepare("INSERT INTO scores (user_id, score) VALUES ('~', 0)"),
    env.DB.prepare(round),
  ]);
};

describe('docs/explanation/costs.md', () => {
  it('lists the usage of each flow', () => {
    expect(readDocumentedTable('Usage per flow')).toEqual(
      [...measured].map(([name, { invocations, trips, rowsRead, rowsWritten }]) => [
        name,
        ...[invocations, trips, rowsRead, rowsWritten].map(formatNumber),
      ]),
    );
  });

  it('calculates with the plans that it states', () => {
    expect(readDocumentedTable('Limits of the plans')).toMatchObject([
      [
        expect.stringContaining('requests'),
        `${formatNumber(freePlan.invocations)} a day`,
        ...formatPaidPlan('invocations'),
      ],
      [
        expect.stringContaining('rows read'),
        `${formatNumber(freePlan.rowsRead)} a day`,
        ...formatPaidPlan('rowsRead'),
      ],
      [
        expect.stringContaining('rows written'),
        `${formatNumber(freePlan.rowsWritten)} a day`,
        ...formatPaidPlan('rowsWritten'),
      ],
    ]);
  });

  it('lists how many flows the plans allow', () => {
    const rows = readDocumentedTable('How many flows the plans include');
    expect(rows).toHaveLength(11);
    expect(rows).toEqual(
      rows.map(([name = '']) => {
        const cost = getCost(name);
        const [perDay, perMonth] = [computeAllowance(freePlan, cost), computeAllowance(paidPlan, cost)];
        return [
          name,
          formatNumber(perDay.times),
          perDay.firstLimit,
          formatNumber(perMonth.times),
          perMonth.firstLimit,
          `$${computeDollarsPerMillion(cost).toFixed(2)}`,
        ];
      }),
    );
  });
});

const formatPaidPlan = (resource: keyof typeof paidPlan) => [
  `${formatNumber(paidPlan[resource])} a month`,
  `$${prices[resource].toFixed(resource === 'rowsRead' ? 3 : 2)}`,
];

describe('the cost of checking for revocations', () => {
  /** Measures calls at regular intervals for ten minutes, in an isolate that has read all revocations. */
  const measurePerCall = async (callsPerMinute: number) => {
    const { db, usage } = countingD1(env.DB);
    const deployment = deploy(db);
    const token = await deployment.signIn(`at ${callsPerMinute} a minute`);
    await deployment.call('/api/words/animals', { token });
    const before = usage();
    const calls = 10 * callsPerMinute;
    for (let call = 1; call <= calls; call++) {
      const seconds =
        Math.floor((call * 60) / callsPerMinute) - Math.floor(((call - 1) * 60) / callsPerMinute);
      deployment.advance(seconds);
      const { status } = await deployment.call('/api/words/animals', { token });
      if (status !== 200) throw new Error(`call ${call} got ${status}`);
    }
    const { trips, rowsRead } = usage();
    return [trips - before.trips, rowsRead - before.rowsRead].map((total) => (total / calls).toFixed(2));
  };

  it('matches docs/explanation/costs.md, at 1, 10 and 100 calls a minute', async () => {
    await env.DB.prepare('DELETE FROM revocations').run();
    const rows = await Promise.all(
      [1, 10, 100].map(async (callsPerMinute) => [
        String(callsPerMinute),
        ...(await measurePerCall(callsPerMinute)),
      ]),
    );
    expect(readDocumentedTable('Revocation checks')).toEqual(rows);
  });
});

describe('free requests', () => {
  it('are all pages and calls without authentication', () => {
    const freeFlows = [...measured].filter(([name]) =>
      /^a visitor|stylesheet|without a token|an expired token/.test(name),
    );
    expect(freeFlows).toHaveLength(7);
    for (const [, { trips }] of freeFlows) expect(trips).toBe(0);
  });
});
