/** Measuring doors side by side: in turns, because machines differ and so do hours. */
import { load, type RequestSpec } from './load.ts';
import type { Workerd } from './workerd.ts';

/** One way to use the Worker under test. */
export interface Scenario {
  readonly requestSpec: RequestSpec;
  /** How often it is used in a slice. */
  readonly calls: number;
}

/** CPU microseconds of workerd per call, by door. */
export type Round<Name extends string> = Readonly<Record<Name, number>>;

export interface MeasureOptions {
  readonly rounds: number;
  /** In every slice each door has its turn. Of the slices the cheaper quarter counts: what else the machine does only adds. */
  readonly slices: number;
}

/** Rounds that are thrown away: V8 goes on optimising what a guarded call runs for some twenty thousand calls. */
const warmUp = 3;

/** Measures every door in every round. */
export const measure = async <Name extends string>(
  workerd: Workerd,
  scenarios: Readonly<Record<Name, Scenario>>,
  { rounds, slices }: MeasureOptions,
): Promise<readonly Round<Name>[]> => {
  const all: Round<Name>[] = [];
  for (let round = 0; round < warmUp + rounds; round++)
    all.push(await measureRound(workerd, scenarios, slices));
  return all.slice(warmUp);
};

const measureRound = async <Name extends string>(
  workerd: Workerd,
  scenarios: Readonly<Record<Name, Scenario>>,
  slices: number,
): Promise<Round<Name>> => {
  const entries = Object.entries<Scenario>(scenarios).map(([name, scenario]) => ({
    name,
    scenario,
    costs: [] as number[],
  }));
  for (let slice = 0; slice < slices; slice++) {
    // Another door comes first each time.
    const turn = slice % entries.length;
    for (const { scenario, costs } of [...entries.slice(turn), ...entries.slice(0, turn)])
      costs.push(await measureCost(workerd, scenario));
  }
  // The cast: the compiler forgets that the entries are those of `scenarios`.
  return Object.fromEntries(entries.map(({ name, costs }) => [name, quantile(costs, 0.25)])) as Round<Name>;
};

const measureCost = async (workerd: Workerd, { requestSpec, calls }: Scenario): Promise<number> => {
  const before = workerd.cpuTime();
  await load(requestSpec, calls);
  return ((workerd.cpuTime() - before) / calls) * 1e6;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.NaN;
