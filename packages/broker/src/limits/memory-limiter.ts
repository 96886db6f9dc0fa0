/** The rate limiter in memory: for runtimes whose platform counts nothing, and for one process or isolate by itself. */
import { ConfigurationError } from '../protocol/errors.ts';
import type { Clock, EpochSeconds } from '../protocol/time.ts';
import type { Allowance, RateLimiter } from './rate-limiter.ts';

/** Keys that are remembered at most, about a megabyte. Whoever can use more keys than that is not stopped by counting keys. */
const mostKeys = 10_000;

/** How much of its allowance a key had used up, and when: it has been getting it back evenly ever since. */
interface Use {
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
  const uses = new Map<string, Use>();
  return {
    async take(key) {
      const at = now();
      const amount = stillUsed(uses.get(key), at, limit / period);
      if (amount + 1 > limit) return 'limited';
      uses.delete(key);
      uses.set(key, { amount: amount + 1, at });
      if (uses.size > mostKeys) forgetFirst(uses);
      return 'allowed';
    },
  };
};

const stillUsed = (use: Use | undefined, at: EpochSeconds, regainedPerSecond: number): number => {
  if (use === undefined) return 0;
  // A clock that was set back gives nothing back, and takes nothing more.
  const elapsed = Math.max(0, at - use.at);
  return Math.max(0, use.amount - elapsed * regainedPerSecond);
};

const forgetFirst = (uses: Map<string, Use>): void => {
  const [first] = uses.keys();
  if (first !== undefined) uses.delete(first);
};
