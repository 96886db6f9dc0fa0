/**
 * The app's rate limits, counted by the platform if a rate-limit binding exists, and otherwise in the memory
 * of each isolate.
 */
import {
  type Allowance,
  defaultRateLimits,
  type Limits,
  memoryLimiter,
  type RateLimiter,
} from 'assistant-auth';

/**
 * The allowances of all limits that count requests. The Wrangler file must have the same numbers, and
 * Cloudflare's rate-limit bindings accept only periods of 10 and 60 seconds.
 */
export const allowances = {
  ...defaultRateLimits,
  /** API calls that only read, by user; and, counted separately, requests of guests to `/play`, by address. */
  reads: { limit: 600, period: 60 },
  /** API calls that change a round or the score, each of which writes rows, and all messages over MCP, by user. */
  writes: { limit: 300, period: 60 },
} as const satisfies Readonly<Record<string, Allowance>>;

export type LimitName = keyof typeof allowances;

/** A rate-limit binding of Cloudflare, which counts separately in each location. */
export interface RateLimitBinding {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

export interface AppLimits {
  readonly broker: Omit<Limits, 'signInsPerUser'>;
  /** Selects the limiter that counts a call. Messages over MCP, which are POST requests, count as writes. */
  readonly selectLimiter: (request: Request) => RateLimiter;
  /** Counts requests of guests to `/play` by address. It has the allowance of `reads`: they write no rows. */
  readonly guests: RateLimiter;
}

/**
 * Creates the limiters.
 * @param rateLimitBindings the platform's counters; limits without one are counted in memory
 * @param now the clock of the limits that are counted in memory. Default: the system clock.
 */
export const createLimits = (
  rateLimitBindings: Partial<Readonly<Record<LimitName, RateLimitBinding>>> = {},
  now?: () => number,
): AppLimits => {
  const createLimiter = (name: LimitName): RateLimiter => {
    const binding = rateLimitBindings[name];
    return binding === undefined ? memoryLimiter(allowances[name], now) : createBindingLimiter(binding);
  };
  const [reads, writes] = [createLimiter('reads'), createLimiter('writes')];
  return {
    broker: {
      failedAuthentications: createLimiter('failedAuthentications'),
      pageRequests: createLimiter('pageRequests'),
      requestsPerSignIn: createLimiter('requestsPerSignIn'),
      refreshesPerGrant: createLimiter('refreshesPerGrant'),
    },
    guests: createLimiter('reads'),
    selectLimiter: ({ method }) => (method === 'POST' ? writes : reads),
  };
};

/** Creates a rate limiter from a rate-limit binding. */
export const createBindingLimiter = (binding: RateLimitBinding): RateLimiter => ({
  take: async (key) => ((await binding.limit({ key })).success ? 'allowed' : 'limited'),
});

/**
 * Returns the caller's address from Cloudflare. The header can't be forged: Cloudflare refuses requests that
 * already have it.
 */
export const clientAddress = ({ headers }: Request): string | undefined =>
  headers.get('cf-connecting-ip') ?? undefined;
