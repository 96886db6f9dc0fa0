import { describe, expect, it } from 'vitest';
import { StorageUnavailable } from '../../src/index.ts';
import { describeCause, formatStack } from '../../src/oauth/errors.ts';

describe('a cause', () => {
  it('is named with everything that caused it', () => {
    const outage = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    const cause = new StorageUnavailable('D1 did not answer', { cause: outage });
    expect(describeCause(cause)).toBe(
      'StorageUnavailable: D1 did not answer, because of TypeError: fetch failed, because of Error: ECONNREFUSED',
    );
  });

  it('that is no error stands as its own text', () => {
    expect(describeCause('forged')).toBe('forged');
    expect(formatStack('forged')).toBeUndefined();
  });

  it('that runs in a circle comes to an end', () => {
    const circle = new Error('again');
    circle.cause = circle;
    expect(describeCause(circle).split('because of')).toHaveLength(6);
  });

  it('has a stack of calls alone, whatever its message holds', () => {
    const stack = formatStack(new Error('first line\nsecond line'));
    expect(stack).toMatch(/^at .*cause\.test\.ts/);
    expect(stack).not.toMatch(/first|second|\n/);
  });
});
