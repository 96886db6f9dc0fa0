/** The Worker of the simulation: executes one command at a time, on all databases that are bound. */
import { env } from 'cloudflare:workers';
import { countRows } from './count-rows.ts';
import { runMaintenance, type SimulationSlice, simulateHour } from './play.ts';
import { insertPopulation } from './population.ts';
import { createStores } from './stores.ts';

/** A command to the Worker. */
export type SimulationCommand = SimulationSlice & {
  readonly kind: 'populate' | 'simulate' | 'maintain' | 'usage' | 'counts';
};

const isDatabase = (binding: unknown): binding is D1Database =>
  typeof binding === 'object' && binding !== null && 'prepare' in binding;

/** In the order of their names. */
const databases = Object.entries<unknown>({ ...env })
  .sort(([one], [other]) => one.localeCompare(other))
  .map(([, binding]) => binding)
  .filter(isDatabase);
const stores = createStores(databases);

const executeCommand = async (command: SimulationCommand): Promise<unknown> => {
  switch (command.kind) {
    case 'populate':
      return insertPopulation(databases, command);
    case 'simulate':
      return simulateHour(stores, command);
    case 'maintain':
      return runMaintenance(stores, command.hour, command.midnight);
    case 'usage':
      return stores.usage();
    case 'counts':
      return Promise.all(databases.map((db, index) => countRows(db, index, databases.length)));
  }
};

const worker = {
  fetch: async (request: Request): Promise<Response> =>
    Response.json((await executeCommand(await request.json())) ?? null),
};
// biome-ignore lint/style/noDefaultExport: workerd requires one
export default worker;
