/**
 * Implements `BrokerStorage` in SQL: maps each method to its function in the other files. `account-methods.ts`
 * has the methods of the account page.
 */

import type { BrokerStorage } from '../broker-storage.ts';
import { cleanUp } from './cleanup.ts';
import { deleteClient, readClient, recordAssertion } from './clients.ts';
import { claimCode, readRefreshable, redeemCode, refresh } from './grants.ts';
import { recordRefusals } from './refusals.ts';
import { isRevoked, readRevocations, revoke } from './revocations.ts';
import { recordSecurityEvent } from './security-events.ts';
import { readGrantStatus, recordSignIn } from './sign-ins.ts';
import type { SqlDatabase } from './statements.ts';
import {
  dropUpstreamToken,
  findUpstreamTokens,
  recordRecheck,
  replaceUpstreamTokens,
  resolveRecheck,
  revokeGrantsOfIdentity,
  storeUpstreamToken,
} from './upstream-tokens.ts';

/**
 * The key of the database in storage in SQL. From the database, `accountStorage` creates the methods of the
 * account page.
 */
export const sqlDatabase = Symbol('sqlDatabase');

/** Storage in SQL, with its database. A copy with the spread syntax has it, too. */
export interface SqlStorage extends BrokerStorage {
  readonly [sqlDatabase]: SqlDatabase;
}

/** Creates storage on a database with the tables of this package. Every method is one batch. */
export const createSqlStorage = (db: SqlDatabase): SqlStorage => ({
  [sqlDatabase]: db,
  recordSignIn: (signIn) => recordSignIn(db, signIn),
  readGrantStatus: (grantId) => readGrantStatus(db, grantId),
  claimCode: (claim) => claimCode(db, claim),
  redeemCode: (redemption) => redeemCode(db, redemption),
  refresh: (request) => refresh(db, request),
  readRefreshable: (presented) => readRefreshable(db, presented),
  readClient: (id) => readClient(db, id),
  deleteClient: (id) => deleteClient(db, id),
  recordAssertion: (assertion) => recordAssertion(db, assertion),
  storeUpstreamToken: (token) => storeUpstreamToken(db, token),
  recordRecheck: (check) => recordRecheck(db, check),
  revokeGrantsOfIdentity: (usedToken, reason, now) => revokeGrantsOfIdentity(db, usedToken, reason, now),
  resolveRecheck: (usedToken) => resolveRecheck(db, usedToken),
  dropUpstreamToken: (drop) => dropUpstreamToken(db, drop),
  revoke: (target, reason, now, actor = 'operator') => revoke(db, target, reason, now, actor),
  readRevocations: (cursor, now, limit) => readRevocations(db, cursor, now, limit),
  isRevoked: (token, now) => isRevoked(db, token, now),
  recordRefusals: (refusals) => recordRefusals(db, refusals),
  cleanUp: (cleanup) => cleanUp(db, cleanup),
  findUpstreamTokens: (query) => findUpstreamTokens(db, query),
  replaceUpstreamTokens: (replacement) => replaceUpstreamTokens(db, replacement),
  recordSecurityEvent: (event) => recordSecurityEvent(db, event),
});
