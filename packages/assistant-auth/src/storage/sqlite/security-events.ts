/** Records security events of providers. Each counts once, and revokes what is based on its target. */
import {
  accountClientId,
  type RequestedRevocation,
  type RevocationScope,
  type SecurityEventTarget,
} from '../../oauth/identifiers.ts';
import type { ReceivedSecurityEvent, SecurityEventOutcome } from '../account-storage.ts';
import { type GrantSelection, revokeEach } from './revocations.ts';
import { auditRows, hasChanges, runBatch, type SqlDatabase, type SqlStatement } from './statements.ts';
import { clearedToken } from './upstream-tokens.ts';

export const recordSecurityEvent = async (
  db: SqlDatabase,
  event: ReceivedSecurityEvent,
): Promise<SecurityEventOutcome> => {
  const results = await runBatch(
    db,
    ...event.revocations.flatMap((revocation) => applyRevocation(db, event, revocation)),
    // Comes last: that it is not there yet is what all the others ask.
    insertSecurityEvent(db, event),
  );
  return hasChanges(results.at(-1)) ? 'recorded' : 'replayed';
};

const insertSecurityEvent = (
  db: SqlDatabase,
  { provider, jti, retainUntil }: ReceivedSecurityEvent,
): SqlStatement =>
  db
    .prepare(
      `INSERT INTO security_events (provider, jti, retain_until) VALUES (?1, ?2, ?3)
      ON CONFLICT (provider, jti) DO NOTHING`,
    )
    .bind(provider, jti, retainUntil);

const applyRevocation = (
  db: SqlDatabase,
  { provider, jti, signedInBefore, reason, now }: ReceivedSecurityEvent,
  { target, revocationScope }: RequestedRevocation,
): readonly SqlStatement[] => {
  const values = [provider, jti, signedInBefore, ...targetValues(target)];
  const where = `${basedOnTarget[target.kind]} AND ${revocationScopes[revocationScope]} AND coalesce(signed_in_at, created_at) <= ?4 AND ${isFirstDelivery}`;
  const revocation = { where, values, reason, now };
  const [revocationInsert, grantUpdate] = revokeEach(db, revocation);
  const grantStatements = [revocationInsert, auditRevocations(db, revocation), grantUpdate];
  const identityCondition = matchesTarget[target.kind];
  if (revocationScope !== 'identity' || identityCondition === undefined) return grantStatements;
  const clearToken = `UPDATE identities SET ${clearedToken}
    WHERE ${identityCondition} AND last_sign_in_at <= ?4 AND ${isFirstDelivery}`;
  // The token goes after the grants, which are found by its names.
  return [...grantStatements, db.prepare(clearToken).bind(now, ...values)];
};

/** A row for each user of whom grants end; comes before they are marked, which tells them from those that had ended. */
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

/** `?2` is the provider and `?3` the signal's name there; `?4` is from when on grants are left alone. */
const isFirstDelivery =
  'NOT EXISTS (SELECT 1 FROM security_events WHERE security_events.provider = ?2 AND jti = ?3)';

/** `?5` and on, by the kind of target. */
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

/** Conditions on a row of `identities`, for the targets that name one. */
const matchesTarget = {
  identity: 'provider = ?2 AND subject = ?5',
  session: undefined,
  // The sign keeps SQLite from reading everybody of the provider: each name has an index of its own.
  token: '+provider = ?2 AND (token_identifier = ?5 OR other_token_identifier = ?5)',
} as const satisfies Record<SecurityEventTarget['kind'], string | undefined>;

/** Conditions on a row of `grants`: that it rests on the target. */
const basedOnTarget = {
  identity: matchesTarget.identity,
  session: 'provider = ?2 AND sid = ?5 AND (?6 IS NULL OR subject = ?6)',
  token: `(provider, subject) IN (SELECT provider, subject FROM identities WHERE ${matchesTarget.token})`,
} as const satisfies Record<SecurityEventTarget['kind'], string>;

/** Conditions on a row of `grants`: that it ends with so much. */
const revocationScopes = {
  sessions: `client_id = '${accountClientId}'`,
  'online-grants': `(client_id = '${accountClientId}' OR refresh_policy = 'none')`,
  grants: 'TRUE',
  identity: 'TRUE',
} as const satisfies Record<RevocationScope, string>;
