import { describe, expect, it } from 'vitest';
import { defaultRateLimits, type LogEntry } from '../../src/index.ts';
import { createLimits, failOpen } from '../../src/limits/rate-limits.ts';

const broken = {
  take: async () => {
    throw new Error('the counter is gone');
  },
};

describe('a limiter that fails', () => {
  it('lets everybody pass, and is logged', async () => {
    const log: LogEntry[] = [];
    const limiter = failOpen(broken, (entry) => void log.push(entry));
    expect(await limiter.take('somebody')).toBe('allowed');
    expect(log).toEqual([{ event: 'limiter-failed', cause: 'Error: the counter is gone' }]);
  });
});

describe('the limits', () => {
  it('are counted in memory where nothing else counts', async () => {
    const limits = createLimits(
      {},
      () => 1_800_000_000,
      () => {},
    );
    for (const name of ['failedAuthentications', 'signIns'] as const) {
      const { limit } = defaultRateLimits[name];
      for (let turn = 0; turn < limit; turn++) expect(await limits[name].take('somebody')).toBe('allowed');
      expect(await limits[name].take('somebody')).toBe('limited');
    }
  });

  it('are counted by what is given, and stand even if it fails', async () => {
    const log: LogEntry[] = [];
    const keys: string[] = [];
    const counting = { take: async (key: string) => (keys.push(key) > 1 ? 'limited' : 'allowed') } as const;
    const limits = createLimits(
      { failedAuthentications: broken, signIns: counting },
      () => 0,
      (entry) => void log.push(entry),
    );
    expect([await limits.signIns.take('one'), await limits.signIns.take('two')]).toEqual([
      'allowed',
      'limited',
    ]);
    expect(await limits.failedAuthentications.take('three')).toBe('allowed');
    expect(keys).toEqual(['one', 'two']);
    expect(log).toEqual([{ event: 'limiter-failed', cause: 'Error: the counter is gone' }]);
  });
});
