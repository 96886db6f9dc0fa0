/** Records security events of providers. Each event is applied once, and revokes grants of its target. */
import {
  accountClientId,
  type RequestedRevocation,
  type RevocationScope,
  type SecurityEventTarget,
} from '../../oauth/identifiers.ts';
import type { ReceivedSecurityEvent, SecurityEventOutcome } from '../account-storage.ts';
import { buildChangeQuery } from './providers.ts';
import { type GrantSelection, revokeEach } from './revocations.ts';
import { auditRows, hasChanges, runBatch, type SqlDatabase, type SqlStatement } from './statements.ts';
import { clearTokenColumns } from './upstream-tokens.ts';

export const recordSecurityEvent = async (
  db: SqlDatabase,
  event: ReceivedSecurityEvent,
): Promise<SecurityEventOutcome> => {
  const { provider, subjectNamespace } = event;
  const [changed, ...results] = await runBatch(
    db,
    db.prepare(buildChangeQuery('?1', '?2')).bind(provider, subjectNamespace),
    ...event.revocations.flatMap((revocation) => applyRevocation(db, event, revocation)),
    // Comes last, because all other statements check that the event is not stored yet.
    insertSecurityEvent(db, event),
  );
  if (changed?.results[0] !== undefined) return 'provider-changed';
  return hasChanges(results.at(-1)) ? 'recorded' : 'replayed';
};

const insertSecurityEvent = (
  db: SqlDatabase,
  { provider, jti, retainUntil, subjectNamespace }: ReceivedSecurityEvent,
): SqlStatement =>
  db
    .prepare(
      `INSERT INTO security_events (provider, jti, retain_until)
      SELECT ?1, ?2, ?3 WHERE NOT EXISTS (${buildChangeQuery('?1', '?4')})
      ON CONFLICT (provider, jti) DO NOTHING`,
    )
    .bind(provider, jti, retainUntil, subjectNamespace);

const applyRevocation = (
  db: SqlDatabase,
  { provider, jti, signedInBefore, subjectNamespace, reason, now }: ReceivedSecurityEvent,
  { target, revocationScope }: RequestedRevocation,
): readonly SqlStatement[] => {
  const values = [provider, jti, signedInBefore, subjectNamespace, ...targetValues(target)];
  const where = `${basedOnTarget[target.kind]} AND ${revocationScopes[revocationScope]} AND coalesce(signed_in_at, created_at) <= ?4 AND ${isApplicable}`;
  const revocation = { where, values, reason, now };
  const [revocationInsert, grantUpdate] = revokeEach(db, revocation);
  const grantStatements = [revocationInsert, auditRevocations(db, revocation), grantUpdate];
  const identityCondition = matchesTarget[target.kind];
  if (revocationScope !== 'identity' || identityCondition === undefined) return grantStatements;
  const clearToken = `UPDATE identities SET ${clearTokenColumns}
    WHERE ${identityCondition} AND last_sign_in_at <= ?4 AND ${isApplicable}`;
  // The token is deleted after the grants are revoked, because its identifiers are used to find them.
  return [...grantStatements, db.prepare(clearToken).bind(now, ...values)];
};

/**
 * Creates an audit row for each user whose grants are revoked. Must run before the grants are updated,
 * because it selects those that are not revoked yet.
 */
const auditRevocations = (
  db: SqlDatabase,
  { where, values, reason, now }: GrantSelection & { readonly reason: string },
): SqlStatement => {
  const last = values.length + 2;
  return auditRows(
    db,
    `SELECT DISTINCT ?1, 'security-event', 'provider', ?${last}, user_id, NULL, provider FROM grants
    WHERE ${where} AND revoked_at IS NULL`,
    [now, ...values, reason],
  );
};

/**
 * The condition that the event is not stored yet, and that its provider was not changed. `?2` is the
 * provider, `?3` the event's `jti`, `?5` the namespace. (`?4` is `signedInBefore`: grants of later sign-ins
 * are not revoked.)
 */
const isApplicable = `NOT EXISTS (SELECT 1 FROM security_events WHERE security_events.provider = ?2 AND jti = ?3)
  AND NOT EXISTS (${buildChangeQuery('?2', '?5')})`;

/** The values from `?6` on, by the kind of target. */
const targetValues = (target: SecurityEventTarget): readonly (string | null)[] => {
  switch (target.kind) {
    case 'identity':
      return [target.subject];
    case 'session':
      return [target.sid, target.subject ?? null];
    case 'token':
      return [target.identifier];
  }
};

/** Conditions on a row of `identities`, for the targets that identify one. */
const matchesTarget = {
  identity: 'provider = ?2 AND subject = ?6',
  session: undefined,
  // The unary plus keeps SQLite from reading all identities of the provider through the primary key: each
  // identifier has its own index.
  token: '+provider = ?2 AND (token_identifier = ?6 OR other_token_identifier = ?6)',
} as const satisfies Record<SecurityEventTarget['kind'], string | undefined>;

/** Conditions on a row of `grants`: that it is a grant of the target. */
const basedOnTarget = {
  identity: matchesTarget.identity,
  session: 'provider = ?2 AND sid = ?6 AND (?7 IS NULL OR subject = ?7)',
  token: `(provider, subject) IN (SELECT provider, subject FROM identities WHERE ${matchesTarget.token})`,
} as const satisfies Record<SecurityEventTarget['kind'], string>;

/** Conditions on a row of `grants`: that it is in the revocation scope. */
const revocationScopes = {
  sessions: `client_id = '${accountClientId}'`,
  'online-grants': `(client_id = '${accountClientId}' OR refresh_policy = 'none')`,
  grants: 'TRUE',
  identity: 'TRUE',
} as const satisfies Record<RevocationScope, string>;
