/**
 * The contract test of rate limiters. A platform's limiter may allow more requests than its limit, so exact
 * counts are tested elsewhere.
 */
import { describe, expect, it } from 'vitest';
import type { RateLimiter, RateLimitResult } from '../../src/index.ts';

/** A limiter that has not counted any request yet, and its limit. */
export interface FreshLimiter {
  readonly limiter: RateLimiter;
  readonly limit: number;
}

export const rateLimiterContract = (name: string, makeLimiter: () => FreshLimiter): void => {
  describe(name, () => {
    it('allows as many requests as its limit', async () => {
      const { limiter, limit } = makeLimiter();
      expect(await takeAll(limiter, 'somebody', limit)).toEqual(Array(limit).fill('allowed'));
    });

    it('limits requests beyond that', async () => {
      const { limiter, limit } = makeLimiter();
      // One more than twice the limit, because a counter that is reset every minute may be reset in between.
      expect(await takeAll(limiter, 'somebody', 2 * limit + 1)).toContain('limited');
    });

    it('counts each key separately, whatever characters it contains', async () => {
      const { limiter, limit } = makeLimiter();
      await takeAll(limiter, 'somebody', 2 * limit + 1);
      for (const key of ['somebody else', 'Somebody', 'somebody ', '', 'ö', 'x'.repeat(300)])
        expect([key, await limiter.take(key)]).toEqual([key, 'allowed']);
    });

    it('allows at least its limit and at most twice its limit of concurrent requests', async () => {
      const { limiter, limit } = makeLimiter();
      const results = await Promise.all(
        Array.from({ length: 2 * limit + 1 }, () => limiter.take('everybody')),
      );
      expect(results.filter((result) => result === 'allowed').length).toBeLessThanOrEqual(2 * limit);
      expect(results.filter((result) => result === 'allowed').length).toBeGreaterThanOrEqual(limit);
    });
  });
};

const takeAll = async (
  limiter: RateLimiter,
  key: string,
  count: number,
): Promise<readonly RateLimitResult[]> => {
  const results: RateLimitResult[] = [];
  for (let attempt = 0; attempt < count; attempt++) results.push(await limiter.take(key));
  return results;
};
