/**
 * The audit: a row for each event with a proven user, client or operator, written in the batch that runs anyway. A row names ids
 * alone: no label, no address, no token, no grant.
 */

import type { GrantId, UserId } from '../../oauth/identifiers.ts';
import type { EpochSeconds } from '../../oauth/time.ts';
import type { SqlDatabase, SqlStatement } from './batch.ts';

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
