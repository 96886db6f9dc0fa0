/** The ledger in memory: for tests, and for servers of one process that may forget everybody at a restart. */
import type { Ledger } from './broker-storage.ts';
import {
  deleteUser,
  dropUpstreamToken,
  endApps,
  endIdentity,
  findTokens,
  linkIdentity,
  readAccount,
  recordCheck,
  replaceTokens,
  resolveRecheck,
  storeToken,
  takeCheck,
  unlinkIdentity,
  useSession,
} from './memory/accounts.ts';
import { claimCode, grantStatus, isRefreshable, recordSignIn, redeemCode, refresh } from './memory/grants.ts';
import { isRevoked, recordSignal, revocationsSince, revoke, sweep } from './memory/revocations.ts';
import { identityKey, type Memory } from './memory/tables.ts';

/** Keeps everything in this process, and no audit. No method awaits anything, so each one is atomic. */
export const memoryLedger = (): Ledger => {
  const memory: Memory = {
    users: new Map(),
    identities: new Map(),
    grants: new Map(),
    signals: new Map(),
    lines: [],
    lastSeq: 0,
  };
  return {
    recordSignIn: async (signIn) => recordSignIn(memory, signIn),
    grantStatus: async (grantId) => grantStatus(memory, grantId),
    claimCode: async (claim) => claimCode(memory, claim),
    redeemCode: async (redemption) => redeemCode(memory, redemption),
    refresh: async (use) => refresh(memory, use),
    isRefreshable: async (question) => isRefreshable(memory, question),
    storeToken: async (token) => storeToken(memory, token),
    recordCheck: async (check) => recordCheck(memory, check),
    endIdentity: async (asked, _reason, now) => endIdentity(memory, asked, now),
    resolveRecheck: async (asked) => resolveRecheck(memory, asked),
    dropUpstreamToken: async (drop) => dropUpstreamToken(memory, drop),
    revoke: async (target, _reason, now) => revoke(memory, target, now),
    revocationsSince: async (cursor, now, limit) => revocationsSince(memory, cursor, now, limit),
    isRevoked: async (token, now) => isRevoked(memory, token, now),
    sweep: async ({ now }) => sweep(memory, now),
    findTokens: async (question) => findTokens(memory, question),
    replaceTokens: async (resealing) => replaceTokens(memory, resealing),
    useSession: async (use) => useSession(memory, use),
    takeCheck: async (question) => takeCheck(memory, question),
    readAccount: async (userId) => readAccount(memory, userId),
    readHistory: async () => [],
    findUser: async (identity) => memory.identities.get(identityKey(identity))?.userId,
    linkIdentity: async (link) => linkIdentity(memory, link),
    unlinkIdentity: async (unlink) => unlinkIdentity(memory, unlink),
    endApps: async (ending) => endApps(memory, ending),
    deleteUser: async (deletion) => deleteUser(memory, deletion),
    recordSignal: async (signal) => recordSignal(memory, signal),
  };
};
