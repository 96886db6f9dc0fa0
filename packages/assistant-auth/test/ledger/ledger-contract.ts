/** What every implementation of the storage port must do: the sentences of the port, one test or more for each. */
import { describe } from 'vitest';
import { accountContract } from './ledger-contract/accounts.ts';
import { recheckContract } from './ledger-contract/checks.ts';
import { codeClaimContract } from './ledger-contract/code-claims.ts';
import { codeContract } from './ledger-contract/codes.ts';
import { refreshContract } from './ledger-contract/refresh.ts';
import { isRefreshableContract } from './ledger-contract/refresh-questions.ts';
import { refreshRaceContract } from './ledger-contract/refresh-races.ts';
import { revocationPageContract } from './ledger-contract/revocation-pages.ts';
import { revocationContract } from './ledger-contract/revocations.ts';
import type { CreateStorage } from './ledger-contract/sample.ts';
import { sessionContract } from './ledger-contract/sessions.ts';
import { signInContract } from './ledger-contract/sign-ins.ts';
import { securityEventContract } from './ledger-contract/signals.ts';
import { storedTokenContract } from './ledger-contract/stored-tokens.ts';
import { cleanupContract } from './ledger-contract/sweep.ts';
import { userLimitContract } from './ledger-contract/user-limits.ts';

/** Declares the contract's tests for one implementation; `createStorage` gives an empty ledger each time. */
export const storageContract = (name: string, createStorage: CreateStorage): void => {
  describe(name, () => {
    describe('recordSignIn', () => signInContract(createStorage));
    describe('limits of a user', () => userLimitContract(createStorage));
    describe('redeemCode', () => codeContract(createStorage));
    describe('readGrantStatus and claimCode', () => codeClaimContract(createStorage));
    describe('refresh', () => refreshContract(createStorage));
    describe('isRefreshable', () => isRefreshableContract(createStorage));
    describe('refresh under contention', () => refreshRaceContract(createStorage));
    describe('checks and revokeGrantsOfIdentity', () => recheckContract(createStorage));
    describe('revoke and isRevoked', () => revocationContract(createStorage));
    describe('readRevocations', () => revocationPageContract(createStorage));
    describe('sessions', () => sessionContract(createStorage));
    describe('recordSecurityEvent', () => securityEventContract(createStorage));
    describe('accounts', () => accountContract(createStorage));
    describe('cleanUp', () => cleanupContract(createStorage));
    describe('findUpstreamTokens and replaceUpstreamTokens', () => storedTokenContract(createStorage));
  });
};
