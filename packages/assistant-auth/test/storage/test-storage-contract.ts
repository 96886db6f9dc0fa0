/** Runs the storage contract in Vitest. */
import type { BrokerStorage } from 'assistant-auth';
import { storageContract } from 'assistant-auth/testing';
import { describe, expect, it } from 'vitest';

/** Declares the tests of the contract for one implementation. `createStorage` returns empty storage. */
export const testStorageContract = (name: string, createStorage: () => Promise<BrokerStorage>): void => {
  describe(name, () => {
    // An assertion of Vitest, because a test without one fails.
    for (const { name, run } of storageContract(createStorage))
      it(name, () => expect(run()).resolves.toBeUndefined());
  });
};
