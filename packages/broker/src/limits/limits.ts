/** What the broker limits by itself, and how much of each is plenty. Calls of an API are limited where `protect` is asked for it. */
import { ConfigurationError } from '../protocol/errors.ts';
import type { Log } from '../protocol/log.ts';
import type { Clock, Seconds } from '../protocol/time.ts';
import { createMemoryLimiter } from './memory-limiter.ts';
import { type Allowance, failOpen, type RateLimiter } from './rate-limiter.ts';

/** The broker's own limits by name. */
export interface Limits {
  /**
   * Wrong credentials, wherever they are asked for, by claimed id and address block, and forged signals, by provider and address
   * block. The right ones are never counted.
   */
  readonly failedClients: RateLimiter;
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
  readonly signInsPerUser: SignInAllowance;
}

/** How often one user can sign in. */
export interface SignInAllowance {
  /** The maximum number of sign-ins within any `period`. A whole number of at least 1. */
  readonly limit: number;
  /** The length of the period in seconds. A whole number from 1 to 3600. */
  readonly period: Seconds;
}

/** Far more than people need, who share an address with a school or a mobile network; far less than a flood. */
export const defaultAllowances = {
  failedClients: { limit: 20, period: 60 },
  signIns: { limit: 300, period: 60 },
  refreshesPerGrant: { limit: 30, period: 60 },
} as const satisfies Readonly<Record<Exclude<keyof Limits, 'signInsPerUser'>, Allowance>>;

/**
 * Completes the limits with counters in memory.
 * @throws ConfigurationError `limits.signInsPerUser` if `limit` or `period` is out of bounds
 */
export const createLimits = (given: Partial<Limits> = {}, now: Clock, log: Log): Limits => {
  const { failedClients, signIns, refreshesPerGrant } = defaultAllowances;
  return {
    failedClients: failOpen(given.failedClients ?? createMemoryLimiter(failedClients, now), log),
    signIns: failOpen(given.signIns ?? createMemoryLimiter(signIns, now), log),
    refreshesPerGrant: failOpen(given.refreshesPerGrant ?? createMemoryLimiter(refreshesPerGrant, now), log),
    signInsPerUser: parseSignInAllowance(given.signInsPerUser),
  };
};

/** Storage counts grants and keeps each one for at least an hour, so it cannot count over a longer period. */
const maxPeriod: Seconds = 3600;

const parseSignInAllowance = ({ limit, period }: SignInAllowance = { limit: 20, period: 600 }) => {
  const isLimit = Number.isSafeInteger(limit) && limit >= 1;
  const isPeriod = Number.isSafeInteger(period) && period >= 1 && period <= maxPeriod;
  if (isLimit && isPeriod) return { limit, period };
  const bounds = `a limit of at least 1 and a period from 1 to ${maxPeriod} seconds, both whole numbers`;
  throw new ConfigurationError('limits.signInsPerUser', `must have ${bounds}.`);
};
