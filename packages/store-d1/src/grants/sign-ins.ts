/** Sign-ins: user, identity and grant, stored together or, on a replay, not at all. */
import type { GrantStatus, SignIn, SignInOutcome } from '@words-with-chat/broker';
import { auditGrantChange } from '../audit.ts';
import { nameColumns, newTokenOrStored } from '../provider-tokens/tokens.ts';
import { roundTrip } from '../round-trip.ts';
import { livingSession } from './sessions.ts';

export const recordSignIn = async (db: D1Database, signIn: SignIn): Promise<SignInOutcome> => {
  const [, upserted] = await roundTrip<{ readonly user_id: string; readonly watched: number }>(
    db,
    insertUser(db, signIn),
    upsertIdentity(db, signIn),
    insertGrant(db, signIn),
    auditGrantChange(db, { event: 'signed-in', actor: 'user', now: signIn.now }, signIn.grant.id),
  );
  const identity = upserted?.results[0];
  // Whoever goes on in a session has drawn the grant's id just now.
  if (identity === undefined) return { kind: signIn.session === undefined ? 'replayed' : 'session-ended' };
  return { kind: 'recorded', userId: identity.user_id, watched: identity.watched === 1 };
};

export const grantStatus = async (db: D1Database, grantId: string): Promise<GrantStatus> => {
  const [found] = await roundTrip<StatusRow>(db, selectStatus(db, grantId));
  return statusOf(found?.results[0]);
};

export interface StatusRow {
  readonly revoked: number;
}

export const selectStatus = (db: D1Database, grantId: string): D1PreparedStatement =>
  db.prepare('SELECT revoked_at IS NOT NULL AS revoked FROM grants WHERE id = ?1').bind(grantId);

export const statusOf = (row: StatusRow | undefined): GrantStatus => {
  if (row === undefined) return 'unknown';
  return row.revoked === 1 ? 'revoked' : 'active';
};

/**
 * Every statement asks it, because each one runs: a transaction that came back twice writes nothing, nor does who goes on in a
 * session that has ended. `?1` is the grant's id, `?2` now, `?3` the session, if there is one.
 */
const recordable = `NOT EXISTS (SELECT 1 FROM grants WHERE id = ?1)
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM grants WHERE ${livingSession('?3', '?2')}))`;

const asked = ({ now, session, grant }: SignIn) => [grant.id, now, session ?? null];

const insertUser = (db: D1Database, signIn: SignIn): D1PreparedStatement => {
  const { identity, user } = signIn;
  switch (user.kind) {
    case 'ours':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?4, ?2 WHERE ${recordable}
            AND NOT EXISTS (SELECT 1 FROM identities WHERE provider = ?5 AND subject = ?6)`,
        )
        .bind(...asked(signIn), user.newId, identity.provider, identity.subject);
    case 'theirs':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?4, ?2 WHERE ${recordable}
          ON CONFLICT (id) DO NOTHING`,
        )
        .bind(...asked(signIn), user.id);
  }
};

/** Whoever goes on in a session has not been at the provider: that is no sign-in there. */
const upsertIdentity = (db: D1Database, signIn: SignIn): D1PreparedStatement => {
  const { identity, user } = signIn;
  const { provider, subject, label = null, sealedRefreshToken = null } = identity;
  return db
    .prepare(
      `INSERT INTO identities
        (provider, subject, user_id, label, sealed_refresh_token, token_name, other_token_name, created_at, last_sign_in_at)
      SELECT ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?2, ?2 WHERE ${recordable}
      ON CONFLICT (provider, subject) DO UPDATE SET
        ${user.kind === 'theirs' ? 'user_id = excluded.user_id,' : ''}
        label = coalesce(excluded.label, label),
        ${newTokenOrStored},
        refreshable_until = iif(?3 IS NULL, NULL, refreshable_until),
        last_sign_in_at = iif(?3 IS NULL, excluded.last_sign_in_at, last_sign_in_at)
      RETURNING user_id, sealed_refresh_token IS NOT NULL AS watched`,
    )
    .bind(
      ...asked(signIn),
      provider,
      subject,
      userIdOf(user),
      label,
      sealedRefreshToken,
      ...nameColumns(identity),
    );
};

/** Comes last: once the grant is there, nothing is recordable any longer. */
const insertGrant = (db: D1Database, signIn: SignIn): D1PreparedStatement => {
  const { identity, grant } = signIn;
  return db
    .prepare(
      `INSERT INTO grants
        (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy, created_at,
          sid, signed_in_at)
      SELECT ?1, user_id, provider, subject, ?4, ?5, ?6, ?7, ?8, ?9, ?2, ?12,
        (SELECT created_at FROM grants WHERE id = ?3)
      FROM identities
      WHERE provider = ?10 AND subject = ?11 AND ${recordable}`,
    )
    .bind(
      ...asked(signIn),
      grant.clientId,
      grant.redirectUri,
      JSON.stringify(grant.scopes),
      grant.resource,
      JSON.stringify(grant.claims),
      grant.refreshPolicy,
      identity.provider,
      identity.subject,
      grant.sid ?? null,
    );
};

const userIdOf = (user: SignIn['user']): string => {
  switch (user.kind) {
    case 'ours':
      return user.newId;
    case 'theirs':
      return user.id;
  }
};
