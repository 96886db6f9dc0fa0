/** Providers' signals: each counts once, and ends what rests on whom it names. */

import { accountClientId } from '../../oauth/identifiers.ts';
import type { SignalEnding, SignalReach, SignalTarget } from '../../oauth/security-event.ts';
import type { ReceivedSignal, SignalOutcome } from '../account-storage.ts';
import { auditRows } from './audit.ts';
import { changedRows, roundTrip, type SqlDatabase, type SqlStatement } from './batch.ts';
import { type EndingEach, endEach } from './revocations.ts';
import { forgotten } from './upstream-tokens.ts';

export const recordSignal = async (db: SqlDatabase, signal: ReceivedSignal): Promise<SignalOutcome> => {
  const results = await roundTrip(
    db,
    ...signal.endings.flatMap((ending) => end(db, signal, ending)),
    // Comes last: that it is not there yet is what all the others ask.
    remember(db, signal),
  );
  return changedRows(results.at(-1)) ? 'first' : 'replayed';
};

const remember = (db: SqlDatabase, { provider, jti, neededUntil }: ReceivedSignal): SqlStatement =>
  db
    .prepare(
      `INSERT INTO signals (provider, jti, needed_until) VALUES (?1, ?2, ?3)
      ON CONFLICT (provider, jti) DO NOTHING`,
    )
    .bind(provider, jti, neededUntil);

const end = (
  db: SqlDatabase,
  { provider, jti, before, reason, now }: ReceivedSignal,
  { target, reach }: SignalEnding,
): readonly SqlStatement[] => {
  const values = [provider, jti, before, ...namesIn(target)];
  const where = `${resting[target.kind]} AND ${within[reach]} AND coalesce(signed_in_at, created_at) <= ?4 AND ${firstTime}`;
  const ending = { where, values, reason, now };
  const [remembered, marked] = endEach(db, ending);
  const ended = [remembered, auditEach(db, ending), marked];
  const named = identities[target.kind];
  if (reach !== 'identity' || named === undefined) return ended;
  const forget = `UPDATE identities SET ${forgotten}
    WHERE ${named} AND last_sign_in_at <= ?4 AND ${firstTime}`;
  // The token goes after the grants, which are found by its names.
  return [...ended, db.prepare(forget).bind(now, ...values)];
};

/** A row for each user of whom grants end; comes before they are marked, which tells them from those that had ended. */
const auditEach = (
  db: SqlDatabase,
  { where, values, reason, now }: EndingEach & { readonly reason: string },
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
const firstTime = 'NOT EXISTS (SELECT 1 FROM signals WHERE signals.provider = ?2 AND jti = ?3)';

/** `?5` and on, by the kind of target. */
const namesIn = (target: SignalTarget): readonly (string | null)[] => {
  switch (target.kind) {
    case 'identity':
      return [target.subject];
    case 'session':
      return [target.sid, target.subject ?? null];
    case 'token':
      return [target.name];
  }
};

/** Conditions on a row of `identities`, for the targets that name one. */
const identities = {
  identity: 'provider = ?2 AND subject = ?5',
  session: undefined,
  // The sign keeps SQLite from reading everybody of the provider: each name has an index of its own.
  token: '+provider = ?2 AND (token_name = ?5 OR other_token_name = ?5)',
} as const satisfies Record<SignalTarget['kind'], string | undefined>;

/** Conditions on a row of `grants`: that it rests on the target. */
const resting = {
  identity: identities.identity,
  session: 'provider = ?2 AND sid = ?5 AND (?6 IS NULL OR subject = ?6)',
  token: `(provider, subject) IN (SELECT provider, subject FROM identities WHERE ${identities.token})`,
} as const satisfies Record<SignalTarget['kind'], string>;

/** Conditions on a row of `grants`: that it ends with so much. */
const within = {
  sessions: `client_id = '${accountClientId}'`,
  presence: `(client_id = '${accountClientId}' OR refresh_policy = 'none')`,
  grants: 'TRUE',
  identity: 'TRUE',
} as const satisfies Record<SignalReach, string>;
