/** Measures what a flow uses of what Cloudflare bills: invocations of the Worker, and D1. */
import { env } from 'cloudflare:workers';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { deploy } from '../deployment.ts';
import type { Flow } from './flows.ts';

export interface Cost {
  readonly invocations: number;
  readonly trips: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** Runs a flow on its own deployment, with the users who are already in the database. */
export const measure = async (flow: Flow): Promise<Cost> => {
  const counting = countingD1(env.DB);
  const deployment = deploy(counting.db);
  let invocations = 0;
  const counted =
    <Given extends readonly unknown[], Answer>(invoke: (...given: Given) => Answer) =>
    (...given: Given): Answer => {
      invocations += 1;
      return invoke(...given);
    };
  const run = await flow({
    ...deployment,
    call: counted(deployment.call),
    app: { fetch: counted(deployment.app.fetch), cleanup: counted(deployment.app.cleanup) },
  });
  const before = { ...counting.usage(), invocations };
  await run();
  const after = { ...counting.usage(), invocations };
  return {
    invocations: after.invocations - before.invocations,
    trips: after.trips - before.trips,
    rowsRead: after.rowsRead - before.rowsRead,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  };
};

/** Returns the total cost of several flows, each multiplied by its number of times. */
export const sum = (parts: readonly (readonly [times: number, cost: Cost])[]): Cost => {
  const total = (of: keyof Cost) => parts.reduce((all, [times, cost]) => all + times * cost[of], 0);
  return {
    invocations: total('invocations'),
    trips: total('trips'),
    rowsRead: total('rowsRead'),
    rowsWritten: total('rowsWritten'),
  };
};
