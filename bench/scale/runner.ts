/**
 * Runs the simulated day in workerd: starts a Worker with the given number of local D1 databases, and sends
 * it commands hour by hour.
 */
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';
import type { DatabaseUsage } from './worker/batching-d1.ts';
import type { TableCounts } from './worker/count-rows.ts';
import type { SimulationCommand } from './worker/worker.ts';

export interface DayOptions {
  readonly users: number;
  readonly databases: number;
  readonly log: (line: string) => void;
}

export interface DayOutcome {
  /** By database and kind of round trip. */
  readonly usage: readonly Readonly<Record<string, DatabaseUsage>>[];
  readonly counts: readonly TableCounts[];
  /** Real seconds of the day itself, without preparation. */
  readonly seconds: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const midnight = 1_800_057_600;
/** A larger batch would exceed D1's limit for one value if there is only one database. */
const populationBatchSize = 20_000;
const simulationBatchSize = 100_000;

/**
 * Simulates the day in new, empty databases, which are deleted afterwards.
 * @throws Error if a store refuses something that it must accept
 */
export const runDay = async (options: DayOptions): Promise<DayOutcome> => {
  // Prevents requests to other servers.
  Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: 'false' });
  const server = createTestHarness({ root, workers: [{ config: configFor(options.databases) }] });
  await server.listen();
  try {
    for (const name of names(options.databases)) await server.getWorker().applyD1Migrations(name);
    return await simulateDay(async (command) => {
      const body = JSON.stringify({ ...command, midnight });
      const response = await server.fetch('/', { method: 'POST', body });
      const answer = await response.text();
      if (response.status !== 200) throw new Error(`${command.kind}: ${answer}`);
      return answer;
    }, options);
  } finally {
    await server.close();
  }
};

/** Sends a command to the Worker. The response is JSON. */
type SendCommand = (command: Omit<SimulationCommand, 'midnight'>) => Promise<string>;

const simulateDay = async (sendCommand: SendCommand, { users, log }: DayOptions): Promise<DayOutcome> => {
  for (const part of parts(users, populationBatchSize))
    await sendCommand({ kind: 'populate', hour: 0, ...part });
  log(`${users.toLocaleString('en-US')} people have been settled`);
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  for (let hour = 0; hour < 24; hour++) {
    for (const part of parts(users, simulationBatchSize))
      await sendCommand({ kind: 'simulate', hour, ...part });
    await sendCommand({ kind: 'maintain', hour, from: 0, to: 0 });
    log(`hour ${hour} has passed, after ${Math.round(elapsed())} s`);
  }
  const seconds = elapsed();
  const usage: DayOutcome['usage'] = JSON.parse(
    await sendCommand({ kind: 'usage', hour: 0, from: 0, to: 0 }),
  );
  const counts: DayOutcome['counts'] = JSON.parse(
    await sendCommand({ kind: 'counts', hour: 0, from: 0, to: 0 }),
  );
  return { usage, counts, seconds };
};

const parts = (users: number, size: number): readonly { readonly from: number; readonly to: number }[] =>
  Array.from({ length: Math.ceil(users / size) }, (_, at) => ({
    from: at * size,
    to: Math.min(users, (at + 1) * size),
  }));

const names = (databases: number): readonly string[] =>
  Array.from({ length: databases }, (_, index) => `SHARD_${String(index).padStart(2, '0')}`);

const configFor = (databases: number) => ({
  name: 'scale',
  main: fileURLToPath(new URL('worker/worker.ts', import.meta.url)),
  compatibility_date: '2026-10-20',
  d1_databases: names(databases).map((binding) => ({
    binding,
    database_name: binding,
    database_id: binding,
    migrations_dir: root,
    migrations_pattern: `${root}{packages,apps}/*/migrations/*.sql`,
  })),
});
