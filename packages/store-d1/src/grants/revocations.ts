/** Revocations: ending grants on request, and telling which access tokens are dead. */
import type {
  EpochSeconds,
  Revocation,
  RevocationPage,
  RevocationTarget,
  Revoker,
  TokenOrigin,
} from '@words-with-chat/broker';
import { type Audited, auditChange, auditGrantChange } from '../audit.ts';
import { endGrants } from '../endings.ts';
import { roundTrip } from '../round-trip.ts';

export const revoke = async (
  db: D1Database,
  target: RevocationTarget,
  reason: string,
  now: EpochSeconds,
  by: Revoker,
): Promise<void> => {
  const where = `${columnOf[target.kind]} = ?2`;
  await roundTrip(
    db,
    ...endGrants(db, { target, where, values: [], reason, now }),
    auditEnding(db, target, { event: 'revoked', actor: by, reason, now }),
  );
};

const auditEnding = (db: D1Database, target: RevocationTarget, audited: Audited): D1PreparedStatement => {
  switch (target.kind) {
    case 'grant':
      return auditGrantChange(db, audited, target.id);
    case 'user':
      return auditChange(db, audited, { userId: target.id });
    case 'client':
      return auditChange(db, audited, { clientId: target.id });
  }
};

export const revocationsSince = async (
  db: D1Database,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): Promise<RevocationPage> => {
  const after = cursor ?? 0;
  const [living, newest] = await roundTrip<RevocationRow>(
    db,
    db
      .prepare(
        `SELECT * FROM revocations
        WHERE seq > iif(?1 > (${newestSeq}), 0, ?1) AND dead_after > ?2
        ORDER BY seq LIMIT ?3`,
      )
      .bind(after, now, limit + 1),
    db.prepare(newestSeq),
  );
  const rows = living?.results ?? [];
  if (rows.length > limit) return { kind: 'too-many' };
  return { kind: 'page', revocations: rows.map(revocationOf), cursor: newest?.results[0]?.seq ?? 0 };
};

/** A cursor ahead of it is of lines that were swept, or of another database: then all that is here is news. */
const newestSeq = 'SELECT coalesce(max(seq), 0) AS seq FROM revocations';

export const isRevoked = async (db: D1Database, token: TokenOrigin, now: EpochSeconds): Promise<boolean> => {
  const [found] = await roundTrip<{ readonly seq: number }>(
    db,
    db
      .prepare(
        `SELECT seq FROM revocations
        WHERE (kind, id) IN (VALUES ('grant', ?1), ('user', ?2), ('client', ?3))
          AND revoked_at >= ?4 AND dead_after > ?5
        LIMIT 1`,
      )
      .bind(token.grantId, token.userId, token.clientId, token.issuedAt, now),
  );
  return (found?.results.length ?? 0) > 0;
};

/** Which column of `grants` names a target. */
const columnOf = {
  grant: 'id',
  user: 'user_id',
  client: 'client_id',
} as const satisfies Record<RevocationTarget['kind'], string>;

interface RevocationRow {
  readonly seq: number;
  readonly kind: RevocationTarget['kind'];
  readonly id: string;
  readonly revoked_at: number;
  readonly dead_after: number;
}

const revocationOf = (row: RevocationRow): Revocation => ({
  kind: row.kind,
  id: row.id,
  revokedAt: row.revoked_at,
  deadAfter: row.dead_after,
});
