/** Sweeps: deletes what has expired (`grants.needed_until` says until when a grant is needed), and records the keys in the ring. */
import type { Sweep } from '../maintenance.ts';
import { auditWhen } from './audit.ts';
import { roundTrip, type SqlDatabase, type SqlStatement } from './batch.ts';

export const sweep = async (db: SqlDatabase, given: Sweep): Promise<void> => {
  const { now, auditBefore } = given;
  await roundTrip(
    db,
    db.prepare('DELETE FROM grants WHERE needed_until <= ?1').bind(now),
    db.prepare('DELETE FROM signals WHERE needed_until <= ?1').bind(now),
    db.prepare('DELETE FROM revocations WHERE dead_after <= ?1').bind(now),
    forgetAudit(db, auditBefore),
    auditRotation(db, given),
    recordSealingKey(db, given),
    forgetMissingKeys(db, given),
    recordOpeningKeys(db, given),
  );
};

/** How many rows of the audit one sweep deletes at most. */
const mostForgotten = 10_000;

/** From the oldest row up to the first that stays: no other is read, and no index of times is kept. */
const forgetAudit = (db: SqlDatabase, before: Sweep['auditBefore']): SqlStatement =>
  db
    .prepare(
      `DELETE FROM audit WHERE seq < coalesce(
        (SELECT seq FROM audit WHERE at >= ?1 OR seq >= (SELECT min(seq) FROM audit) + ?2 ORDER BY seq LIMIT 1),
        (SELECT max(seq) + 1 FROM audit)
      )`,
    )
    .bind(before, mostForgotten);

const newestKey = 'SELECT id FROM sealing_keys ORDER BY seq DESC LIMIT 1';

/** Before the next, which is what it asks for. The first key of all came after none. */
const auditRotation = (db: SqlDatabase, { now, sealingKey }: Sweep): SqlStatement =>
  auditWhen(db, { event: 'key-rotated', actor: 'operator', reason: sealingKey, now }, `(${newestKey}) <> ?4`);

/** A row for each change: a key that comes back to the front seals again. */
const recordSealingKey = (db: SqlDatabase, { now, sealingKey }: Sweep): SqlStatement =>
  db
    .prepare(`INSERT INTO sealing_keys (id, sealing_since) SELECT ?1, ?2 WHERE (${newestKey}) IS NOT ?1`)
    .bind(sealingKey, now);

/**
 * A key that leaves the ring and comes back gets a new time. While deployments with and without it run side by side, the sweeps of one
 * delete the row and the sweeps of the other insert it again, so the recorded time is never before the last sweep without the key.
 */
const forgetMissingKeys = (db: SqlDatabase, { openingKeys }: Sweep): SqlStatement =>
  db
    .prepare('DELETE FROM opening_keys WHERE id NOT IN (SELECT value FROM json_each(?1))')
    .bind(JSON.stringify(openingKeys));

const recordOpeningKeys = (db: SqlDatabase, { now, openingKeys }: Sweep): SqlStatement =>
  db
    .prepare(
      `INSERT INTO opening_keys (id, opens_since) SELECT value, ?2 FROM json_each(?1)
      WHERE value NOT IN (SELECT id FROM opening_keys)`,
    )
    .bind(JSON.stringify(openingKeys), now);
