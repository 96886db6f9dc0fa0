import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/index.ts';
import { grantRetention } from '../../src/storage/broker-storage.ts';
import { type Lifetimes, parseLifetimes } from '../../src/tokens/lifetimes.ts';

const day = 86_400;

const defaults: Lifetimes = {
  access: 1800,
  code: 60,
  consent: 1800,
  transaction: 600,
  stableRefreshIdle: 60 * day,
  stableRefreshAbsolute: 365 * day,
  rotatingRefreshIdle: 30 * day,
  rotatingRefreshAbsolute: 180 * day,
  sessionIdle: 7 * day,
  sessionAbsolute: 30 * day,
  inconclusiveRecheck: 30 * day,
};

/** The least and the most that a publisher may choose. */
const bounds: readonly (readonly [keyof Lifetimes, number, number])[] = [
  ['access', 600, day],
  ['code', 10, 600],
  ['consent', 60, day],
  ['transaction', 60, grantRetention],
  ['stableRefreshIdle', day, 400 * day],
  ['stableRefreshAbsolute', day, 400 * day],
  ['rotatingRefreshIdle', 3600, 400 * day],
  ['rotatingRefreshAbsolute', 3600, 400 * day],
  ['sessionIdle', 300, 30 * day],
  ['sessionAbsolute', 300, 90 * day],
  ['inconclusiveRecheck', 3600, 400 * day],
];

describe('parseLifetimes', () => {
  it('completes what was left out', () => {
    expect(parseLifetimes()).toMatchObject(defaults);
    expect(parseLifetimes({})).toEqual(parseLifetimes());
    expect(parseLifetimes({ access: 900 })).toEqual({ ...parseLifetimes(), access: 900 });
  });

  it('has bounds for each of them', () => {
    expect(bounds.map(([name]) => name)).toEqual(Object.keys(defaults));
  });

  it.each(bounds)('takes %s from %i to %i seconds', (name, least, most) => {
    for (const seconds of [least, most]) expect(parseLifetimes({ [name]: seconds })[name]).toBe(seconds);
  });

  it.each(bounds)('refuses a %s below %i or above %i, and what is no number', (name, least, most) => {
    const message = `lifetimes.${name} must be a whole number of seconds from ${least} to ${most}.`;
    for (const seconds of [
      least - 1,
      most + 1,
      least + 0.5,
      0,
      -least,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]) {
      const parse = () => parseLifetimes({ [name]: seconds });
      expect(parse).toThrow(ConfigurationError);
      expect(parse).toThrow(message);
    }
  });

  it('lets a login transaction live no longer than its grant is sure to be found', () => {
    expect(() => parseLifetimes({ transaction: grantRetention + 1 })).toThrow('lifetimes.transaction');
  });
});

describe('the lifetimes of refresh tokens', () => {
  it('depend on the kind of refresh token', () => {
    expect(parseLifetimes().refresh).toEqual({
      stable: { idle: 60 * day, absolute: 365 * day },
      rotating: { idle: 30 * day, absolute: 180 * day },
    });
  });

  it('end at the absolute lifetime at the latest', () => {
    const short = parseLifetimes({ stableRefreshAbsolute: 2 * day, rotatingRefreshAbsolute: 3600 });
    expect(short.refresh).toEqual({
      stable: { idle: 2 * day, absolute: 2 * day },
      rotating: { idle: 3600, absolute: 3600 },
    });
  });
});
