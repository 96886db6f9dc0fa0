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
  const countedD1 = countingD1(env.DB);
  const deployment = deploy(countedD1.db);
  let invocations = 0;
  const countInvocations =
    <Args extends readonly unknown[], Result>(invoke: (...args: Args) => Result) =>
    (...args: Args): Result => {
      invocations += 1;
      return invoke(...args);
    };
  const runFlow = await flow({
    ...deployment,
    call: countInvocations(deployment.call),
    app: { fetch: countInvocations(deployment.app.fetch), cleanup: countInvocations(deployment.app.cleanup) },
  });
  const before = { ...countedD1.usage(), invocations };
  await runFlow();
  const after = { ...countedD1.usage(), invocations };
  return {
    invocations: after.invocations - before.invocations,
    trips: after.trips - before.trips,
    rowsRead: after.rowsRead - before.rowsRead,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  };
};

/** Returns the total cost of several flows, each multiplied by its number of times. */
export const sum = (parts: readonly (readonly [times: number, cost: Cost])[]): Cost => {
  const sumMember = (member: keyof Cost) =>
    parts.reduce((total, [times, cost]) => total + times * cost[member], 0);
  return {
    invocations: sumMember('invocations'),
    trips: sumMember('trips'),
    rowsRead: sumMember('rowsRead'),
    rowsWritten: sumMember('rowsWritten'),
  };
};
