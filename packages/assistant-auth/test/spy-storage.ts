/** Storage that records its calls, so that a test can check that there were none. */

import { accountStorage } from '../src/account/index.ts';
import type { BrokerStorage, CompleteStorage } from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';

export interface SpyStorage extends CompleteStorage {
  /** Names of the methods that were called, in order. */
  readonly calls: readonly (keyof CompleteStorage)[];
}

export const createSpyStorage = (spied: BrokerStorage = memoryStorage()): SpyStorage => {
  const storage = accountStorage(spied);
  const calls: (keyof CompleteStorage)[] = [];
  const record =
    <Arguments extends readonly unknown[], Result>(
      name: keyof CompleteStorage,
      method: (...args: Arguments) => Result,
    ) =>
    (...args: Arguments): Result => {
      calls.push(name);
      return method(...args);
    };
  return {
    calls,
    recordSignIn: record('recordSignIn', storage.recordSignIn),
    readGrantStatus: record('readGrantStatus', storage.readGrantStatus),
    claimCode: record('claimCode', storage.claimCode),
    redeemCode: record('redeemCode', storage.redeemCode),
    refresh: record('refresh', storage.refresh),
    readRefreshable: record('readRefreshable', storage.readRefreshable),
    readClient: record('readClient', storage.readClient),
    deleteClient: record('deleteClient', storage.deleteClient),
    recordAssertion: record('recordAssertion', storage.recordAssertion),
    storeUpstreamToken: record('storeUpstreamToken', storage.storeUpstreamToken),
    recordRecheck: record('recordRecheck', storage.recordRecheck),
    revokeGrantsOfIdentity: record('revokeGrantsOfIdentity', storage.revokeGrantsOfIdentity),
    resolveRecheck: record('resolveRecheck', storage.resolveRecheck),
    dropUpstreamToken: record('dropUpstreamToken', storage.dropUpstreamToken),
    revoke: record('revoke', storage.revoke),
    readRevocations: record('readRevocations', storage.readRevocations),
    isRevoked: record('isRevoked', storage.isRevoked),
    recordRefusals: record('recordRefusals', storage.recordRefusals),
    cleanUp: record('cleanUp', storage.cleanUp),
    findUpstreamTokens: record('findUpstreamTokens', storage.findUpstreamTokens),
    replaceUpstreamTokens: record('replaceUpstreamTokens', storage.replaceUpstreamTokens),
    useSession: record('useSession', storage.useSession),
    acquireRecheckLease: record('acquireRecheckLease', storage.acquireRecheckLease),
    readAccount: record('readAccount', storage.readAccount),
    readHistory: record('readHistory', storage.readHistory),
    findUser: record('findUser', storage.findUser),
    linkIdentity: record('linkIdentity', storage.linkIdentity),
    markLinkSeen: record('markLinkSeen', storage.markLinkSeen),
    unlinkIdentity: record('unlinkIdentity', storage.unlinkIdentity),
    revokeGrants: record('revokeGrants', storage.revokeGrants),
    deleteUser: record('deleteUser', storage.deleteUser),
    recordSecurityEvent: record('recordSecurityEvent', storage.recordSecurityEvent),
  };
};
