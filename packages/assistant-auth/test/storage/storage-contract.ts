/** Declares the tests of the storage contract for one implementation. */
import type { BrokerStorage } from 'assistant-auth';
import { storageContract } from 'assistant-auth/testing';
import { describe, expect, it } from 'vitest';

/** @param createStorage returns empty storage */
export const testStorage = (name: string, createStorage: () => Promise<BrokerStorage>): void => {
  describe(name, () => {
    it.each(storageContract(createStorage))('$name', ({ run }) => expect(run()).resolves.toBeUndefined());
  });
};
