/** The storage contract: tests that every implementation of `BrokerStorage` must pass. */
import { describe } from 'vitest';
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
import type { CreateStorage } from './storage-contract/sample.ts';
import { securityEventContract } from './storage-contract/security-events.ts';
import { sessionContract } from './storage-contract/sessions.ts';
import { signInContract } from './storage-contract/sign-ins.ts';
import { storedTokenContract } from './storage-contract/upstream-tokens.ts';
import { userLimitContract } from './storage-contract/user-limits.ts';

/** Declares the tests of the contract for one implementation. `createStorage` returns empty storage. */
export const storageContract = (name: string, createStorage: CreateStorage): void => {
  describe(name, () => {
    describe('recordSignIn', () => signInContract(createStorage));
    describe('limits of a user', () => userLimitContract(createStorage));
    describe('redeemCode', () => codeContract(createStorage));
    describe('readGrantStatus and claimCode', () => codeClaimContract(createStorage));
    describe('refresh', () => refreshContract(createStorage));
    describe('isRefreshable', () => isRefreshableContract(createStorage));
    describe('refresh under contention', () => refreshRaceContract(createStorage));
    describe('rechecks and revokeGrantsOfIdentity', () => recheckContract(createStorage));
    describe('revoke and isRevoked', () => revocationContract(createStorage));
    describe('readRevocations', () => revocationPageContract(createStorage));
    describe('sessions', () => sessionContract(createStorage));
    describe('recordSecurityEvent', () => securityEventContract(createStorage));
    describe('accounts', () => accountContract(createStorage));
    describe('cleanUp', () => cleanupContract(createStorage));
    describe('findUpstreamTokens and replaceUpstreamTokens', () => storedTokenContract(createStorage));
  });
};
