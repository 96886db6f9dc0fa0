/** The Worker of the simulation: executes one command at a time. */
import { env } from 'cloudflare:workers';
import type { DatabaseCounts } from '../day.ts';
import type { TripCosts } from './batching-d1.ts';
import { runMaintenance, type SimulationSlice, simulateHour } from './simulation.ts';
import { countRows, createStores, insertPopulation, type PopulationSlice } from './stores.ts';

/** A command to the Worker. */
export type SimulationCommand =
  | (PopulationSlice & { readonly kind: 'populate' })
  | (SimulationSlice & { readonly kind: 'simulate' | 'maintain' })
  | { readonly kind: 'outcome' };

/** The costs by kind of round trip, and what the database contains. */
export interface Outcome {
  readonly usage: Readonly<Record<string, TripCosts>>;
  readonly counts: DatabaseCounts;
}

const stores = createStores(env.DB);

const executeCommand = async (command: SimulationCommand): Promise<unknown> => {
  switch (command.kind) {
    case 'populate':
      return insertPopulation(env.DB, command);
    case 'simulate':
      return simulateHour(stores, command);
    case 'maintain':
      return runMaintenance(stores, command.hour, command.midnight);
    case 'outcome':
      return { usage: stores.usage(), counts: await countRows(env.DB) } satisfies Outcome;
  }
};

const worker = {
  fetch: async (request: Request): Promise<Response> =>
    Response.json((await executeCommand(await request.json())) ?? null),
};
export default worker;
