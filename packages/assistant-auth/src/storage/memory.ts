/** The ledger in memory: for tests, and for servers of one process that may forget everybody at a restart. */
import type { BrokerStorage } from './broker-storage.ts';
import {
  acquireRecheckLease,
  deleteUser,
  dropUpstreamToken,
  findUpstreamTokens,
  linkIdentity,
  readAccount,
  recordRecheck,
  replaceUpstreamTokens,
  resolveRecheck,
  revokeGrants,
  revokeGrantsOfIdentity,
  storeUpstreamToken,
  unlinkIdentity,
  useSession,
} from './memory/accounts.ts';
import {
  claimCode,
  isRefreshable,
  readGrantStatus,
  recordSignIn,
  redeemCode,
  refresh,
} from './memory/grants.ts';
import { cleanUp, isRevoked, readRevocations, recordSecurityEvent, revoke } from './memory/revocations.ts';
import { identityKey, type MemoryTables } from './memory/tables.ts';

/** Keeps everything in this process, and no audit. No method awaits anything, so each one is atomic. */
export const memoryStorage = (): BrokerStorage => {
  const memory: MemoryTables = {
    users: new Map(),
    identities: new Map(),
    grants: new Map(),
    securityEvents: new Map(),
    revocations: [],
    lastSeq: 0,
  };
  return {
    recordSignIn: async (signIn) => recordSignIn(memory, signIn),
    readGrantStatus: async (grantId) => readGrantStatus(memory, grantId),
    claimCode: async (claim) => claimCode(memory, claim),
    redeemCode: async (redemption) => redeemCode(memory, redemption),
    refresh: async (use) => refresh(memory, use),
    isRefreshable: async (question) => isRefreshable(memory, question),
    storeUpstreamToken: async (token) => storeUpstreamToken(memory, token),
    recordRecheck: async (check) => recordRecheck(memory, check),
    revokeGrantsOfIdentity: async (usedToken, _reason, now) => revokeGrantsOfIdentity(memory, usedToken, now),
    resolveRecheck: async (usedToken) => resolveRecheck(memory, usedToken),
    dropUpstreamToken: async (drop) => dropUpstreamToken(memory, drop),
    revoke: async (target, _reason, now) => revoke(memory, target, now),
    readRevocations: async (cursor, now, limit) => readRevocations(memory, cursor, now, limit),
    isRevoked: async (token, now) => isRevoked(memory, token, now),
    cleanUp: async ({ now }) => cleanUp(memory, now),
    findUpstreamTokens: async (question) => findUpstreamTokens(memory, question),
    replaceUpstreamTokens: async (replacement) => replaceUpstreamTokens(memory, replacement),
    useSession: async (use) => useSession(memory, use),
    acquireRecheckLease: async (question) => acquireRecheckLease(memory, question),
    readAccount: async (userId) => readAccount(memory, userId),
    readHistory: async () => [],
    findUser: async (identity) => memory.identities.get(identityKey(identity))?.userId,
    linkIdentity: async (link) => linkIdentity(memory, link),
    unlinkIdentity: async (unlink) => unlinkIdentity(memory, unlink),
    revokeGrants: async (revocation) => revokeGrants(memory, revocation),
    deleteUser: async (deletion) => deleteUser(memory, deletion),
    recordSecurityEvent: async (event) => recordSecurityEvent(memory, event),
  };
};
