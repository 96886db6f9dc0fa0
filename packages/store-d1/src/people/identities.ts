/** The identities of a person: one more, one less, and what ends with it. */
import type { AppsEnding, Link, LinkOutcome, Unlink, UnlinkOutcome } from '@words-with-chat/broker';
import { auditChange, auditIdentityChange } from '../audit.ts';
import { endEach } from '../endings.ts';
import { livingSession } from '../grants/sessions.ts';
import { type TokenRow, tokenOf } from '../provider-tokens/checks.ts';
import { nameColumns, newTokenOrStored } from '../provider-tokens/tokens.ts';
import { roundTrip } from '../round-trip.ts';

export const linkIdentity = async (
  db: D1Database,
  { userId, session, identity, now }: Link,
): Promise<LinkOutcome> => {
  const { provider, subject, label = null, sealedRefreshToken = null } = identity;
  const [linked, , owners] = await roundTrip<{ readonly user_id: string }>(
    db,
    db
      .prepare(
        `INSERT INTO identities
          (provider, subject, user_id, label, sealed_refresh_token, token_name, other_token_name, created_at, last_sign_in_at)
        SELECT ?1, ?2, user_id, ?3, ?4, ?8, ?9, ?5, ?5 FROM grants WHERE user_id = ?6 AND ${livingSession('?7', '?5')}
        ON CONFLICT (provider, subject) DO UPDATE SET
          label = coalesce(excluded.label, label),
          ${newTokenOrStored},
          refreshable_until = NULL,
          last_sign_in_at = excluded.last_sign_in_at
        WHERE user_id = excluded.user_id
        RETURNING user_id`,
      )
      .bind(provider, subject, label, sealedRefreshToken, now, userId, session, ...nameColumns(identity)),
    auditIdentityChange(db, { event: 'linked', actor: 'user', now }, identity),
    db
      .prepare(`SELECT user_id FROM grants WHERE user_id = ?1 AND ${livingSession('?2', '?3')}`)
      .bind(userId, session, now),
  );
  if (linked?.results[0] !== undefined) return 'linked';
  return owners?.results[0] === undefined ? 'session-ended' : 'taken';
};

export const unlinkIdentity = async (
  db: D1Database,
  { userId, provider, subject, now }: Unlink,
): Promise<UnlinkOutcome> => {
  const [known, removed] = await roundTrip<TokenRow & { readonly sealed_refresh_token: string | null }>(
    db,
    db
      .prepare(
        `SELECT provider, subject, sealed_refresh_token FROM identities
        WHERE provider = ?1 AND subject = ?2 AND user_id = ?3`,
      )
      .bind(provider, subject, userId),
    db
      .prepare(
        `DELETE FROM identities WHERE provider = ?1 AND subject = ?2 AND user_id = ?3
          AND (SELECT count(*) FROM identities WHERE user_id = ?3) > 1
        RETURNING provider, subject, sealed_refresh_token`,
      )
      .bind(provider, subject, userId),
    auditChange(db, { event: 'unlinked', actor: 'user', now }, { userId, provider }),
    // After the identity: that it is gone is what the endings ask.
    ...endEach(db, {
      where: `provider = ?2 AND subject = ?3 AND user_id = ?4
        AND NOT EXISTS (SELECT 1 FROM identities WHERE provider = ?2 AND subject = ?3)`,
      values: [provider, subject, userId],
      reason: 'identity unlinked',
      now,
    }),
  );
  const row = removed?.results[0];
  if (row === undefined) return { kind: known?.results[0] === undefined ? 'unknown' : 'last' };
  return { kind: 'unlinked', ...(row.sealed_refresh_token !== null && { token: tokenOf(row) }) };
};

export const endApps = async (
  db: D1Database,
  { userId, grantIds, reason, now }: AppsEnding,
): Promise<void> => {
  const where = 'user_id = ?2 AND id IN (SELECT value FROM json_each(?3))';
  await roundTrip(
    db,
    ...endEach(db, { where, values: [userId, JSON.stringify(grantIds)], reason, now }),
    auditChange(db, { event: 'revoked', actor: 'user', reason, now }, { userId }),
  );
};
