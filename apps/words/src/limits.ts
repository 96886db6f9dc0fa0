/** How much of the app anybody may use, and what counts it: the platform where it does, each isolate for itself where not. */
import {
  type Allowance,
  defaultRateLimits,
  type Limits,
  memoryLimiter,
  type RateLimiter,
} from 'assistant-auth';

/** Every limit with what it allows; the Wrangler file says the same to Cloudflare. */
export const allowances = {
  ...defaultRateLimits,
  /** Calls that only read, by user. */
  reads: { limit: 600, period: 60 },
  /** Calls that change a score, by user: each costs a row. */
  writes: { limit: 300, period: 60 },
} as const satisfies Readonly<Record<string, Allowance>>;

export type LimitName = keyof typeof allowances;

/** A counter of Cloudflare's (a rate-limit binding), which counts in each of its locations by itself. */
export interface RateLimitBinding {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

export interface AppLimits {
  readonly broker: Omit<Limits, 'signInsPerUser'>;
  /** The limit that a call of the API counts for. */
  readonly selectLimiter: (request: Request) => RateLimiter;
}

/**
 * Puts the limits together.
 * @param counters what the platform counts; the rest is counted in memory
 * @param now the clock of what is counted in memory; left out: the system's
 */
export const createLimits = (
  rateLimitBindings: Partial<Readonly<Record<LimitName, RateLimitBinding>>> = {},
  now?: () => number,
): AppLimits => {
  const limiter = (name: LimitName): RateLimiter => {
    const binding = rateLimitBindings[name];
    return binding === undefined ? memoryLimiter(allowances[name], now) : createBindingLimiter(binding);
  };
  const [reads, writes] = [limiter('reads'), limiter('writes')];
  return {
    broker: {
      failedAuthentications: limiter('failedAuthentications'),
      signIns: limiter('signIns'),
      refreshesPerGrant: limiter('refreshesPerGrant'),
    },
    selectLimiter: ({ method }) => (method === 'POST' ? writes : reads),
  };
};

/** Takes a counter of Cloudflare's as a rate limiter. */
export const createBindingLimiter = (binding: RateLimitBinding): RateLimiter => ({
  take: async (key) => ((await binding.limit({ key })).success ? 'allowed' : 'limited'),
});

/** The caller's address as Cloudflare found it. Nobody can send this header: Cloudflare refuses requests that bring their own. */
export const clientAddress = ({ headers }: Request): string | undefined =>
  headers.get('cf-connecting-ip') ?? undefined;
