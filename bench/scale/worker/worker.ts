/** The Worker of the simulation: does a part of the day when it is told to, on all databases that are bound. */
import { env } from 'cloudflare:workers';
import { takeCensus } from './census.ts';
import { keepHouse, type Part, play } from './play.ts';
import { settle } from './population.ts';
import { createStores } from './stores.ts';

/** What it is told. */
export type Order = Part & { readonly kind: 'settle' | 'play' | 'keep-house' | 'spent' | 'census' };

const isDatabase = (binding: unknown): binding is D1Database =>
  typeof binding === 'object' && binding !== null && 'prepare' in binding;

/** In the order of their names. */
const databases = Object.entries<unknown>({ ...env })
  .sort(([one], [other]) => one.localeCompare(other))
  .map(([, binding]) => binding)
  .filter(isDatabase);
const stores = createStores(databases);

const obey = async (order: Order): Promise<unknown> => {
  switch (order.kind) {
    case 'settle':
      return settle(databases, order);
    case 'play':
      return play(stores, order);
    case 'keep-house':
      return keepHouse(stores, order.hour, order.midnight);
    case 'spent':
      return stores.spent();
    case 'census':
      return Promise.all(databases.map((db, index) => takeCensus(db, index, databases.length)));
  }
};

const worker = {
  fetch: async (request: Request): Promise<Response> =>
    Response.json((await obey(await request.json())) ?? null),
};
// biome-ignore lint/style/noDefaultExport: workerd demands one
export default worker;
