/** The storage contract: the tests that every implementation of the storage interfaces must pass. */
import type { BrokerStorage } from '../storage/broker-storage.ts';
import { accountStorage } from '../storage/sqlite/account-methods.ts';
import { accountTests } from './storage-contract/accounts.ts';
import { cleanupTests } from './storage-contract/cleanup.ts';
import { assertionTests, clientTests } from './storage-contract/clients.ts';
import { codeClaimTests, codeTests } from './storage-contract/codes.ts';
import type { StorageContractTest } from './storage-contract/contract-test.ts';
import { identityRevocationTests } from './storage-contract/identity-revocations.ts';
import { providerTests } from './storage-contract/providers.ts';
import { recheckTests } from './storage-contract/rechecks.ts';
import { readRefreshableTests, refreshRaceTests, refreshTests } from './storage-contract/refresh.ts';
import { refreshOptionTests } from './storage-contract/refresh-options.ts';
import { refusalTests } from './storage-contract/refusals.ts';
import { revocationPageTests, revocationTests } from './storage-contract/revocations.ts';
import { securityEventTests } from './storage-contract/security-events.ts';
import { seenLinkTests } from './storage-contract/seen-links.ts';
import { sessionTests } from './storage-contract/sessions.ts';
import { signInTests } from './storage-contract/sign-ins.ts';
import { storedTokenTests } from './storage-contract/upstream-tokens.ts';
import { userLimitTests } from './storage-contract/user-limits.ts';

/** Each group of tests, and the methods or the topic that it is about. */
const groups = [
  ['recordSignIn', signInTests],
  ['limits of a user', userLimitTests],
  ['redeemCode', codeTests],
  ['readGrantStatus and claimCode', codeClaimTests],
  ['refresh', refreshTests],
  ['refresh', refreshOptionTests],
  ['readRefreshable', readRefreshableTests],
  ['refresh under contention', refreshRaceTests],
  ['rechecks and dropUpstreamToken', recheckTests],
  ['revokeGrantsOfIdentity', identityRevocationTests],
  ['revoke and isRevoked', revocationTests],
  ['readRevocations', revocationPageTests],
  ['sessions', sessionTests],
  ['recordSecurityEvent', securityEventTests],
  ['accounts', accountTests],
  ['markLinkSeen', seenLinkTests],
  ['subject namespaces', providerTests],
  ['clients', clientTests],
  ['client assertions', assertionTests],
  ['recordRefusals', refusalTests],
  ['cleanUp', cleanupTests],
  ['findUpstreamTokens and replaceUpstreamTokens', storedTokenTests],
] as const;

/**
 * Returns the tests that every implementation of `BrokerStorage` and `AccountStorage` must pass. They need the
 * methods of both. Each test is a name and a function, so any test runner can run them. With `test` of Vitest
 * or `bun:test`, or with `Deno.test`:
 * `for (const { name, run } of storageContract(createStorage)) test(name, run);`
 *
 * A test creates its own storage. If it creates storage more than once, it no longer uses the earlier one: so
 * `createStorage` can empty one database, if the tests run one after another. A test makes up to 50 calls at
 * the same time. The time is an argument of the methods, so no test waits.
 *
 * The tests cannot check everything that the interface requires. They find methods that are not atomic only
 * by calling them at the same time, and they see neither how many round trips a method makes nor what happens
 * if the database fails. Test yourself that each method makes one round trip, and that it throws
 * `StorageUnavailable`, with the driver's error as `cause`, if it cannot reach the database. It must then
 * have changed either nothing or everything. The tests read neither the audit log nor the counts of refused
 * requests, which are optional.
 * @param createStorage returns storage without rows, where the number of the next revocation is 1
 * @throws ConfigurationError `storage` (each test) if the storage has no methods of `AccountStorage`
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { memoryStorage } from 'assistant-auth/memory';
 * import { storageContract } from 'assistant-auth/testing';
 *
 * // Replace this with your storage, on an empty database.
 * const createStorage = async () => memoryStorage();
 *
 * for (const { name, run } of storageContract(createStorage)) test(name, run);
 * ```
 */
export const storageContract = (
  createStorage: () => Promise<BrokerStorage>,
): readonly StorageContractTest[] =>
  groups.flatMap(([group, createTests]) =>
    createTests(async () => accountStorage(await createStorage())).map(({ name, run }) => ({
      name: `${group}: ${name}`,
      run,
    })),
  );
