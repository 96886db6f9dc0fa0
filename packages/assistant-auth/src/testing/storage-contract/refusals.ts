/** The storage contract for counts of refused requests. No method returns them, so it only checks the calls. */
import { equal } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';

/** Returns the tests of `recordRefusals`. */
export const refusalTests = (createStorage: CreateStorage): readonly StorageContractTest[] => {
  const refusal = { day: '2026-11-29', reason: 'token.code', count: 3 };
  return [
    test('accepts new counts, stored counts, two for the same day and reason, and none', async () => {
      const storage = await createStorage();
      equal(await storage.recordRefusals([refusal, { ...refusal, reason: "o'reason; --" }]), undefined);
      equal(await storage.recordRefusals([refusal, refusal, { ...refusal, day: '2026-11-30' }]), undefined);
      equal(await storage.recordRefusals([]), undefined);
    }),

    test('accepts 1000 counts at once, and 50 calls at the same time', async () => {
      const storage = await createStorage();
      const refusals = Array.from({ length: 1000 }, (_, index) => ({
        ...refusal,
        reason: `reason-${index}`,
      }));
      equal(await storage.recordRefusals(refusals), undefined);
      const calls = Array.from({ length: 50 }, () => storage.recordRefusals([refusal]));
      equal(
        await Promise.all(calls),
        calls.map(() => undefined),
      );
    }),
  ];
};
