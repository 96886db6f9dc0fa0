/** The storage contract needs no test runner: its assertions, and what a failed test reports. */
import { memoryStorage } from 'assistant-auth/memory';
import { storageContract } from 'assistant-auth/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expect as contractExpect } from '../../src/testing/storage-contract/expect.ts';

const fails = (run: () => void): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

describe('the assertions', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const primitives = [0, 1, -0, '', 'a', true, false, null];
  const buildValues = (...others: readonly undefined[]) =>
    fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(...primitives, ...others),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
  const value = buildValues(undefined);
  const defined = buildValues();
  const object = fc.oneof(fc.dictionary(key, defined, { maxKeys: 3 }), fc.array(defined, { maxLength: 3 }));

  it('toEqual and toBe fail for the same values as those of Vitest', () =>
    fc.assert(
      fc.property(value, value, (one, other) => {
        for (const [actual, expected] of [
          [one, other],
          [one, structuredClone(one)],
        ]) {
          expect(fails(() => contractExpect(actual).toEqual(expected))).toBe(
            fails(() => expect(actual).toEqual(expected)),
          );
          expect(fails(() => contractExpect(actual).toBe(expected))).toBe(
            fails(() => expect(actual).toBe(expected)),
          );
        }
      }),
      { numRuns: 2000 },
    ));

  it('toMatchObject fails whenever that of Vitest does, and accepts other properties', () =>
    fc.assert(
      fc.property(object, object, value, (one, other, extra) => {
        if (fails(() => expect(one).toMatchObject(other)))
          expect(fails(() => contractExpect(one).toMatchObject(other))).toBe(true);
        const larger = Array.isArray(one) ? one : { ...one, extra };
        expect(fails(() => contractExpect({ nested: larger }).toMatchObject({ nested: one }))).toBe(false);
      }),
      { numRuns: 2000 },
    ));

  it('toBeDefined, toBeUndefined and toHaveLength', () => {
    expect(fails(() => contractExpect(undefined).toBeDefined())).toBe(true);
    expect(fails(() => contractExpect(null).toBeDefined())).toBe(false);
    expect(fails(() => contractExpect(null).toBeUndefined())).toBe(true);
    expect(fails(() => contractExpect(undefined).toBeUndefined())).toBe(false);
    expect(fails(() => contractExpect([1]).toHaveLength(2))).toBe(true);
    expect(fails(() => contractExpect([1]).toHaveLength(1))).toBe(false);
    expect(fails(() => contractExpect(undefined).toHaveLength(0))).toBe(true);
  });
});

describe('the tests', () => {
  const tests = storageContract(async () => memoryStorage());

  it('have different names', () => {
    expect(new Set(tests.map(({ name }) => name)).size).toBe(tests.length);
    expect(tests.length).toBeGreaterThan(250);
  });

  it('reject with what was expected and what was received', async () => {
    const broken = storageContract(async () => ({ ...memoryStorage(), isRevoked: async () => false }));
    const name =
      'revoke and isRevoked: keeps the revocation of a grant until its newest access token expires';
    const failed: string[] = [];
    for (const test of broken)
      await test.run().catch((error: unknown) => {
        failed.push(test.name);
        if (test.name === name) expect(String(error)).toBe('AssertionError: expected true, received false');
      });
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(tests.length / 2);
  });
});
