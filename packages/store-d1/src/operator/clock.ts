/** The clock of the database. */
import type { EpochSeconds } from '@words-with-chat/broker';
import { roundTrip } from '../round-trip.ts';

export const readClock = async (db: D1Database): Promise<EpochSeconds> => {
  const [found] = await roundTrip<{ readonly now: number }>(db, db.prepare('SELECT unixepoch() AS now'));
  const now = found?.results[0]?.now;
  if (now === undefined) throw new Error('the database has no clock');
  return now;
};
