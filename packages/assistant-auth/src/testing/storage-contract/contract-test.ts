/** One test of the storage contract, as a value that any test runner can run. */
import type { CompleteStorage } from '../../storage/broker-storage.ts';

/** One test of the storage contract. */
export interface StorageContractTest {
  /** What the test checks, as a fact: `redeemCode: refuses the code of a grant that does not exist`. Unique. */
  readonly name: string;
  /**
   * Runs the test with storage of its own.
   * @throws an error that states the actual and the expected value as JSON, if the storage does not pass
   * @throws every error of the storage, and of the function that creates it
   */
  run(): Promise<void>;
}

/** Returns empty storage. Each test calls it once or more. */
export type CreateStorage = () => Promise<CompleteStorage>;

/** Creates a test. */
export const test = (name: string, run: () => Promise<void>): StorageContractTest => ({ name, run });
