/** The one way to D1: every statement of an operation at once, all or nothing. */

import type { EpochSeconds, GrantId, UserId } from '../../oauth/identifiers.ts';
import { StorageUnavailable } from '../broker-storage.ts';

/**
 * Runs the statements in order, in one transaction and one round trip.
 * @returns one result per statement, in their order
 * @throws StorageUnavailable for every failure; what D1 says may quote SQL, so it stays in `cause`
 */
export const runBatch = async <Row>(
  db: SqlDatabase,
  ...statements: SqlStatement[]
): Promise<readonly SqlResult<Row>[]> => {
  try {
    return await db.batch<Row>(statements);
  } catch (cause) {
    throw new StorageUnavailable('D1 did not carry out the statements', { cause });
  }
};

/** Tells whether a statement changed anything. */
export const hasChanges = (result: SqlResult | undefined): boolean => (result?.meta.changes ?? 0) > 0;

/** A database as D1 offers it. Cloudflare's `D1Database` binding fits. */
export interface SqlDatabase {
  prepare(sql: string): SqlStatement;
  /** Runs the statements in order, in one transaction. */
  batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]>;
}

export interface SqlStatement {
  /** Sets the values of `?1`, `?2` and so on. */
  bind(...values: unknown[]): SqlStatement;
}

export interface SqlResult<Row = unknown> {
  readonly results: Row[];
  /** `changes`: the number of rows that the statement inserted, updated or deleted. */
  readonly meta: { readonly changes: number };
}

// The audit: a row for each event with a proven user, client or operator, written in the batch that runs anyway. A row names ids alone: no label, no address, no token, no grant.

/** What a row says, besides whom it is about. */
export interface AuditEvent {
  readonly event:
    | 'signed-in'
    | 'reuse-detected'
    | 'revoked'
    | 'linked'
    | 'unlinked'
    | 'deleted'
    | 'key-rotated'
    | 'upstream-token-dropped'
    | 'security-event';
  /** Who did it. */
  readonly actor: 'user' | 'client' | 'provider' | 'operator' | 'broker';
  /** Why; for `key-rotated` the id of the key that seals now. */
  readonly reason?: string;
  readonly now: EpochSeconds;
}

/** Whom a row is about, as far as it is known. */
interface AuditedIds {
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly provider?: string;
}

/**
 * Makes the statement that writes the row if the statement right before it in the batch changed anything. So what did not happen
 * leaves no row.
 */
export const auditChange = (db: SqlDatabase, auditEvent: AuditEvent, ids: AuditedIds): SqlStatement =>
  db
    .prepare(`${insertAuditRow} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE changes() > 0`)
    .bind(...auditValues(auditEvent), ids.userId ?? null, ids.clientId ?? null, ids.provider ?? null);

/** The same about the user, client and provider of a grant. */
export const auditGrantChange = (db: SqlDatabase, auditEvent: AuditEvent, grantId: GrantId): SqlStatement =>
  db
    .prepare(
      `${insertAuditRow} SELECT ?1, ?2, ?3, ?4, user_id, client_id, provider FROM grants
      WHERE id = iif(changes() > 0, ?5, NULL)`,
    )
    .bind(...auditValues(auditEvent), grantId);

/** The same about the user and provider of an identity. */
export const auditIdentityChange = (
  db: SqlDatabase,
  auditEvent: AuditEvent,
  { provider, subject }: { readonly provider: string; readonly subject: string },
): SqlStatement =>
  db
    .prepare(
      `${insertAuditRow} SELECT ?1, ?2, ?3, ?4, user_id, NULL, provider FROM identities
      WHERE provider = iif(changes() > 0, ?5, NULL) AND subject = ?6`,
    )
    .bind(...auditValues(auditEvent), provider, subject);

/** Makes the statement that writes the rows of a query: instant, event, actor, reason, user, client and provider. */
export const auditRows = (
  db: SqlDatabase,
  query: string,
  values: readonly (string | number | null)[],
): SqlStatement => db.prepare(`${insertAuditRow} ${query}`).bind(...values);

/** Makes the statement that writes a row about nobody where a condition holds; `?4` is the reason. */
export const auditWhen = (db: SqlDatabase, auditEvent: AuditEvent, condition: string): SqlStatement =>
  db
    .prepare(`INSERT INTO audit (at, event, actor, reason) SELECT ?1, ?2, ?3, ?4 WHERE ${condition}`)
    .bind(...auditValues(auditEvent));

const insertAuditRow = 'INSERT INTO audit (at, event, actor, reason, user_id, client_id, provider)';

const auditValues = ({ event, actor, reason, now }: AuditEvent) => [now, event, actor, reason ?? null];
