import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryLimiter } from '../../src/index.ts';
import { rateLimiterContract } from './rate-limiter-contract.ts';

rateLimiterContract('the limiter in memory', () => ({
  limiter: memoryLimiter({ limit: 5, period: 60 }),
  limit: 5,
}));

/** A limiter with a clock that is set by hand. */
const setUp = (limit: number, period: 10 | 60 = 60) => {
  let instant = 1_800_000_000;
  const limiter = memoryLimiter({ limit, period }, () => instant);
  return {
    take: (key = 'somebody') => limiter.take(key),
    advance: (seconds: number) => {
      instant += seconds;
    },
    /** How often a key is allowed right now. */
    async allowance(key?: string) {
      let taken = 0;
      while ((await limiter.take(key ?? 'somebody')) === 'allowed') taken += 1;
      return taken;
    },
  };
};

describe('the limiter in memory', () => {
  it.each([Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY])('is not made for %d', (wrong) => {
    const refused = expect.objectContaining({ name: 'ConfigurationError', option: 'limits' });
    expect(() => memoryLimiter({ limit: wrong, period: 60 })).toThrow(refused);
    expect(() => memoryLimiter({ limit: 5, period: JSON.parse(JSON.stringify(wrong)) })).toThrow(refused);
  });

  it('gives the allowance back evenly', async () => {
    const { allowance, advance } = setUp(6);
    expect(await allowance()).toBe(6);
    advance(9);
    expect(await allowance()).toBe(0);
    advance(1);
    expect(await allowance()).toBe(1);
    advance(30);
    expect(await allowance()).toBe(3);
    advance(60);
    expect(await allowance()).toBe(6);
    advance(6000);
    expect(await allowance()).toBe(6);
  });

  it('takes nothing for what it limits', async () => {
    const { allowance, take, advance } = setUp(5, 10);
    await allowance();
    for (let turn = 0; turn < 1000; turn++) expect(await take()).toBe('limited');
    advance(2);
    expect(await take()).toBe('allowed');
  });

  it('gives nothing back, and takes nothing more, when the clock is set back', async () => {
    const { allowance, take, advance } = setUp(6);
    await take();
    advance(-3600);
    expect(await allowance()).toBe(5);
    advance(3600);
    expect(await allowance()).toBe(6);
  });

  it('never allows more than its limit at once and a limit more for each period', async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), pauses, async (limit, waits) => {
        const { take, advance } = setUp(limit);
        let allowed = 0;
        for (const wait of waits) {
          advance(wait);
          if ((await take()) === 'allowed') allowed += 1;
        }
        const elapsed = waits.slice(1).reduce((sum, wait) => sum + wait, 0);
        expect(allowed).toBeLessThanOrEqual(limit + (elapsed * limit) / 60 + 1e-6);
      }),
    );
  });

  it('remembers 10,000 keys, and forgets the one that was silent longest', async () => {
    const { take } = setUp(1);
    for (let key = 0; key < 10_000; key++) await take(String(key));
    for (const key of ['0', '1', '9999']) expect(await take(key)).toBe('limited');
    await take('10000');
    for (const key of ['1', '9999', '10000']) expect(await take(key)).toBe('limited');
    expect(await take('0')).toBe('allowed');
  });
});
