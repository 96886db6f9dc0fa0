/** Runs the day in workerd: a Worker with so many local D1 databases, told hour by hour what to do. */
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';
import type { Census } from './worker/census.ts';
import type { Spent } from './worker/gathering-d1.ts';
import type { Order } from './worker/worker.ts';

export interface DayOptions {
  readonly users: number;
  readonly databases: number;
  readonly log: (line: string) => void;
}

export interface DayOutcome {
  /** By database, by kind of trip. */
  readonly spent: readonly Readonly<Record<string, Spent>>[];
  readonly census: readonly Census[];
  /** Real seconds of the day itself, without preparation. */
  readonly seconds: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const midnight = 1_800_057_600;
/** More at once would exceed what D1 takes as one value, if there is one database only. */
const settledAtOnce = 20_000;
const playedAtOnce = 100_000;

/**
 * Lives the day through in empty databases of their own, which are gone afterwards.
 * @throws Error when a store refused what it must grant
 */
export const runDay = async (options: DayOptions): Promise<DayOutcome> => {
  // Nothing is asked of anybody else's server.
  Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: 'false' });
  const server = createTestHarness({ root, workers: [{ config: configFor(options.databases) }] });
  await server.listen();
  try {
    for (const name of names(options.databases)) await server.getWorker().applyD1Migrations(name);
    return await liveThrough(async (order) => {
      const body = JSON.stringify({ ...order, midnight });
      const response = await server.fetch('/', { method: 'POST', body });
      const answer = await response.text();
      if (response.status !== 200) throw new Error(`${order.kind}: ${answer}`);
      return answer;
    }, options);
  } finally {
    await server.close();
  }
};

/** Gives an order to the Worker; its answer is JSON. */
type Tell = (order: Omit<Order, 'midnight'>) => Promise<string>;

const liveThrough = async (tell: Tell, { users, log }: DayOptions): Promise<DayOutcome> => {
  for (const part of parts(users, settledAtOnce)) await tell({ kind: 'settle', hour: 0, ...part });
  log(`${users.toLocaleString('en-US')} people have been settled`);
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  for (let hour = 0; hour < 24; hour++) {
    for (const part of parts(users, playedAtOnce)) await tell({ kind: 'play', hour, ...part });
    await tell({ kind: 'keep-house', hour, from: 0, to: 0 });
    log(`hour ${hour} has passed, after ${Math.round(elapsed())} s`);
  }
  const seconds = elapsed();
  const spent: DayOutcome['spent'] = JSON.parse(await tell({ kind: 'spent', hour: 0, from: 0, to: 0 }));
  const census: DayOutcome['census'] = JSON.parse(await tell({ kind: 'census', hour: 0, from: 0, to: 0 }));
  return { spent, census, seconds };
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
