/** What an operator asks: who is there, what they allowed, what happened, and what still needs a key. Ids alone, no names of people. */
import type { EpochSeconds, UserId } from '@words-with-chat/broker';
import { type AuditRow, readAudit } from './operator/audit.ts';
import { readClock } from './operator/clock.ts';
import { type GrantSummary, readGrants } from './operator/grants.ts';
import { type KeyQuestion, type KeyUse, readKeyUse } from './operator/key-use.ts';
import type { Page } from './operator/page.ts';
import { readUnwatched, type UnwatchedIdentity } from './operator/unwatched.ts';
import { readUsers, type UserSummary } from './operator/users.ts';

export type { AuditRow } from './operator/audit.ts';
export type { GrantSummary } from './operator/grants.ts';
export type { KeyQuestion, KeyUse } from './operator/key-use.ts';
export type { Page } from './operator/page.ts';
export type { UnwatchedIdentity } from './operator/unwatched.ts';
export type { UserSummary } from './operator/users.ts';

export interface Operator {
  /** Asks the database's clock, by which the deployment's does not differ; that of an operator's own machine may. */
  now(): Promise<EpochSeconds>;
  /** Reads users, the newest first. */
  users(page: Page, now: EpochSeconds): Promise<readonly UserSummary[]>;
  /** Reads a user's grants and sessions, the newest first; `undefined` when there is no such user. */
  grants(userId: UserId, now: EpochSeconds): Promise<readonly GrantSummary[] | undefined>;
  /** Reads identities on which living grants rest although their provider cannot be asked, the oldest first. */
  unwatched(page: Page, now: EpochSeconds): Promise<readonly UnwatchedIdentity[]>;
  /** Reads the audit, the newest first. */
  audit(page: Page, userId?: UserId): Promise<readonly AuditRow[]>;
  /** Tells of each key of a ring what may still need it. */
  keyUse(question: KeyQuestion): Promise<readonly KeyUse[]>;
}

/**
 * Answers an operator from the ledger's database. Every method is one round trip, and most read whole tables: they are for people who
 * ask now and then.
 * @throws LedgerUnavailable from every method when D1 fails, with D1's error as `cause`
 */
export const d1Operator = (db: D1Database): Operator => ({
  now: () => readClock(db),
  users: (page, now) => readUsers(db, page, now),
  grants: (userId, now) => readGrants(db, userId, now),
  unwatched: (page, now) => readUnwatched(db, page, now),
  audit: (page, userId) => readAudit(db, page, userId),
  keyUse: (question) => readKeyUse(db, question),
});
