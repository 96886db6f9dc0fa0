/** Cloudflare's plans as in docs/explanation/costs.md, and how many flows they include. */
import type { Cost } from './measure.ts';

type BilledAmounts = Readonly<Record<'invocations' | 'rowsRead' | 'rowsWritten', number>>;

/** Per day. Requests beyond these limits fail. */
export const freePlan: BilledAmounts = { invocations: 100_000, rowsRead: 5_000_000, rowsWritten: 100_000 };
/** Per month, for 5 dollars. */
export const paidPlan: BilledAmounts = {
  invocations: 10_000_000,
  rowsRead: 25_000_000_000,
  rowsWritten: 50_000_000,
};
/** The price of another million, in dollars. */
export const prices: BilledAmounts = { invocations: 0.3, rowsRead: 0.001, rowsWritten: 1 };

const resourceNames = {
  invocations: 'requests',
  rowsRead: 'rows read',
  rowsWritten: 'rows written',
} as const satisfies Record<keyof BilledAmounts, string>;

const billedResources = ['invocations', 'rowsRead', 'rowsWritten'] as const;

/** Returns how many times a plan includes a flow, and which of its limits is reached first. */
export const computeAllowance = (
  plan: BilledAmounts,
  cost: Cost,
): { readonly times: number; readonly firstLimit: string } =>
  billedResources
    .map((resource) => ({
      times: Math.floor(plan[resource] / cost[resource]),
      firstLimit: resourceNames[resource],
    }))
    .reduce((least, allowance) => (allowance.times < least.times ? allowance : least));

/** Returns the price of another million flows on the paid plan, in dollars. */
export const computeDollarsPerMillion = (cost: Cost): number =>
  billedResources.reduce((dollars, resource) => dollars + cost[resource] * prices[resource], 0);
