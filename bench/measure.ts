/**
 * Measures scenarios side by side. They take turns, because the speed of machines differs and changes over
 * time.
 */
import { load, type RequestSpec } from './load.ts';
import type { Workerd } from './workerd.ts';

/** A route of the Worker under test. */
export interface Scenario {
  readonly requestSpec: RequestSpec;
  /** The number of calls in a slice. */
  readonly calls: number;
}

/** CPU microseconds of workerd per call, by scenario. */
export type Round<Name extends string> = Readonly<Record<Name, number>>;

export interface MeasureOptions {
  readonly rounds: number;
  /**
   * Every slice runs each scenario once. The first quartile of the slices counts, because other work on the
   * machine only adds time.
   */
  readonly slices: number;
}

/**
 * The number of rounds that are discarded. V8 keeps optimizing the code of a guarded call for about 20,000
 * calls.
 */
const warmUpRounds = 3;

/** Measures every scenario in every round. */
export const measure = async <Name extends string>(
  workerd: Workerd,
  scenarios: Readonly<Record<Name, Scenario>>,
  { rounds, slices }: MeasureOptions,
): Promise<readonly Round<Name>[]> => {
  const allRounds: Round<Name>[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round++)
    allRounds.push(await measureRound(workerd, scenarios, slices));
  return allRounds.slice(warmUpRounds);
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
    // Each slice starts with a different scenario.
    const firstIndex = slice % entries.length;
    for (const { scenario, costs } of [...entries.slice(firstIndex), ...entries.slice(0, firstIndex)])
      costs.push(await measureCost(workerd, scenario));
  }
  // The cast is needed because `Object.fromEntries` loses the names of the scenarios.
  return Object.fromEntries(entries.map(({ name, costs }) => [name, quantile(costs, 0.25)])) as Round<Name>;
};

const measureCost = async (workerd: Workerd, { requestSpec, calls }: Scenario): Promise<number> => {
  const before = workerd.cpuTime();
  await load(requestSpec, calls);
  return ((workerd.cpuTime() - before) / calls) * 1e6;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

const quantile = (values: readonly number[], fraction: number): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * fraction)] ?? Number.NaN;
