/** A ledger that tells what it was asked, so that a test can see that it was not asked at all. */

import type { Ledger } from '../src/index.ts';
import { memoryLedger } from '../src/storage/memory.ts';

export interface WatchedLedger extends Ledger {
  /** Names of the methods that were called, in order. */
  readonly calls: readonly (keyof Ledger)[];
}

export const watchLedger = (ledger: Ledger = memoryLedger()): WatchedLedger => {
  const calls: (keyof Ledger)[] = [];
  const watch =
    <Given extends readonly unknown[], Result>(name: keyof Ledger, method: (...given: Given) => Result) =>
    (...given: Given): Result => {
      calls.push(name);
      return method(...given);
    };
  return {
    calls,
    recordSignIn: watch('recordSignIn', ledger.recordSignIn),
    grantStatus: watch('grantStatus', ledger.grantStatus),
    claimCode: watch('claimCode', ledger.claimCode),
    redeemCode: watch('redeemCode', ledger.redeemCode),
    refresh: watch('refresh', ledger.refresh),
    isRefreshable: watch('isRefreshable', ledger.isRefreshable),
    storeToken: watch('storeToken', ledger.storeToken),
    recordCheck: watch('recordCheck', ledger.recordCheck),
    endIdentity: watch('endIdentity', ledger.endIdentity),
    resolveRecheck: watch('resolveRecheck', ledger.resolveRecheck),
    dropUpstreamToken: watch('dropUpstreamToken', ledger.dropUpstreamToken),
    revoke: watch('revoke', ledger.revoke),
    revocationsSince: watch('revocationsSince', ledger.revocationsSince),
    isRevoked: watch('isRevoked', ledger.isRevoked),
    sweep: watch('sweep', ledger.sweep),
    findTokens: watch('findTokens', ledger.findTokens),
    replaceTokens: watch('replaceTokens', ledger.replaceTokens),
    useSession: watch('useSession', ledger.useSession),
    takeCheck: watch('takeCheck', ledger.takeCheck),
    readAccount: watch('readAccount', ledger.readAccount),
    readHistory: watch('readHistory', ledger.readHistory),
    findUser: watch('findUser', ledger.findUser),
    linkIdentity: watch('linkIdentity', ledger.linkIdentity),
    unlinkIdentity: watch('unlinkIdentity', ledger.unlinkIdentity),
    endApps: watch('endApps', ledger.endApps),
    deleteUser: watch('deleteUser', ledger.deleteUser),
    recordSignal: watch('recordSignal', ledger.recordSignal),
  };
};
