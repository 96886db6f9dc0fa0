/** Rate limits, the in-memory limiter, and the address blocks that limits count by. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import page from '../../../../docs/reference/limits.md?raw';
import { defaultRateLimits, type LogEntry, memoryLimiter } from '../../src/index.ts';
import { createLimits, failOpen, toAddressBlock } from '../../src/limits/rate-limits.ts';
import { rateLimiterContract } from './rate-limiter-contract.ts';

describe('limits', () => {
  const failingLimiter = {
    take: async () => {
      throw new Error('the counter is gone');
    },
  };

  describe('a limiter that fails', () => {
    it('allows every request, and is logged', async () => {
      const log: LogEntry[] = [];
      const limiter = failOpen(failingLimiter, (entry) => void log.push(entry));
      expect(await limiter.take('somebody')).toBe('allowed');
      expect(log).toEqual([{ event: 'limiter-failed', cause: 'Error: the counter is gone' }]);
    });
  });

  it('have the defaults that docs/reference/limits.md states', () => {
    const { signInsPerUser } = createLimits(
      {},
      () => 0,
      () => {},
    );
    const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| (\d+) in (\d+) seconds \| `[\w.-]+` \|$/gm)].map(
      ([, name = '', limit, period]) => [name, { limit: Number(limit), period: Number(period) }] as const,
    );
    const defaults = { ...defaultRateLimits, signInsPerUser };
    expect(Object.fromEntries(rows)).toEqual(defaults);
    for (const [name, allowance] of rows) expect(defaults).toHaveProperty(name, allowance);
  });

  describe('the limits', () => {
    it('are counted in memory by default', async () => {
      const limits = createLimits(
        {},
        () => 1_800_000_000,
        () => {},
      );
      for (const name of ['failedAuthentications', 'pageRequests'] as const) {
        const { limit } = defaultRateLimits[name];
        for (let attempt = 0; attempt < limit; attempt++)
          expect(await limits[name].take('somebody')).toBe('allowed');
        expect(await limits[name].take('somebody')).toBe('limited');
      }
    });

    it('are counted by the given limiters, and one that fails allows every request', async () => {
      const log: LogEntry[] = [];
      const keys: string[] = [];
      const countingLimiter = {
        take: async (key: string) => (keys.push(key) > 1 ? 'limited' : 'allowed'),
      } as const;
      const limits = createLimits(
        { failedAuthentications: failingLimiter, pageRequests: countingLimiter },
        () => 0,
        (entry) => void log.push(entry),
      );
      expect([await limits.pageRequests.take('one'), await limits.pageRequests.take('two')]).toEqual([
        'allowed',
        'limited',
      ]);
      expect(await limits.failedAuthentications.take('three')).toBe('allowed');
      expect(keys).toEqual(['one', 'two']);
      expect(log).toEqual([{ event: 'limiter-failed', cause: 'Error: the counter is gone' }]);
    });
  });
});

describe('the in-memory limiter', () => {
  rateLimiterContract('the in-memory limiter', () => ({
    limiter: memoryLimiter({ limit: 5, period: 60 }),
    limit: 5,
  }));

  /** Creates a limiter with a manual clock. */
  const setUp = (limit: number, period = 60) => {
    let instant = 1_800_000_000;
    const limiter = memoryLimiter({ limit, period }, () => instant);
    return {
      take: (key = 'somebody') => limiter.take(key),
      advance: (seconds: number) => {
        instant += seconds;
      },
      /** Counts how many requests of a key are allowed right now. */
      async allowance(key?: string) {
        let count = 0;
        while ((await limiter.take(key ?? 'somebody')) === 'allowed') count += 1;
        return count;
      },
    };
  };

  it.each([Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY])('refuses a limit of %d', (value) => {
    const expectedError = expect.objectContaining({ name: 'ConfigurationError', option: 'limits' });
    expect(() => memoryLimiter({ limit: value, period: 60 })).toThrow(expectedError);
    expect(() => memoryLimiter({ limit: 5, period: JSON.parse(JSON.stringify(value)) })).toThrow(
      expectedError,
    );
  });

  it.each([
    ['limits.failedAuthentications', { failedAuthentications: { limit: 5, period: 60 } }],
    ['limits.signIns', { signIns: { take: async () => 'limited' } }],
  ])('refuses %s that a JavaScript caller passes', (option, limits: object) => {
    expect(() =>
      createLimits(
        limits,
        () => 0,
        () => {},
      ),
    ).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
  });

  it.each([9, 3601, 60.5, Number.NaN])('refuses a period of %d', (period) => {
    expect(() => memoryLimiter({ limit: 5, period })).toThrow(
      expect.objectContaining({
        option: 'limits',
        message:
          'limits must have a limit of at least 1 and a period from 10 to 3600 seconds, both whole numbers.',
      }),
    );
  });

  it.each([10, 3600])('allows the limit again after a period of %d', async (period) => {
    const { allowance, advance } = setUp(3, period);
    expect(await allowance()).toBe(3);
    advance(period);
    expect(await allowance()).toBe(3);
  });

  it('refills the allowance evenly', async () => {
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

  it('does not count limited requests', async () => {
    const { allowance, take, advance } = setUp(5, 10);
    await allowance();
    for (let attempt = 0; attempt < 1000; attempt++) expect(await take()).toBe('limited');
    advance(2);
    expect(await take()).toBe('allowed');
  });

  it('neither refills nor counts more if the clock is set back', async () => {
    const { allowance, take, advance } = setUp(6);
    await take();
    advance(-3600);
    expect(await allowance()).toBe(5);
    advance(3600);
    expect(await allowance()).toBe(6);
  });

  it('never allows more than its limit at once, plus one limit for each period', async () => {
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

  it('keeps 10,000 keys, and drops the least recently used one', async () => {
    const { take } = setUp(1);
    for (let key = 0; key < 10_000; key++) await take(String(key));
    for (const key of ['0', '1', '9999']) expect(await take(key)).toBe('limited');
    await take('10000');
    for (const key of ['1', '9999', '10000']) expect(await take(key)).toBe('limited');
    expect(await take('0')).toBe('allowed');
  });
});

describe('address blocks', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:0.0.0.1', '0.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('the block of %s is %s', (address, block) => {
    expect(toAddressBlock(address)).toBe(block);
  });

  it.each([
    '',
    ' ',
    'unknown',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.7, 198.51.100.1',
    '203.0.113.7:443',
    '[2001:db8::1]',
    '2001:db8::1::',
    '2001:db8:1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7',
    '::1]:80/',
    'localhost',
    '%eth0',
  ])('there is no block for %j', (address) => {
    expect(toAddressBlock(address)).toBeUndefined();
  });

  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const groups = (count: number) => fc.array(group, { minLength: count, maxLength: count });

  it('the block is the same for all addresses of a /64, and different for every other /64', () => {
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), groups(4), (network, other, one, two) => {
        fc.pre(network.slice(0, 3).some((value) => value !== '0'));
        const block = toAddressBlock([...network, ...one].join(':'));
        expect(block).toBe(`${network.join(':')}::/64`);
        expect(toAddressBlock([...network, ...two].join(':').toUpperCase())).toBe(block);
        if (other.join(':') !== network.join(':'))
          expect(toAddressBlock([...other, ...one].join(':'))).not.toBe(block);
      }),
    );
  });

  it('toAddressBlock never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['string', 'undefined']).toContain(typeof toAddressBlock(text));
      }),
    );
  });
});
