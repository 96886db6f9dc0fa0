/** What the broker limits by itself, and how much of each is plenty. Calls of an API are limited where `protect` is asked for it. */
import type { Log } from '../protocol/log.ts';
import type { Clock } from '../protocol/time.ts';
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
}

/** Far more than people need, who share an address with a school or a mobile network; far less than a flood. */
export const defaultAllowances = {
  failedClients: { limit: 20, period: 60 },
  signIns: { limit: 300, period: 60 },
} as const satisfies Readonly<Record<keyof Limits, Allowance>>;

/** Completes the limits with counters in memory. */
export const createLimits = (given: Partial<Limits> = {}, now: Clock, log: Log): Limits => {
  const { failedClients, signIns } = defaultAllowances;
  return {
    failedClients: failOpen(given.failedClients ?? createMemoryLimiter(failedClients, now), log),
    signIns: failOpen(given.signIns ?? createMemoryLimiter(signIns, now), log),
  };
};
