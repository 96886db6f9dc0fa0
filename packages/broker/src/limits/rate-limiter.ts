/** The port of a rate limiter: something that counts by key and says when it is enough. What is counted is not its business. */
import { describeCause } from '../protocol/cause.ts';
import type { Log } from '../protocol/log.ts';

/** What one more would be: within the allowance, or beyond it. */
export type Verdict = 'allowed' | 'limited';

/**
 * Counts, by key, within one allowance. A platform may count by data centre and a little late, so it may let more pass than the
 * allowance says, never fewer. Implementations pass `rateLimiterContract`.
 */
export interface RateLimiter {
  /** Takes one from the allowance of `key`; what is limited takes nothing. */
  take(key: string): Promise<Verdict>;
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
