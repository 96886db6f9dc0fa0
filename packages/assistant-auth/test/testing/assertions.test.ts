/** The assertions of the storage contract, also compared with those of Vitest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equal, hasLength, isDefined, isOneOf, matches } from '../../src/testing/assertions.ts';

/** Returns whether an assertion passes. The errors of Vitest have the same name. */
const passes = (assertion: () => void): boolean => {
  try {
    assertion();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ name: 'AssertionError' });
    return false;
  }
};

const isEqual = (actual: unknown, expected: unknown) => passes(() => equal(actual, expected));
const isMatch = (actual: unknown, expectedPart: unknown) => passes(() => matches(actual, expectedPart));

/** Small values of few kinds, so that two of them are often equal or one is part of the other. */
const { value: smallJson } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(0, 1, '', '1', 'a', true, false, null),
    fc.array(tie('value'), { maxLength: 2 }),
    // Not empty: to Vitest, every value that is not null has the part `{}`.
    fc
      .record({ a: tie('value'), b: tie('value') }, { requiredKeys: [] })
      .filter((object) => Object.keys(object).length > 0),
  ),
}));

/** Removes the keys that `isKept` does not select, at any depth. */
const removeKeys = (value: unknown, isKept: () => boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => removeKeys(item, isKept));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, nested]) => (isKept() ? [[key, removeKeys(nested, isKept)]] : [])),
  );
};

const anyValue = { a: 1, b: [{ c: 'text' }, null], d: { e: true } };

/** Each differs from `anyValue` in one respect. */
const changedValues: readonly (readonly [change: string, value: unknown])[] = [
  ['another number', { ...anyValue, a: 2 }],
  ['text instead of a number', { ...anyValue, a: '1' }],
  ['a bigint instead of a number', { ...anyValue, a: 1n }],
  ['a boolean instead of a number', { ...anyValue, a: true }],
  ['a missing key', { a: 1, b: anyValue.b }],
  ['undefined instead of a value', { ...anyValue, a: undefined }],
  ['null instead of an object', { ...anyValue, d: null }],
  ['an array instead of an object', { ...anyValue, d: [] }],
  ['an object instead of an array', { ...anyValue, b: { 0: { c: 'text' }, 1: null, length: 2 } }],
  ['a shorter array', { ...anyValue, b: [{ c: 'text' }] }],
  ['a longer array', { ...anyValue, b: [...anyValue.b, null] }],
  ['another order', { ...anyValue, b: anyValue.b.toReversed() }],
  ['another nested value', { ...anyValue, b: [{ c: 'Text' }, null] }],
  ['an inherited value', Object.create(anyValue)],
  ['no value', undefined],
];

describe('equal', () => {
  it('accepts equal values, with keys in any order and without regard to prototypes', () => {
    expect(isEqual(structuredClone(anyValue), anyValue)).toBe(true);
    expect(isEqual({ d: { e: true }, b: anyValue.b, a: 1 }, anyValue)).toBe(true);
    expect(isEqual(Object.assign(Object.create(null), anyValue), anyValue)).toBe(true);
    expect(isEqual(undefined, undefined)).toBe(true);
  });

  it.each(changedValues)('rejects %s', (_, changed) => {
    expect(isEqual(changed, anyValue)).toBe(false);
    expect(isEqual(anyValue, changed)).toBe(false);
  });

  it('rejects an additional key, at any depth', () => {
    expect(isEqual({ ...anyValue, z: 1 }, anyValue)).toBe(false);
    expect(isEqual({ ...anyValue, d: { e: true, z: 1 } }, anyValue)).toBe(false);
    expect(isEqual({ ...anyValue, b: [{ c: 'text', z: 1 }, null] }, anyValue)).toBe(false);
  });

  it('distinguishes a key whose value is undefined from a missing key, unlike toEqual', () => {
    expect({ ...anyValue, z: undefined }).toEqual(anyValue);
    expect(isEqual({ ...anyValue, z: undefined }, anyValue)).toBe(false);
    expect(isEqual(anyValue, { ...anyValue, z: undefined })).toBe(false);
    expect(isEqual({ y: undefined }, { z: undefined })).toBe(false);
  });

  it('accepts no object that is not JSON as an object', () => {
    for (const value of [new Date(0), new Map(), new Uint8Array(), () => undefined])
      expect(isEqual(value, {})).toBe(false);
  });

  it('agrees with toEqual on JSON values', () => {
    const pairs = fc.oneof(
      fc
        .tuple(smallJson, smallJson)
        .map(([actual, expected]) => [{ value: actual }, { value: expected }] as const),
      fc.tuple(fc.jsonValue(), fc.jsonValue()),
      fc.jsonValue().map((value) => [value, structuredClone(value)] as const),
    );
    fc.assert(
      fc.property(pairs, ([actual, expected]) => {
        expect(isEqual(actual, expected)).toBe(passes(() => expect(actual).toEqual(expected)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('matches', () => {
  it('accepts additional keys, at any depth', () => {
    expect(isMatch(anyValue, anyValue)).toBe(true);
    expect(isMatch({ ...anyValue, z: 1 }, anyValue)).toBe(true);
    expect(isMatch(anyValue, { b: [{}, null], d: {} })).toBe(true);
  });

  it.each(changedValues)('rejects %s', (_, changed) => {
    expect(isMatch(changed, anyValue)).toBe(false);
  });

  it('rejects an additional key that is expected, also if its value is undefined', () => {
    expect(isMatch(anyValue, { ...anyValue, z: 1 })).toBe(false);
    expect(isMatch(anyValue, { z: undefined })).toBe(false);
  });

  it('agrees with toMatchObject on JSON values', () => {
    fc.assert(
      fc.property(smallJson, smallJson, (actual, expectedPart) => {
        const wrapped = { actual: { value: actual }, expectedPart: { value: expectedPart } };
        expect(isMatch(wrapped.actual, wrapped.expectedPart)).toBe(
          passes(() => expect(wrapped.actual).toMatchObject(wrapped.expectedPart)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts nothing that toMatchObject rejects', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, part) => {
        if (isMatch({ value }, { value: part })) expect({ value }).toMatchObject({ value: part });
      }),
    );
  });

  it('accepts every JSON value without some of its keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.infiniteStream(fc.boolean()), (value, choices) => {
        expect(
          isMatch(
            value,
            removeKeys(value, () => choices.next().value === true),
          ),
        ).toBe(true);
      }),
    );
  });
});

describe('the other assertions', () => {
  it('check that a value is defined', () => {
    for (const value of [null, 0, '', false]) expect(passes(() => isDefined(value))).toBe(true);
    expect(passes(() => isDefined(undefined))).toBe(false);
  });

  it('check the number of elements, of which undefined has none', () => {
    expect(passes(() => hasLength([1, 2], 2))).toBe(true);
    expect(passes(() => hasLength([], 0))).toBe(true);
    expect(passes(() => hasLength([1, 2], 1))).toBe(false);
    expect(passes(() => hasLength(undefined, 0))).toBe(false);
  });

  it('check that a string is one of several', () => {
    expect(passes(() => isOneOf('b', ['a', 'b']))).toBe(true);
    expect(passes(() => isOneOf('c', ['a', 'b']))).toBe(false);
    expect(passes(() => isOneOf('', []))).toBe(false);
  });
});

describe('an AssertionError', () => {
  it.each<[name: string, assertion: () => void, problem: string, expected: string, actual: string]>([
    ['equal', () => equal({ a: [1] }, { a: [2] }), 'The values are not equal.', '{"a":[2]}', '{"a":[1]}'],
    [
      'matches',
      () => matches({ a: 1 }, { b: 1 }),
      'The value lacks the expected part.',
      '{"b":1}',
      '{"a":1}',
    ],
    [
      'isDefined',
      () => isDefined(undefined),
      'The value is undefined.',
      '"any other value"',
      '"(undefined)"',
    ],
    ['isOneOf', () => isOneOf('c', ['a']), 'The value is none of the expected ones.', '["a"]', '"c"'],
    ['hasLength', () => hasLength([0], 2), 'The number of elements is not equal.', '2', '[0]'],
  ])('states the expected and the actual value as JSON: %s', (_, assertion, problem, expected, actual) => {
    expect(assertion).toThrow(
      expect.objectContaining({
        name: 'AssertionError',
        message: `${problem}\n  expected: ${expected}\n  actual:   ${actual}`,
      }),
    );
  });

  it('contains the values themselves, which test runners compare', () => {
    const [actual, expected] = [{ a: 1 }, { a: 2 }];
    expect(() => equal(actual, expected)).toThrow(expect.objectContaining({ actual, expected }));
  });

  it('shows values that JSON does not have', () => {
    const actual = [1n, undefined, Number.NaN, -0, Symbol('s'), { a: undefined }];
    expect(() => equal(actual, null)).toThrow(
      'actual:   ["(1n)","(undefined)","(NaN)","(-0)","(Symbol(s))",{"a":"(undefined)"}]',
    );
  });
});
