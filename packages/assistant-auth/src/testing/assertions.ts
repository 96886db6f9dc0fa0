/**
 * The assertions of the storage contract. They need no test runner, and not `node:assert`, which not every
 * runtime has. Expected values consist of JSON values and `undefined`.
 */

/** A value is not what a test expects. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
  /** The value that was checked. */
  readonly actual: unknown;
  /** What it was compared with. */
  readonly expected: unknown;

  constructor(problem: string, actual: unknown, expected: unknown) {
    super(`${problem}\n  expected: ${format(expected)}\n  actual:   ${format(actual)}`);
    this.actual = actual;
    this.expected = expected;
  }
}

/**
 * Checks that two values are the same: objects with the same keys and the same values, arrays with the same
 * elements in the same order. A key whose value is `undefined` is not a missing key: the types of the storage
 * interface do not allow it, and code that spreads an object would overwrite a value with it.
 * @throws AssertionError
 */
export const equal = (actual: unknown, expected: unknown): void => {
  if (!isEqual(actual, expected)) throw new AssertionError('The values are not equal.', actual, expected);
};

/**
 * Checks that objects have at least the expected keys with the expected values, at any depth. Arrays must
 * have the same length.
 * @throws AssertionError
 */
export const matches = (actual: unknown, expectedPart: unknown): void => {
  if (!hasPart(actual, expectedPart))
    throw new AssertionError('The value lacks the expected part.', actual, expectedPart);
};

/**
 * Checks that a value is not `undefined`.
 * @throws AssertionError
 */
export const isDefined = (actual: unknown): void => {
  if (actual === undefined) throw new AssertionError('The value is undefined.', actual, 'any other value');
};

/**
 * Checks that a value is one of several strings.
 * @throws AssertionError
 */
export const isOneOf = (actual: string, expected: readonly string[]): void => {
  if (!expected.includes(actual))
    throw new AssertionError('The value is none of the expected ones.', actual, expected);
};

/**
 * Checks the number of elements.
 * @throws AssertionError
 */
export const hasLength = (actual: { readonly length: number } | undefined, expected: number): void => {
  if (actual?.length !== expected)
    throw new AssertionError('The number of elements is not equal.', actual, expected);
};

type Comparison = (actual: unknown, expected: unknown) => boolean;

const isEqual: Comparison = (actual, expected) =>
  hasExpectedValues(actual, expected, isEqual) && countKeys(actual) === countKeys(expected);

const hasPart: Comparison = (actual, expected) => hasExpectedValues(actual, expected, hasPart);

const hasExpectedValues = (actual: unknown, expected: unknown, compare: Comparison): boolean => {
  if (isArray(expected))
    return (
      isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => compare(actual[index], item))
    );
  if (!isObject(expected)) return Object.is(actual, expected);
  return (
    isObject(actual) &&
    Object.entries(expected).every(
      ([key, value]) => Object.hasOwn(actual, key) && compare(actual[key], value),
    )
  );
};

const countKeys = (value: unknown): number => (isObject(value) ? Object.keys(value).length : 0);

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Also accepts objects without a prototype, such as rows of some drivers, and those of another realm. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]';

/** Formats a value as JSON. Values that JSON does not have are in parentheses. */
const format = (value: unknown): string => JSON.stringify(value, (_, nested: unknown) => toJson(nested));

const toJson = (value: unknown): unknown => {
  switch (typeof value) {
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      return `(${typeof value === 'bigint' ? `${value}n` : String(value)})`;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : `(${Object.is(value, -0) ? '-0' : value})`;
    default:
      return value;
  }
};
