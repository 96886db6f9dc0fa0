/** The face of the package: the broker's ledger on Cloudflare D1, and which file answers which of its methods. */
import type { Ledger } from '@words-with-chat/broker';
import { claimCode, redeemCode } from './grants/codes.ts';
import { isRefreshable, refresh } from './grants/refresh.ts';
import { isRevoked, revocationsSince, revoke } from './grants/revocations.ts';
import { useSession } from './grants/sessions.ts';
import { grantStatus, recordSignIn } from './grants/sign-ins.ts';
import { deleteUser, findUser, readAccount, readHistory } from './people/account.ts';
import { endApps, linkIdentity, unlinkIdentity } from './people/identities.ts';
import { recordSignal } from './people/signals.ts';
import {
  dropUpstreamToken,
  endIdentity,
  recordCheck,
  resolveRecheck,
  storeToken,
  takeCheck,
} from './provider-tokens/checks.ts';
import { findTokens, replaceTokens } from './provider-tokens/stored-tokens.ts';
import { sweep } from './sweep.ts';

export * from './operator.ts';
export { type ExecuteText, textD1 } from './text/text-d1.ts';

/**
 * Keeps the broker's ledger in a D1 database that this package's migrations were applied to. Every method is one round
 * trip to the primary: pass the binding itself, because a session's replicas may lag behind a revocation.
 * @throws LedgerUnavailable from every method when D1 fails, with D1's error as `cause`
 */
export const d1Ledger = (db: D1Database): Ledger => ({
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
