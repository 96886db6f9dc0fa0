/**
 * `npm run scale`: simulates a day of 200,000 users with the product's own stores on a local D1 database,
 * and computes from the measured costs when one database is no longer enough. docs/explanation/scale.md explains
 * the model and the figures.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTestHarness } from 'wrangler';
import { keptRounds } from '../../apps/words/src/game/scoring.ts';
import { printHelpIfRequested, runCommand, UsageError } from '../../scripts/app/command.ts';
import { sourceBundleEnvironment } from '../../scripts/app/wrangler.ts';
import { findDifferences, type Population } from './day.ts';
import { printReport } from './report.ts';
import type { Outcome, SimulationCommand } from './worker/worker.ts';

const usage = `Usage: npm run scale [-- <options>]

Simulates a day of the game on a local D1 database, and prints when one database is no longer enough.

Options:
  --users <number>       how many users play on that day. Default: 200000. With 20000, it takes about a minute
  --rounds <number>      how many rounds each user has before the day, at most ${keptRounds}. Default: ${keptRounds}
  --isolates <number>    how many isolates run the app. Default: 100`;

/** @throws UsageError unless the value is a whole number from `min` to `max` */
const parseWholeNumber = (name: string, text: string, min: number, max: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}.`);
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const midnight = 1_800_057_600;
/** A larger batch would exceed D1's limit for one value. */
const populationBatchSize = 20_000;
const simulationBatchSize = 100_000;

/** Sends a command to the Worker. The response is JSON. */
type SendCommand = (command: SimulationCommand) => Promise<string>;

/**
 * Starts a Worker with a new, empty database, which is deleted afterwards.
 * @throws Error if a store refuses something that it must accept
 */
const withWorker = async <Result>(run: (sendCommand: SendCommand) => Promise<Result>): Promise<Result> => {
  // Bundles the packages from source, and prevents requests to other servers.
  Object.assign(process.env, { ...sourceBundleEnvironment, CLOUDFLARE_CF_FETCH_ENABLED: 'false' });
  const server = createTestHarness({ root, workers: [{ config: workerConfig }] });
  await server.listen();
  try {
    await server.getWorker().applyD1Migrations('DB');
    return await run(async (command) => {
      const response = await server.fetch('/', {
        method: 'POST',
        body: JSON.stringify(command),
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${command.kind}: ${text}`);
      return text;
    });
  } finally {
    await server.close();
  }
};

const workerConfig = {
  name: 'scale',
  main: fileURLToPath(new URL('worker/worker.ts', import.meta.url)),
  compatibility_date: '2026-10-20',
  d1_databases: [
    {
      binding: 'DB',
      database_name: 'scale',
      database_id: 'scale',
      migrations_dir: root,
      migrations_pattern: `${root}{packages,apps}/*/migrations/*.sql`,
    },
  ],
};

const simulateDay = async (
  sendCommand: SendCommand,
  { users, roundsPerUser }: Population,
): Promise<Outcome> => {
  for (const range of splitUsers(users, populationBatchSize))
    await sendCommand({ kind: 'populate', roundsPerUser, midnight, ...range });
  console.log(`inserted ${users.toLocaleString('en-US')} users`);
  const startedAt = performance.now();
  for (let hour = 0; hour < 24; hour++) {
    for (const range of splitUsers(users, simulationBatchSize))
      await sendCommand({ kind: 'simulate', hour, midnight, ...range });
    await sendCommand({ kind: 'maintain', hour, midnight, from: 0, to: 0 });
    console.log(`hour ${hour} done after ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  return JSON.parse(await sendCommand({ kind: 'outcome' }));
};

const splitUsers = (users: number, size: number): readonly { readonly from: number; readonly to: number }[] =>
  Array.from({ length: Math.ceil(users / size) }, (_, index) => ({
    from: index * size,
    to: Math.min(users, (index + 1) * size),
  }));

const main = async (): Promise<void> => {
  if (printHelpIfRequested(usage)) return;
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '200000' },
      isolates: { type: 'string', default: '100' },
      rounds: { type: 'string', default: String(keptRounds) },
    },
  });
  const users = parseWholeNumber('users', values.users, 1, 10_000_000);
  const isolates = parseWholeNumber('isolates', values.isolates, 1, 10_000);
  const roundsPerUser = parseWholeNumber('rounds', values.rounds, 0, keptRounds);
  const population = { users, roundsPerUser };
  const outcome = await withWorker((sendCommand) => simulateDay(sendCommand, population));
  printReport({ users, isolates }, outcome);
  const differences = findDifferences(population, outcome.counts);
  for (const difference of differences) console.error(difference);
  console.log(
    differences.length === 0 ? 'no rows were lost or added' : 'the database differs from the model',
  );
  if (differences.length > 0) process.exitCode = 1;
};

await runCommand(main);
