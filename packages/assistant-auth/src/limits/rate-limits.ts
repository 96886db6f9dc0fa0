/** What the broker limits by itself, and how much of each is plenty. Calls of an API are limited where `protect` is asked for it. */
import { ConfigurationError, describeCause } from '../oauth/errors.ts';
import type { Clock, EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import type { Log } from '../oauth/log.ts';

/** The broker's own limits by name. */
export interface Limits {
  /**
   * Wrong credentials, wherever they are asked for, by claimed id and address block, and forged signals, by provider and address
   * block. The right ones are never counted.
   */
  readonly failedAuthentications: RateLimiter;
  /** Requests of a browser on its way through a sign-in, about three for each, and those of the account page, by address block. */
  readonly signIns: RateLimiter;
  /**
   * Counts refresh requests with a valid refresh token, by grant ID. A refused request gets a 429 response, and its refresh token stays
   * valid. Beyond the limit, checks whether a request could succeed are counted by grant ID and generation. Default: 30 per minute, counted
   * in memory.
   */
  readonly refreshesPerGrant: RateLimiter;
  /**
   * Limits the sign-ins of a user at a provider, for all clients and the account page, and separately those that start in a session. Storage
   * counts them. Default: 20 in 600 seconds.
   */
  readonly signInsPerUser: SignInLimit;
}

/** How often one user can sign in. */
export interface SignInLimit {
  /** The maximum number of sign-ins within any `period`. A whole number of at least 1. */
  readonly limit: number;
  /** The length of the period in seconds. A whole number from 1 to 3600. */
  readonly period: Seconds;
}

/** Far more than people need, who share an address with a school or a mobile network; far less than a flood. */
export const defaultRateLimits = {
  failedAuthentications: { limit: 20, period: 60 },
  signIns: { limit: 300, period: 60 },
  refreshesPerGrant: { limit: 30, period: 60 },
} as const satisfies Readonly<Record<Exclude<keyof Limits, 'signInsPerUser'>, Allowance>>;

/**
 * Completes the limits with counters in memory.
 * @throws ConfigurationError `limits.signInsPerUser` if `limit` or `period` is out of bounds
 */
export const createLimits = (given: Partial<Limits> = {}, now: Clock, log: Log): Limits => {
  const { failedAuthentications, signIns, refreshesPerGrant } = defaultRateLimits;
  return {
    failedAuthentications: failOpen(
      given.failedAuthentications ?? createMemoryLimiter(failedAuthentications, now),
      log,
    ),
    signIns: failOpen(given.signIns ?? createMemoryLimiter(signIns, now), log),
    refreshesPerGrant: failOpen(given.refreshesPerGrant ?? createMemoryLimiter(refreshesPerGrant, now), log),
    signInsPerUser: parseSignInLimit(given.signInsPerUser),
  };
};

/** Storage counts grants and keeps each one for at least an hour, so it cannot count over a longer period. */
const maxPeriod: Seconds = 3600;

const parseSignInLimit = ({ limit, period }: SignInLimit = { limit: 20, period: 600 }) => {
  const isLimit = Number.isSafeInteger(limit) && limit >= 1;
  const isPeriod = Number.isSafeInteger(period) && period >= 1 && period <= maxPeriod;
  if (isLimit && isPeriod) return { limit, period };
  const bounds = `a limit of at least 1 and a period from 1 to ${maxPeriod} seconds, both whole numbers`;
  throw new ConfigurationError('limits.signInsPerUser', `must have ${bounds}.`);
};

// The port of a rate limiter: something that counts by key and says when it is enough. What is counted is not its business.

/** What one more would be: within the allowance, or beyond it. */
export type RateLimitResult = 'allowed' | 'limited';

/**
 * Counts, by key, within one allowance. A platform may count by data centre and a little late, so it may let more pass than the
 * allowance says, never fewer. Implementations pass `rateLimiterContract`.
 */
export interface RateLimiter {
  /** Takes one from the allowance of `key`; what is limited takes nothing. */
  take(key: string): Promise<RateLimitResult>;
}

/** How much is plenty. */
export interface Allowance {
  /** So many at once; afterwards as many again per period. */
  readonly limit: number;
  /** In seconds; the two that Cloudflare's own counters know. */
  readonly period: 10 | 60;
}

/** Makes a limiter that lets everybody pass, and logs it, while it fails: a counter out of order is no reason to turn anybody away. */
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

// The rate limiter in memory: for runtimes whose platform counts nothing, and for one process or isolate by itself.

/** Keys that are remembered at most, about a megabyte. Whoever can use more keys than that is not stopped by counting keys. */
const maxKeys = 10_000;

/** How much of its allowance a key had used up, and when: it has been getting it back evenly ever since. */
interface Usage {
  readonly amount: number;
  readonly at: EpochSeconds;
}

/**
 * Counts in this process. Remembers 10,000 keys and forgets the one that was silent longest.
 * @param now the clock in whole seconds
 * @throws ConfigurationError `limits` for an allowance that is no whole number: a limiter that counts with it would limit nothing
 */
export const createMemoryLimiter = ({ limit, period }: Allowance, now: Clock): RateLimiter => {
  if (![limit, period].every((value) => Number.isSafeInteger(value) && value >= 1))
    throw new ConfigurationError('limits', 'must be whole numbers from 1 on.');
  // A Map keeps the order of insertion, so the key that was silent longest stands first.
  const usageByKey = new Map<string, Usage>();
  return {
    async take(key) {
      const at = now();
      const amount = computeUsage(usageByKey.get(key), at, limit / period);
      if (amount + 1 > limit) return 'limited';
      usageByKey.delete(key);
      usageByKey.set(key, { amount: amount + 1, at });
      if (usageByKey.size > maxKeys) evictOldest(usageByKey);
      return 'allowed';
    },
  };
};

const computeUsage = (use: Usage | undefined, at: EpochSeconds, refillPerSecond: number): number => {
  if (use === undefined) return 0;
  // A clock that was set back gives nothing back, and takes nothing more.
  const elapsed = Math.max(0, at - use.at);
  return Math.max(0, use.amount - elapsed * refillPerSecond);
};

const evictOldest = (usageByKey: Map<string, Usage>): void => {
  const [first] = usageByKey.keys();
  if (first !== undefined) usageByKey.delete(first);
};

// The part of a network address that one customer of a network holds, which is what limits count.

/** Returns the address block that a request came from, or `undefined` if the platform does not tell the address. */
export const findAddressBlock = (
  clientAddress: ((request: Request) => string | undefined) | undefined,
  request: Request,
): string | undefined => {
  const address = clientAddress?.(request);
  return address === undefined ? undefined : toAddressBlock(address);
};

const ipv4Pattern = /^\d{1,3}(\.\d{1,3}){3}$/;

/** A zone (RFC 4007 §11) may follow: it names an interface of this machine, and says nothing about the other side. */
const ipv6Pattern = /^([0-9a-f:.]+)(%.*)?$/i;

/** IPv4 written as IPv6 (RFC 4291 §2.5.5.2), as dual-stack servers hand it over: in the spelling of a parsed URL. */
const ipv4MappedPattern = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * Gives the block of an address: an IPv4 address itself, and the /64 of an IPv6 address, within which a single device may choose
 * freely. Different spellings of an address give the same block.
 * @returns `undefined` for what is no address
 */
export const toAddressBlock = (address: string): string | undefined => {
  if (ipv4Pattern.test(address)) return URL.parse(`http://${address}`)?.hostname;
  // The URL parser knows every spelling of an IPv6 address, and writes them all in one.
  const canonical = URL.parse(`http://[${ipv6Pattern.exec(address)?.[1]}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [, high, low] = ipv4MappedPattern.exec(canonical) ?? [];
  return high === undefined || low === undefined
    ? `${formatNetworkPrefix(canonical)}::/64`
    : formatIpv4(high, low);
};

/** The first four groups of an IPv6 address. */
const formatNetworkPrefix = (canonical: string): string => {
  const [head = '', tail] = canonical.split('::');
  const before = splitGroups(head);
  const after = splitGroups(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
};

const splitGroups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));

const formatIpv4 = (high: string, low: string): string =>
  [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
