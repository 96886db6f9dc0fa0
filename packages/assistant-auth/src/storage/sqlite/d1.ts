/**
 * Storage in Cloudflare D1, and the operator's queries on it. The migrations in the package's folder
 * `migrations` create the tables.
 * @module
 */

import type { BrokerStorage } from '../broker-storage.ts';
import {
  deleteUser,
  findUser,
  linkIdentity,
  readAccount,
  readHistory,
  revokeGrants,
  unlinkIdentity,
  useSession,
} from './accounts.ts';
import { cleanUp } from './cleanup.ts';
import { claimCode, isRefreshable, redeemCode, refresh } from './grants.ts';
import { isRevoked, readRevocations, revoke } from './revocations.ts';
import { recordSecurityEvent } from './security-events.ts';
import { readGrantStatus, recordSignIn } from './sign-ins.ts';
import type { SqlDatabase } from './statements.ts';
import {
  acquireRecheckLease,
  dropUpstreamToken,
  findUpstreamTokens,
  recordRecheck,
  replaceUpstreamTokens,
  resolveRecheck,
  revokeGrantsOfIdentity,
  storeUpstreamToken,
} from './upstream-tokens.ts';

export {
  type AuditEntry,
  d1Admin,
  type GrantSummary,
  type IdentityWithoutUpstreamToken,
  type KeyPrefixes,
  type KeyUsage,
  type KeyUsageQuery,
  type Pagination,
  type StorageAdmin,
  type UserSummary,
} from './admin.ts';
export type { AuditActor, AuditEventName, SqlDatabase, SqlResult, SqlStatement } from './statements.ts';

/**
 * Creates storage in a D1 database to which this package's migrations were applied. Every method is one round
 * trip to the primary. Pass the binding itself, not a D1 session: its replicas may not have received a
 * revocation yet.
 * @param db the D1 binding
 * @throws StorageUnavailable from every method if D1 fails, with D1's error as `cause`
 * @example
 * ```ts
 * import { createBroker, google, gptAction } from 'assistant-auth';
 * import { d1Storage } from 'assistant-auth/d1';
 *
 * const broker = createBroker({
 *   issuer: 'https://words.example',
 *   sealingKeys: env.SEALING_KEYS,
 *   storage: d1Storage(env.DB),
 *   scopes: { score: 'see and increase your score' },
 *   clients: [
 *     gptAction({
 *       id: 'words-gpt',
 *       name: 'Words With Chat',
 *       secrets: [env.GPT_CLIENT_SECRET],
 *       scopes: ['score'],
 *     }),
 *   ],
 *   providers: [google({ clientId: env.GOOGLE_CLIENT_ID, clientSecret: env.GOOGLE_CLIENT_SECRET })],
 * });
 * ```
 */
export const d1Storage = (db: SqlDatabase): BrokerStorage => ({
  recordSignIn: (signIn) => recordSignIn(db, signIn),
  readGrantStatus: (grantId) => readGrantStatus(db, grantId),
  claimCode: (claim) => claimCode(db, claim),
  redeemCode: (redemption) => redeemCode(db, redemption),
  refresh: (request) => refresh(db, request),
  isRefreshable: (presented) => isRefreshable(db, presented),
  storeUpstreamToken: (token) => storeUpstreamToken(db, token),
  recordRecheck: (check) => recordRecheck(db, check),
  revokeGrantsOfIdentity: (usedToken, reason, now) => revokeGrantsOfIdentity(db, usedToken, reason, now),
  resolveRecheck: (usedToken) => resolveRecheck(db, usedToken),
  dropUpstreamToken: (drop) => dropUpstreamToken(db, drop),
  revoke: (target, reason, now, actor = 'operator') => revoke(db, target, reason, now, actor),
  readRevocations: (cursor, now, limit) => readRevocations(db, cursor, now, limit),
  isRevoked: (token, now) => isRevoked(db, token, now),
  cleanUp: (cleanup) => cleanUp(db, cleanup),
  findUpstreamTokens: (query) => findUpstreamTokens(db, query),
  replaceUpstreamTokens: (replacement) => replaceUpstreamTokens(db, replacement),
  useSession: (activity) => useSession(db, activity),
  acquireRecheckLease: (request) => acquireRecheckLease(db, request),
  readAccount: (userId) => readAccount(db, userId),
  readHistory: (userId) => readHistory(db, userId),
  findUser: (identity) => findUser(db, identity),
  linkIdentity: (link) => linkIdentity(db, link),
  unlinkIdentity: (unlink) => unlinkIdentity(db, unlink),
  revokeGrants: (revocation) => revokeGrants(db, revocation),
  deleteUser: (deletion) => deleteUser(db, deletion),
  recordSecurityEvent: (event) => recordSecurityEvent(db, event),
});
