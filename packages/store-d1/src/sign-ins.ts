/** Sign-ins: user, identity and grant, stored together or, on a replay, not at all. */
import type { SignIn, SignInOutcome } from '@words-with-chat/broker';
import { auditGrantChange } from './audit.ts';
import { roundTrip } from './round-trip.ts';

export const recordSignIn = async (db: D1Database, signIn: SignIn): Promise<SignInOutcome> => {
  const [, upserted] = await roundTrip<{ readonly user_id: string; readonly watched: number }>(
    db,
    insertUser(db, signIn),
    upsertIdentity(db, signIn),
    insertGrant(db, signIn),
    auditGrantChange(db, { event: 'signed-in', actor: 'user', now: signIn.now }, signIn.grant.id),
  );
  const identity = upserted?.results[0];
  if (identity === undefined) return { kind: 'replayed' };
  return { kind: 'recorded', userId: identity.user_id, watched: identity.watched === 1 };
};

/** Every statement asks it, because each one runs: a transaction that came back twice writes nothing. */
const firstTime = 'NOT EXISTS (SELECT 1 FROM grants WHERE id = ?1)';

const insertUser = (db: D1Database, { now, identity, user, grant }: SignIn): D1PreparedStatement => {
  switch (user.kind) {
    case 'ours':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?2, ?3 WHERE ${firstTime}
            AND NOT EXISTS (SELECT 1 FROM identities WHERE provider = ?4 AND subject = ?5)`,
        )
        .bind(grant.id, user.newId, now, identity.provider, identity.subject);
    case 'theirs':
      return db
        .prepare(
          `INSERT INTO users (id, created_at)
          SELECT ?2, ?3 WHERE ${firstTime}
          ON CONFLICT (id) DO NOTHING`,
        )
        .bind(grant.id, user.id, now);
  }
};

const upsertIdentity = (db: D1Database, { now, identity, user, grant }: SignIn): D1PreparedStatement => {
  const { provider, subject, label = null, sealedRefreshToken = null } = identity;
  return db
    .prepare(
      `INSERT INTO identities
        (provider, subject, user_id, label, sealed_refresh_token, created_at, last_sign_in_at)
      SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?7 WHERE ${firstTime}
      ON CONFLICT (provider, subject) DO UPDATE SET
        ${user.kind === 'theirs' ? 'user_id = excluded.user_id,' : ''}
        label = coalesce(excluded.label, label),
        sealed_refresh_token = coalesce(excluded.sealed_refresh_token, sealed_refresh_token),
        last_sign_in_at = excluded.last_sign_in_at
      RETURNING user_id, sealed_refresh_token IS NOT NULL AS watched`,
    )
    .bind(grant.id, provider, subject, userIdOf(user), label, sealedRefreshToken, now);
};

const insertGrant = (db: D1Database, { now, identity, grant }: SignIn): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO grants
        (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy, created_at)
      SELECT ?1, user_id, provider, subject, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM identities WHERE provider = ?9 AND subject = ?10
      ON CONFLICT (id) DO NOTHING`,
    )
    .bind(
      grant.id,
      grant.clientId,
      grant.redirectUri,
      JSON.stringify(grant.scopes),
      grant.resource,
      JSON.stringify(grant.claims),
      grant.refreshPolicy,
      now,
      identity.provider,
      identity.subject,
    );

const userIdOf = (user: SignIn['user']): string => {
  switch (user.kind) {
    case 'ours':
      return user.newId;
    case 'theirs':
      return user.id;
  }
};
