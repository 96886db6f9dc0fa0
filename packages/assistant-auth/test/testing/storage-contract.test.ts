/** The storage contract as values. `test/storage` runs it with the storages of this package. */
import type { BrokerStorage } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { type StorageContractTest, storageContract } from 'assistant-auth/testing';
import { expect, it } from 'vitest';

/** Runs all tests, and returns the names of those that pass. */
const listPassed = async (tests: readonly StorageContractTest[]): Promise<readonly string[]> => {
  const results = await Promise.allSettled(tests.map(({ run }) => run()));
  return tests.flatMap(({ name }, index) => (results[index]?.status === 'fulfilled' ? [name] : []));
};

it('has unique names that start with a group', () => {
  const names = storageContract(async () => memoryStorage()).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(200);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z ]+: \S.*\S$/);
});

it('creates storage when a test runs, and not before', async () => {
  let created = 0;
  const tests = storageContract(async () => {
    created += 1;
    return memoryStorage();
  });
  expect(created).toBe(0);
  for (const { name, run } of tests) {
    created = 0;
    await run();
    expect(created, name).toBeGreaterThan(0);
  }
});

it('contains no test that passes whatever the storage returns', async () => {
  let calls = 0;
  const results = [
    async () => undefined,
    async () => {
      calls += 1;
      return { grants: [{ id: `grant-${calls}`, revokedAt: calls }] };
    },
  ];
  const passed = await Promise.all(
    results.map((method) => {
      const methods = Object.fromEntries(Object.keys(memoryStorage()).map((name) => [name, method]));
      const storage: BrokerStorage = { ...memoryStorage(), ...methods };
      return listPassed(storageContract(async () => storage));
    }),
  );
  expect(passed[0]?.filter((name) => passed[1]?.includes(name))).toEqual([]);
});

it('rejects with the expected and the actual value', async () => {
  const createStorage = async (): Promise<BrokerStorage> => ({
    ...memoryStorage(),
    redeemCode: async () => ({ kind: 'refused', reason: 'invalid' }),
  });
  const test = storageContract(createStorage).find(
    ({ name }) => name === 'redeemCode: redeems a code in its last second, and not when it has expired',
  );
  await expect(test?.run()).rejects.toThrow(
    'The value lacks the expected part.\n' +
      '  expected: {"kind":"redeemed"}\n' +
      '  actual:   {"kind":"refused","reason":"invalid"}',
  );
});

it('rejects with the error of the storage, and of the function that creates it', async () => {
  const error = new Error('no connection');
  const fail = async (): Promise<never> => {
    throw error;
  };
  const isError = async ({ run }: StorageContractTest) => expect(run()).rejects.toBe(error);
  await Promise.all(storageContract(fail).map(isError));
  const createStorage = async (): Promise<BrokerStorage> => ({ ...memoryStorage(), recordSignIn: fail });
  const signInTests = storageContract(createStorage).filter(({ name }) =>
    name.startsWith('recordSignIn: assigns'),
  );
  expect(signInTests).toHaveLength(1);
  await Promise.all(signInTests.map(isError));
});

// Vitest fails the run if a rejection is not handled.
it('handles every rejection if several methods fail at the same time', async () => {
  const fail = async (): Promise<never> => {
    throw new Error('no connection');
  };
  const createStorage = async (): Promise<BrokerStorage> => ({
    ...memoryStorage(),
    ...{ refresh: fail, revoke: fail, revokeGrantsOfIdentity: fail },
  });
  const tests = storageContract(createStorage);
  expect((await listPassed(tests)).length).toBeLessThan(tests.length);
});
