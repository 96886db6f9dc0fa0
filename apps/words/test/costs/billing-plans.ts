/** Cloudflare's plans as in docs/costs.md, and how many flows they include. */
import type { Cost } from './measure.ts';

type Billed = Readonly<Record<'invocations' | 'rowsRead' | 'rowsWritten', number>>;

/** Per day. Requests beyond these limits fail. */
export const free: Billed = { invocations: 100_000, rowsRead: 5_000_000, rowsWritten: 100_000 };
/** Per month, for 5 dollars. */
export const paid: Billed = { invocations: 10_000_000, rowsRead: 25_000_000_000, rowsWritten: 50_000_000 };
/** The price of another million, in dollars. */
export const prices: Billed = { invocations: 0.3, rowsRead: 0.001, rowsWritten: 1 };

const names = {
  invocations: 'requests',
  rowsRead: 'rows read',
  rowsWritten: 'rows written',
} as const satisfies Record<keyof Billed, string>;

const billed = ['invocations', 'rowsRead', 'rowsWritten'] as const;

/** Returns how many times a plan includes a flow, and which of its limits is reached first. */
export const computeAllowance = (
  plan: Billed,
  cost: Cost,
): { readonly times: number; readonly endsWith: string } =>
  billed
    .map((what) => ({ times: Math.floor(plan[what] / cost[what]), endsWith: names[what] }))
    .reduce((least, one) => (one.times < least.times ? one : least));

/** Returns the price of another million flows on the paid plan, in dollars. */
export const dollarsPerMillion = (cost: Cost): number =>
  billed.reduce((dollars, what) => dollars + cost[what] * prices[what], 0);
