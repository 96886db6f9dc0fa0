/** What every implementation of the storage port must do: the sentences of the port, one test or more for each. */
import { describe } from 'vitest';
import { accountContract } from './ledger-contract/accounts.ts';
import { checkContract } from './ledger-contract/checks.ts';
import { codeClaimContract } from './ledger-contract/code-claims.ts';
import { codeContract } from './ledger-contract/codes.ts';
import { refreshContract } from './ledger-contract/refresh.ts';
import { refreshQuestionContract } from './ledger-contract/refresh-questions.ts';
import { refreshRaceContract } from './ledger-contract/refresh-races.ts';
import { revocationPageContract } from './ledger-contract/revocation-pages.ts';
import { revocationContract } from './ledger-contract/revocations.ts';
import type { MakeLedger } from './ledger-contract/sample.ts';
import { sessionContract } from './ledger-contract/sessions.ts';
import { signInContract } from './ledger-contract/sign-ins.ts';
import { signalContract } from './ledger-contract/signals.ts';
import { storedTokenContract } from './ledger-contract/stored-tokens.ts';
import { sweepContract } from './ledger-contract/sweep.ts';
import { userLimitContract } from './ledger-contract/user-limits.ts';

/** Declares the contract's tests for one implementation; `makeLedger` gives an empty ledger each time. */
export const ledgerContract = (name: string, makeLedger: MakeLedger): void => {
  describe(name, () => {
    describe('recordSignIn', () => signInContract(makeLedger));
    describe('limits of a user', () => userLimitContract(makeLedger));
    describe('redeemCode', () => codeContract(makeLedger));
    describe('grantStatus and claimCode', () => codeClaimContract(makeLedger));
    describe('refresh', () => refreshContract(makeLedger));
    describe('isRefreshable', () => refreshQuestionContract(makeLedger));
    describe('refresh under contention', () => refreshRaceContract(makeLedger));
    describe('checks and endIdentity', () => checkContract(makeLedger));
    describe('revoke and isRevoked', () => revocationContract(makeLedger));
    describe('revocationsSince', () => revocationPageContract(makeLedger));
    describe('sessions', () => sessionContract(makeLedger));
    describe('recordSignal', () => signalContract(makeLedger));
    describe('accounts', () => accountContract(makeLedger));
    describe('sweep', () => sweepContract(makeLedger));
    describe('findTokens and replaceTokens', () => storedTokenContract(makeLedger));
  });
};
