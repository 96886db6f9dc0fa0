/**
 * Rate limits: the broker's limits and their defaults, the limiter that counts in memory, and address blocks
 * as keys. `protect` limits API calls if it is given a limiter.
 */
import { ConfigurationError, describeCause, rejectUnknownOptions } from '../oauth/errors.ts';
import type { Clock, EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import type { Log } from '../oauth/log.ts';

/**
 * The broker's own limits, by name. An address block is an IPv4 address or the /64 of an IPv6 address. A
 * limiter that fails allows the request, and the failure is logged.
 */
export interface Limits {
  /**
   * Counts wrong client credentials, at all endpoints together, by claimed ID and address block; and forged
   * security events and logout tokens, by provider and address block. Valid ones are never counted or
   * refused. Beyond the limit, wrong ones get a 429 response. Default: 20 per minute, counted in memory.
   */
  readonly failedAuthentications: RateLimiter;
  /**
   * Counts browser requests by address block: those of sign-ins (about three for each) and those to the
   * account page, except those within `requestsPerSignIn`. Requests without a known address are not counted.
   * Beyond the limit, a request gets a 429 page. Default: 300 per minute, counted in memory.
   */
  readonly pageRequests: RateLimiter;
  /**
   * Counts browser requests that prove that a sign-in or a session is in progress, so that other people at
   * the same address can't stop it: by the form of the sign-in page, by the login transaction, and by the
   * session of the account page. Beyond the limit, a request counts as one of `pageRequests`. Default: 20 per
   * minute, counted in memory.
   */
  readonly requestsPerSignIn: RateLimiter;
  /**
   * Counts refresh requests by grant ID, after all checks that need no storage. Beyond the limit, a request
   * that would succeed gets a 429 response, and its refresh token stays valid. Whether it would succeed is
   * read from storage. These reads are counted, by grant ID and generation, and beyond the limit, every
   * request gets a 429 response. Default: 30 per minute, counted in memory.
   */
  readonly refreshesPerGrant: RateLimiter;
  /**
   * Limits the sign-ins of a user at a provider, for all clients and the account page, and separately those
   * that start in a session. Storage counts them, over the last `period` at any time. Beyond the limit, a
   * sign-in gets a 429 page. Default: 20 in 600 seconds.
   */
  readonly signInsPerUser: Allowance;
}

/** The name of a limit that a rate limiter counts. Storage counts `signInsPerUser`. */
export type CountedLimit = Exclude<keyof Limits, 'signInsPerUser'>;

/**
 * The default allowances of the rate limiters. They are far more than users who share an address in a school
 * or a mobile network need, and far less than an attacker sends. The values are listed in {@link Limits}.
 */
export const defaultRateLimits: Readonly<Record<CountedLimit, Allowance>> = {
  failedAuthentications: { limit: 20, period: 60 },
  pageRequests: { limit: 300, period: 60 },
  requestsPerSignIn: { limit: 20, period: 60 },
  refreshesPerGrant: { limit: 30, period: 60 },
};

/**
 * Fills in the default limits, which count in memory.
 * @throws ConfigurationError `limits.signInsPerUser` if `limit` or `period` is out of bounds
 */
export const createLimits = (given: Partial<Limits> = {}, now: Clock, log: Log): Limits => {
  const { signInsPerUser = { limit: 20, period: 600 }, ...limiters } = given;
  rejectUnknownOptions('limits.', limiters, defaultRateLimits);
  const createLimit = (name: CountedLimit): RateLimiter => {
    const limiter = limiters[name] ?? createMemoryLimiter(defaultRateLimits[name], now);
    // An allowance has no `take`: as a limiter it would fail at each request, and so allow all of them.
    if (typeof limiter.take !== 'function')
      throw new ConfigurationError(`limits.${name}`, 'must be a rate limiter, such as memoryLimiter(…).');
    return failOpen(limiter, log);
  };
  return {
    failedAuthentications: createLimit('failedAuthentications'),
    pageRequests: createLimit('pageRequests'),
    requestsPerSignIn: createLimit('requestsPerSignIn'),
    refreshesPerGrant: createLimit('refreshesPerGrant'),
    signInsPerUser: parseAllowance('limits.signInsPerUser', signInsPerUser),
  };
};

const minPeriod: Seconds = 10;

/** Storage counts grants and keeps each one for at least an hour, so it cannot count over a longer period. */
const maxPeriod: Seconds = 3600;

/**
 * Checks an allowance.
 * @param option the path in the options, for the error
 * @throws ConfigurationError `<option>` if `limit` or `period` is not a whole number or is out of bounds
 */
const parseAllowance = (option: string, { limit, period }: Allowance): Allowance => {
  const isLimit = Number.isSafeInteger(limit) && limit >= 1;
  const isPeriod = Number.isSafeInteger(period) && period >= minPeriod && period <= maxPeriod;
  if (isLimit && isPeriod) return { limit, period };
  const bounds = `a limit of at least 1 and a period from ${minPeriod} to ${maxPeriod} seconds`;
  throw new ConfigurationError(option, `must have ${bounds}, both whole numbers.`);
};

/** The result of counting one request: whether it is within the allowance. */
export type RateLimitResult =
  /** The request can be handled. */
  | 'allowed'
  /** The request must be refused, with status 429. */
  | 'limited';

/**
 * Counts requests by key within one allowance. A platform can count separately in each data center and with a
 * delay, so a limiter can let more requests pass than the allowance, but never fewer.
 */
export interface RateLimiter {
  /**
   * Counts one request. A request that is limited is not counted. If this method throws, the request is
   * allowed, and the failure is logged.
   * @param key what the request is counted by: a string of at most a few hundred characters
   */
  take(key: string): Promise<RateLimitResult>;
}

/** How many requests one key is allowed. */
export interface Allowance {
  /** The maximum number of requests in one period. A whole number of at least 1. */
  readonly limit: number;
  /** The length of the period, in seconds. A whole number from 10 to 3600. */
  readonly period: Seconds;
}

/**
 * Wraps a limiter so that it allows every request while it fails, and logs the failure: a broken counter must
 * not lock anyone out.
 */
export const failOpen = (limiter: RateLimiter, log: Log): RateLimiter => ({
  async take(key) {
    try {
      return await limiter.take(key);
    } catch (error) {
      log({ event: 'limiter-failed', cause: describeCause(error) });
      return 'allowed';
    }
  },
});

// The rate limiter in memory, for platforms without counters. It counts for one process or isolate only.

/**
 * The maximum number of keys: one to three megabytes. A limit per key does not stop an attacker who has more
 * keys than that.
 */
const maxKeys = 10_000;

/** How much of its allowance a key had used at one point in time. From then on, it refills evenly. */
interface Usage {
  readonly amount: number;
  readonly at: EpochSeconds;
}

/**
 * Creates a limiter that counts in this process. A key can use its whole allowance at once; what it has used
 * is refilled evenly over the period. The limiter keeps at most 10,000 keys, and drops the key whose last
 * allowed request is the oldest.
 * @param now the clock, in whole seconds
 * @throws ConfigurationError `limits` if `limit` or `period` is not a whole number or is out of bounds
 */
export const createMemoryLimiter = (allowance: Allowance, now: Clock): RateLimiter => {
  const { limit, period } = parseAllowance('limits', allowance);
  // A Map keeps the order of insertion, so the key whose last allowed request is the oldest comes first.
  const usageByKey = new Map<string, Usage>();
  return {
    async take(name) {
      // Copied: V8 keeps a string in memory as long as a part of it, and a claimed client ID is a part of a
      // body.
      const key = structuredClone(name);
      const at = now();
      const amount = computeUsage(usageByKey.get(key), at, limit / period);
      if (amount + 1 > limit) return 'limited';
      usageByKey.delete(key);
      usageByKey.set(key, { amount: amount + 1, at });
      if (usageByKey.size > maxKeys) {
        const [oldest] = usageByKey.keys();
        if (oldest !== undefined) usageByKey.delete(oldest);
      }
      return 'allowed';
    },
  };
};

const computeUsage = (use: Usage | undefined, at: EpochSeconds, refillPerSecond: number): number => {
  if (use === undefined) return 0;
  // While a clock that was set back catches up, nothing refills.
  const elapsed = Math.max(0, at - use.at);
  return Math.max(0, use.amount - elapsed * refillPerSecond);
};

// Address blocks: the part of an address that identifies one customer of a network. The limits use it as a
// key.

const ipv4Pattern = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * A zone ID (RFC 4007 §11) can follow. It identifies an interface of this machine and not the sender.
 */
const ipv6Pattern = /^([0-9a-f:.]+)(%.*)?$/i;

/**
 * An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), as dual-stack servers report it and the URL parser
 * serializes it.
 */
const ipv4MappedPattern = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * Returns the block of an address: the IPv4 address itself, or the /64 of an IPv6 address, in which a single
 * device can choose any address. Different spellings of an address have the same block. Use it as the key of a
 * rate limiter, as the broker does.
 * @returns `undefined` if the text is not an address
 * @example
 * ```ts
 * import { memoryLimiter, toAddressBlock } from 'assistant-auth';
 *
 * const limiter = memoryLimiter({ limit: 100, period: 60 });
 * const block = toAddressBlock('2001:db8::1'); // 2001:db8:0:0::/64
 * const result = block === undefined ? 'allowed' : await limiter.take(block);
 * ```
 */
export const toAddressBlock = (address: string): string | undefined => {
  if (ipv4Pattern.test(address)) return URL.parse(`http://${address}`)?.hostname;
  // The URL parser accepts every spelling of an IPv6 address and serializes it in one form.
  const canonical = URL.parse(`http://[${ipv6Pattern.exec(address)?.[1]}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [, high, low] = ipv4MappedPattern.exec(canonical) ?? [];
  return high === undefined || low === undefined
    ? `${formatNetworkPrefix(canonical)}::/64`
    : formatIpv4(high, low);
};

/** Returns the first four groups of an IPv6 address. */
const formatNetworkPrefix = (canonical: string): string => {
  const [before = [], after = []] = canonical.split('::').map((part) => part.match(/[^:]+/g) ?? []);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
};

const formatIpv4 = (high: string, low: string): string =>
  [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
