/**
 * Runs the SQL statements of a storage method in one batch, and creates the statements that write the audit
 * log.
 */

import type { EpochSeconds, GrantId, UserId } from '../../oauth/identifiers.ts';
import { StorageUnavailable } from '../broker-storage.ts';

/**
 * Runs the statements in order, in one transaction and one round trip.
 * @returns one result per statement, in their order
 * @throws StorageUnavailable for every failure. The driver's message may quote SQL, so it is only in `cause`
 */
export const runBatch = async <Row>(
  db: SqlDatabase,
  ...statements: SqlStatement[]
): Promise<readonly SqlResult<Row>[]> => {
  try {
    return await db.batch<Row>(statements);
  } catch (cause) {
    throw new StorageUnavailable('the database failed', { cause });
  }
};

/** Returns whether a statement changed a row. */
export const hasChanges = (result: SqlResult | undefined): boolean => (result?.meta.changes ?? 0) > 0;

/** The part of the D1 interface that storage uses. Cloudflare's `D1Database` binding is compatible. */
export interface SqlDatabase {
  /**
   * Prepares a statement without running it.
   * @param sql one SQL statement in SQLite's dialect, with the parameters `?1`, `?2` and so on
   */
  prepare(sql: string): SqlStatement;
  /**
   * Runs the statements in order, in one transaction: if one fails, none has an effect.
   * @returns one result per statement, in their order
   */
  batch<Row>(statements: SqlStatement[]): Promise<SqlResult<Row>[]>;
}

/** A prepared statement. Cloudflare's `D1PreparedStatement` is compatible. */
export interface SqlStatement {
  /**
   * Returns the statement with the values of `?1`, `?2` and so on.
   * @param values strings, numbers and `null`, as many as the statement has parameters
   */
  bind(...values: unknown[]): SqlStatement;
}

/**
 * The result of one statement. Cloudflare's `D1Result` is compatible.
 * @typeParam Row the type of a row that the statement returns
 */
export interface SqlResult<Row = unknown> {
  /** The rows that the statement returned, as objects with the column names as keys. */
  readonly results: Row[];
  /** Metadata about the run. */
  readonly meta: {
    /** The number of rows that the statement inserted, updated or deleted. */
    readonly changes: number;
  };
}

// The audit log. A row identifies a user only by ID, and contains no label, email address, token or grant ID.

/** The content of an audit row, without the IDs. */
export interface AuditEvent {
  /** What happened. */
  readonly event: AuditEventName;
  /** Who did it. */
  readonly actor: AuditActor;
  /** Why it happened. For `key-rotated`, the ID of the key that seals now. */
  readonly reason?: string;
  readonly now: EpochSeconds;
}

/** What happened, in the audit log. */
export type AuditEventName =
  /** A user signed in, and a grant was created. */
  | 'signed-in'
  /** A code or a refresh token was used again, and its grant was revoked. */
  | 'reuse-detected'
  /** Grants were revoked. */
  | 'revoked'
  /** An identity was added to an account. */
  | 'linked'
  /** An identity was removed from an account. */
  | 'unlinked'
  /** A user was deleted. The entry has no user ID. */
  | 'deleted'
  /** A cleanup found another first key in the ring. */
  | 'key-rotated'
  /**
   * An identity lost its upstream token after an inconclusive recheck, or all identities of a provider did.
   */
  | 'upstream-token-dropped'
  /**
   * The operator accepted that the namespace of a provider's subjects has changed. The reason contains both.
   */
  | 'provider-accepted'
  /** A provider sent a security event that revoked grants. */
  | 'security-event';

/** Who caused an entry of the audit log. */
export type AuditActor =
  /** The user, in the browser. */
  | 'user'
  /** An OAuth client, by a request to an endpoint. */
  | 'client'
  /** An identity provider, by a security event or its response to a recheck. */
  | 'provider'
  /** The operator, by a command or by changing the key ring. */
  | 'operator'
  /** The broker itself, because a limit or a rule requires it. */
  | 'broker';

/** The IDs that an audit row is about, as far as they are known. */
interface AuditedIds {
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly provider?: string;
}

/**
 * Creates the statement that writes the row if the statement directly before it in the batch changed a row.
 * A change that was not made leaves no audit row.
 */
export const auditChange = (db: SqlDatabase, auditEvent: AuditEvent, ids: AuditedIds): SqlStatement =>
  db
    .prepare(`${insertAuditRow} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE changes() > 0`)
    .bind(...auditValues(auditEvent), ids.userId ?? null, ids.clientId ?? null, ids.provider ?? null);

/** Like `auditChange`, with the user, client and provider of a grant. */
export const auditGrantChange = (db: SqlDatabase, auditEvent: AuditEvent, grantId: GrantId): SqlStatement =>
  db
    .prepare(
      `${insertAuditRow} SELECT ?1, ?2, ?3, ?4, user_id, client_id, provider FROM grants
      WHERE id = iif(changes() > 0, ?5, NULL)`,
    )
    .bind(...auditValues(auditEvent), grantId);

/** Like `auditChange`, with the user and provider of an identity. */
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

/**
 * Creates the statement that writes the rows of a query: time, event, actor, reason, user, client and
 * provider.
 */
export const auditRows = (
  db: SqlDatabase,
  query: string,
  values: readonly (string | number | null)[],
): SqlStatement => db.prepare(`${insertAuditRow} ${query}`).bind(...values);

/**
 * Creates the statement that writes a row without IDs if a condition is true. In the condition, `?4` is the
 * reason.
 */
export const auditWhen = (db: SqlDatabase, auditEvent: AuditEvent, condition: string): SqlStatement =>
  db
    .prepare(`INSERT INTO audit (at, event, actor, reason) SELECT ?1, ?2, ?3, ?4 WHERE ${condition}`)
    .bind(...auditValues(auditEvent));

const insertAuditRow = 'INSERT INTO audit (at, event, actor, reason, user_id, client_id, provider)';

const auditValues = ({ event, actor, reason, now }: AuditEvent) => [now, event, actor, reason ?? null];
