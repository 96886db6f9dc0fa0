/**
 * Deletes what has expired (`grants.retain_until` is the time until which a grant is needed), and records the
 * keys in the ring.
 */
import { type Cleanup, cleanupMargin } from '../broker-storage.ts';
import { auditWhen, runBatch, type SqlDatabase, type SqlStatement } from './statements.ts';

export const cleanUp = async (db: SqlDatabase, cleanup: Cleanup): Promise<void> => {
  const { now, deleteAuditBefore } = cleanup;
  const expiredBy = now - cleanupMargin;
  await runBatch(
    db,
    db.prepare('DELETE FROM grants WHERE retain_until <= ?1').bind(expiredBy),
    // After the grants, because a client is needed as long as it has one.
    db
      .prepare(
        `DELETE FROM clients
        WHERE retain_until <= ?1 AND NOT EXISTS (SELECT 1 FROM grants WHERE client_id = clients.id)`,
      )
      .bind(expiredBy),
    db.prepare('DELETE FROM client_assertions WHERE retain_until <= ?1').bind(expiredBy),
    db.prepare('DELETE FROM security_events WHERE retain_until <= ?1').bind(expiredBy),
    db.prepare('DELETE FROM revocations WHERE expires_at <= ?1').bind(expiredBy),
    deleteOldAuditEntries(db, deleteAuditBefore),
    db.prepare("DELETE FROM refusals WHERE day < date(?1, 'unixepoch')").bind(deleteAuditBefore),
    auditKeyRotation(db, cleanup),
    recordSealingKey(db, cleanup),
    deleteRemovedKeys(db, cleanup),
    recordRingKeys(db, cleanup),
  );
};

/** The maximum number of audit rows that one cleanup deletes. */
const maxAuditDeletions = 10_000;

/**
 * Deletes from the oldest row up to the first one that is kept. So it reads no other row, and needs no index
 * on `at`.
 */
const deleteOldAuditEntries = (db: SqlDatabase, before: Cleanup['deleteAuditBefore']): SqlStatement =>
  db
    .prepare(
      `DELETE FROM audit WHERE seq < coalesce(
        (SELECT seq FROM audit WHERE at >= ?1 OR seq >= (SELECT min(seq) FROM audit) + ?2 ORDER BY seq LIMIT 1),
        (SELECT max(seq) + 1 FROM audit)
      )`,
    )
    .bind(before, maxAuditDeletions);

const newestKey = 'SELECT id FROM sealing_keys ORDER BY seq DESC LIMIT 1';

/**
 * Must run before `recordSealingKey`, because it compares with the newest recorded key. The very first
 * key replaces none, so it is not audited.
 */
const auditKeyRotation = (db: SqlDatabase, { now, sealingKey }: Cleanup): SqlStatement =>
  auditWhen(db, { event: 'key-rotated', actor: 'operator', reason: sealingKey, now }, `(${newestKey}) <> ?4`);

/** Inserts a row for each change: a key that becomes the first one again seals again. */
const recordSealingKey = (db: SqlDatabase, { now, sealingKey }: Cleanup): SqlStatement =>
  db
    .prepare(`INSERT INTO sealing_keys (id, sealing_since) SELECT ?1, ?2 WHERE (${newestKey}) IS NOT ?1`)
    .bind(sealingKey, now);

/**
 * A key that is removed from the ring and added again gets a new time. While deployments with and without it
 * run side by side, the cleanups of one delete the row and the cleanups of the other insert it again, so the
 * recorded time is never before the last cleanup without the key.
 */
const deleteRemovedKeys = (db: SqlDatabase, { ringKeys }: Cleanup): SqlStatement =>
  db
    .prepare('DELETE FROM ring_keys WHERE id NOT IN (SELECT value FROM json_each(?1))')
    .bind(JSON.stringify(ringKeys));

const recordRingKeys = (db: SqlDatabase, { now, ringKeys }: Cleanup): SqlStatement =>
  db
    .prepare(
      `INSERT INTO ring_keys (id, in_ring_since) SELECT value, ?2 FROM json_each(?1)
      WHERE value NOT IN (SELECT id FROM ring_keys)`,
    )
    .bind(JSON.stringify(ringKeys), now);
