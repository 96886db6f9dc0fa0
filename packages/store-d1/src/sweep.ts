/** Sweeping: deletes what has expired; `grants.needed_until` says until when a grant is needed. */
import type { EpochSeconds } from '@words-with-chat/broker';
import { roundTrip } from './round-trip.ts';

export const sweep = async (db: D1Database, now: EpochSeconds): Promise<void> => {
  await roundTrip(
    db,
    db.prepare('DELETE FROM grants WHERE needed_until <= ?1').bind(now),
    db.prepare('DELETE FROM signals WHERE needed_until <= ?1').bind(now),
    db.prepare('DELETE FROM revocations WHERE dead_after <= ?1').bind(now),
  );
};
