/** Measuring doors side by side: in turns, because machines differ and so do hours. */
import { load, type Question } from './load.ts';
import type { Workerd } from './workerd.ts';

/** One way to use the Worker under test. */
export interface Door {
  readonly question: Question;
  /** How often it is used in a slice. */
  readonly calls: number;
}

/** CPU microseconds of workerd per call, by door. */
export type Round<Name extends string> = Readonly<Record<Name, number>>;

export interface Extent {
  readonly rounds: number;
  /** In every slice each door has its turn, and of the slices the median counts: other work strikes all alike. */
  readonly slices: number;
}

/** Measures every door in every round. A first round warms up, and is thrown away. */
export const measure = async <Name extends string>(
  workerd: Workerd,
  doors: Readonly<Record<Name, Door>>,
  { rounds, slices }: Extent,
): Promise<readonly Round<Name>[]> => {
  const all: Round<Name>[] = [];
  for (let round = 0; round <= rounds; round++) all.push(await measureRound(workerd, doors, slices));
  return all.slice(1);
};

const measureRound = async <Name extends string>(
  workerd: Workerd,
  doors: Readonly<Record<Name, Door>>,
  slices: number,
): Promise<Round<Name>> => {
  const entries = Object.entries<Door>(doors).map(([name, door]) => ({ name, door, costs: [] as number[] }));
  for (let slice = 0; slice < slices; slice++) {
    // Another door comes first each time.
    const turn = slice % entries.length;
    for (const { door, costs } of [...entries.slice(turn), ...entries.slice(0, turn)])
      costs.push(await costOf(workerd, door));
  }
  // The cast: the compiler forgets that the entries are those of `doors`.
  return Object.fromEntries(entries.map(({ name, costs }) => [name, median(costs)])) as Round<Name>;
};

const costOf = async (workerd: Workerd, { question, calls }: Door): Promise<number> => {
  const before = workerd.cpuTime();
  await load(question, calls);
  return ((workerd.cpuTime() - before) / calls) * 1e6;
};

export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
