/**
 * The assertions of the storage contract: the matchers of Jest and Vitest that it uses, so that it needs no
 * test runner. Values are compared as JSON values are; a property with the value `undefined` counts as absent.
 */

/** What `expect(actual)` returns. Each method throws an `AssertionError` unless the value matches. */
interface Matchers {
  /** The same primitive value, or the same object. */
  toBe(expected: unknown): void;
  /** An equal value, with the same properties. */
  toEqual(expected: unknown): void;
  /** An object with at least these properties, and arrays of the same length. */
  toMatchObject(expected: object): void;
  toBeDefined(): void;
  toBeUndefined(): void;
  /** An array of this length. */
  toHaveLength(expected: number): void;
}

/** An implementation does not behave as the contract requires. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export const expect = (actual: unknown): Matchers => {
  const require = (isMatch: boolean, rule: string): void => {
    if (!isMatch) throw new AssertionError(`expected ${rule}, received ${describe(actual)}`);
  };
  return {
    toBe: (expected) => require(Object.is(actual, expected), describe(expected)),
    toEqual: (expected) => require(isEqual(actual, expected), describe(expected)),
    toMatchObject: (expected) =>
      require(matchesPart(actual, expected), `an object that contains ${describe(expected)}`),
    toBeDefined: () => require(actual !== undefined, 'a value'),
    toBeUndefined: () => require(actual === undefined, 'undefined'),
    toHaveLength: (expected) =>
      require(Array.isArray(actual) && actual.length === expected, `an array of length ${expected}`),
  };
};

const describe = (value: unknown): string => JSON.stringify(value, null, 2) ?? String(value);

const isEqual = (actual: unknown, expected: unknown): boolean =>
  compare(actual, expected, isEqual, (actualKeys, expectedKeys) => actualKeys.length === expectedKeys.length);

const matchesPart = (actual: unknown, expected: unknown): boolean =>
  compare(actual, expected, matchesPart, () => true);

/** Compares arrays element by element, and objects by the expected properties. */
const compare = (
  actual: unknown,
  expected: unknown,
  compareValues: (actual: unknown, expected: unknown) => boolean,
  compareKeys: (actualKeys: readonly string[], expectedKeys: readonly string[]) => boolean,
): boolean => {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return Object.is(actual, expected);
  if (Array.isArray(actual) || Array.isArray(expected))
    return (
      Array.isArray(actual) &&
      Array.isArray(expected) &&
      actual.length === expected.length &&
      expected.every((element, index) => compareValues(actual[index], element))
    );
  const [actualProperties, expectedProperties] = [readProperties(actual), readProperties(expected)];
  return (
    compareKeys([...actualProperties.keys()], [...expectedProperties.keys()]) &&
    Object.entries(expected).every(([key, value]) => compareValues(actualProperties.get(key), value))
  );
};

const readProperties = (value: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(value).filter(([, property]) => property !== undefined));
