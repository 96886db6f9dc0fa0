/**
 * What it costs to know who calls: CPU time of workerd for a guarded call, against an open route with the same body and
 * against the least that a sealed token can cost. All in one run, in turns, because machines differ and so do hours.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { generateKey } from '@words-with-chat/broker/seal';
import { freePort } from '@words-with-chat/lab';
import { load } from './load.ts';
import { signIn } from './sign-in.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

const rounds = Number(process.argv[2] ?? 9);
/** In every slice of a round each door has its turn, and of the slices the median counts: other work strikes all alike. */
const slices = 40;
const callsInSlice = 200;
/** What this project allows itself, as a multiple of the open route. */
const goal = 1.35;

const doors = ['open', 'guarded', 'sketch'] as const;
type Door = (typeof doors)[number];
/** CPU microseconds per call. */
type Round = Readonly<Record<Door, number>>;

const run = async (): Promise<void> => {
  const clientSecret = randomBytes(32).toString('base64url');
  const port = await freePort();
  const workerd = await startWorkerd(fileURLToPath(new URL('worker.ts', import.meta.url)), port, {
    ISSUER: `http://127.0.0.1:${port}`,
    SEALING_KEYS: generateKey('bench', (length) => Uint8Array.from(randomBytes(length))),
    CLIENT_SECRET: clientSecret,
  });
  try {
    const token = await signIn(workerd.origin, clientSecret);
    const sketchToken = await (await fetch(new URL('/sketch-token', workerd.origin))).text();
    const measured = await measureAll(workerd, { open: token, guarded: token, sketch: sketchToken });
    report(measured);
  } finally {
    await workerd.stop();
  }
};

/** The first round only warms up, and is thrown away. */
const measureAll = async (
  workerd: Workerd,
  tokens: Readonly<Record<Door, string>>,
): Promise<readonly Round[]> => {
  const all: Round[] = [];
  for (let round = 0; round <= rounds; round++) all.push(await measureRound(workerd, tokens));
  return all.slice(1);
};

const measureRound = async (workerd: Workerd, tokens: Readonly<Record<Door, string>>): Promise<Round> => {
  const costs: Readonly<Record<Door, number[]>> = { open: [], guarded: [], sketch: [] };
  for (let slice = 0; slice < slices; slice++) {
    for (let turn = 0; turn < doors.length; turn++) {
      // Another door comes first each time.
      const door = doors[(slice + turn) % doors.length] ?? 'open';
      const before = workerd.cpuTime();
      await load(new URL(`/${door}`, workerd.origin), callsInSlice, tokens[door]);
      costs[door].push(((workerd.cpuTime() - before) / callsInSlice) * 1e6);
    }
  }
  return { open: median(costs.open), guarded: median(costs.guarded), sketch: median(costs.sketch) };
};

const report = (all: readonly Round[]): void => {
  console.log(`${rounds} rounds of ${slices * callsInSlice} calls each         median   least    most`);
  line(
    'open, µs CPU a call',
    all.map(({ open }) => open),
    1,
  );
  line(
    'guarded, µs CPU a call',
    all.map(({ guarded }) => guarded),
    1,
  );
  line(
    'sketch, µs CPU a call',
    all.map(({ sketch }) => sketch),
    1,
  );
  const ratio = line(
    'guarded ÷ open',
    all.map(({ guarded, open }) => guarded / open),
    2,
  );
  line(
    'sketch ÷ open',
    all.map(({ sketch, open }) => sketch / open),
    2,
  );
  console.log(ratio <= goal ? `within the goal of ${goal}` : `beyond the goal of ${goal}`);
  if (ratio > goal) process.exitCode = 1;
};

/** Prints a line, and gives the median. */
const line = (name: string, values: readonly number[], digits: number): number => {
  const figures = [median(values), Math.min(...values), Math.max(...values)];
  console.log(name.padEnd(40) + figures.map((value) => value.toFixed(digits).padStart(8)).join(''));
  return median(values);
};

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;

await run();
