/** The storage contract: tests that every implementation of `BrokerStorage` must pass. */
import type { BrokerStorage } from '../storage/broker-storage.ts';
import { accountContract } from './storage-contract/accounts.ts';
import { cleanupContract } from './storage-contract/cleanup.ts';
import { codeClaimContract } from './storage-contract/code-claims.ts';
import { codeContract } from './storage-contract/codes.ts';
import { isRefreshableContract } from './storage-contract/is-refreshable.ts';
import { recheckContract } from './storage-contract/rechecks.ts';
import { refreshContract } from './storage-contract/refresh.ts';
import { refreshRaceContract } from './storage-contract/refresh-races.ts';
import { revocationPageContract } from './storage-contract/revocation-pages.ts';
import { revocationContract } from './storage-contract/revocations.ts';
import type { CreateStorage, DeclareTest } from './storage-contract/sample.ts';
import { securityEventContract } from './storage-contract/security-events.ts';
import { sessionContract } from './storage-contract/sessions.ts';
import { signInContract } from './storage-contract/sign-ins.ts';
import { storedTokenContract } from './storage-contract/upstream-tokens.ts';
import { userLimitContract } from './storage-contract/user-limits.ts';

/** One test of the storage contract. */
export interface StorageContractTest {
  /** The method or topic, a colon, and what must be true. No two tests have the same name. */
  readonly name: string;
  /**
   * Runs the test on storage of its own.
   * @throws Error that says what was expected and what was received, if the test fails
   */
  run(): Promise<void>;
}

/**
 * Returns the tests that every implementation of `BrokerStorage` must pass. They need no test runner: declare
 * each one as a test of yours, or run them in a loop.
 *
 * They run the methods of one storage, one after the other and concurrently. They do not check what a method
 * does if the storage cannot be reached: it must throw `StorageUnavailable`, and must have changed either
 * nothing or everything. Test that yourself, and that several processes can use the storage at the same time.
 * @param createStorage returns storage without any data. Each test calls it, most of them once
 * @example
 * ```ts
 * import test from 'node:test';
 * import { memoryStorage } from 'assistant-auth/memory';
 * import { storageContract } from 'assistant-auth/testing';
 *
 * // `test` can also be the one of Vitest, `bun:test` or `Deno`.
 * for (const { name, run } of storageContract(async () => memoryStorage())) test(name, run);
 * ```
 */
export const storageContract = (
  createStorage: () => Promise<BrokerStorage>,
): readonly StorageContractTest[] =>
  groups.flatMap(([group, declareTests]) => {
    const tests: StorageContractTest[] = [];
    declareTests((name, run) => void tests.push({ name: `${group}: ${name}`, run }), createStorage);
    return tests;
  });

const groups: readonly (readonly [string, (it: DeclareTest, createStorage: CreateStorage) => void])[] = [
  ['recordSignIn', signInContract],
  ['limits of a user', userLimitContract],
  ['redeemCode', codeContract],
  ['readGrantStatus and claimCode', codeClaimContract],
  ['refresh', refreshContract],
  ['isRefreshable', isRefreshableContract],
  ['refresh under contention', refreshRaceContract],
  ['rechecks and revokeGrantsOfIdentity', recheckContract],
  ['revoke and isRevoked', revocationContract],
  ['readRevocations', revocationPageContract],
  ['sessions', sessionContract],
  ['recordSecurityEvent', securityEventContract],
  ['accounts', accountContract],
  ['cleanUp', cleanupContract],
  ['findUpstreamTokens and replaceUpstreamTokens', storedTokenContract],
];
