/** The face of the package: the broker's ledger on Cloudflare D1, and which file answers which of its methods. */

import type { Ledger } from '../broker-storage.ts';
import {
  deleteUser,
  endApps,
  findUser,
  linkIdentity,
  readAccount,
  readHistory,
  unlinkIdentity,
  useSession,
} from './accounts.ts';
import type { SqlDatabase } from './batch.ts';
import { sweep } from './cleanup.ts';
import { claimCode, isRefreshable, redeemCode, refresh } from './grants.ts';
import { isRevoked, revocationsSince, revoke } from './revocations.ts';
import { recordSignal } from './security-events.ts';
import { grantStatus, recordSignIn } from './sign-ins.ts';
import {
  dropUpstreamToken,
  endIdentity,
  findTokens,
  recordCheck,
  replaceTokens,
  resolveRecheck,
  storeToken,
  takeCheck,
} from './upstream-tokens.ts';

export * from './admin.ts';
export { type ExecuteText, textD1 } from './text-d1.ts';

/**
 * Keeps the broker's ledger in a D1 database that this package's migrations were applied to. Every method is one round
 * trip to the primary: pass the binding itself, because a session's replicas may lag behind a revocation.
 * @throws LedgerUnavailable from every method when D1 fails, with D1's error as `cause`
 */
export const d1Ledger = (db: SqlDatabase): Ledger => ({
  recordSignIn: (signIn) => recordSignIn(db, signIn),
  grantStatus: (grantId) => grantStatus(db, grantId),
  claimCode: (claim) => claimCode(db, claim),
  redeemCode: (redemption) => redeemCode(db, redemption),
  refresh: (use) => refresh(db, use),
  isRefreshable: (question) => isRefreshable(db, question),
  storeToken: (token) => storeToken(db, token),
  recordCheck: (check) => recordCheck(db, check),
  endIdentity: (asked, reason, now) => endIdentity(db, asked, reason, now),
  resolveRecheck: (asked) => resolveRecheck(db, asked),
  dropUpstreamToken: (drop) => dropUpstreamToken(db, drop),
  revoke: (target, reason, now, by = 'operator') => revoke(db, target, reason, now, by),
  revocationsSince: (cursor, now, limit) => revocationsSince(db, cursor, now, limit),
  isRevoked: (token, now) => isRevoked(db, token, now),
  sweep: (given) => sweep(db, given),
  findTokens: (question) => findTokens(db, question),
  replaceTokens: (resealing) => replaceTokens(db, resealing),
  useSession: (use) => useSession(db, use),
  takeCheck: (question) => takeCheck(db, question),
  readAccount: (userId) => readAccount(db, userId),
  readHistory: (userId) => readHistory(db, userId),
  findUser: (identity) => findUser(db, identity),
  linkIdentity: (link) => linkIdentity(db, link),
  unlinkIdentity: (unlink) => unlinkIdentity(db, unlink),
  endApps: (ending) => endApps(db, ending),
  deleteUser: (deletion) => deleteUser(db, deletion),
  recordSignal: (signal) => recordSignal(db, signal),
});
