/** Periodic maintenance, on a schedule or after a write: sweeps, and reseals stored upstream tokens with the first key in the ring. */
import type { Upkeep } from './ledger/ledger.ts';
import type { Seconds } from './protocol/time.ts';
import { createResealing, type ResealingRooms } from './tokens/resealing.ts';

interface UpkeepRooms extends ResealingRooms {
  readonly ledger: Upkeep;
  readonly auditRetention: Seconds;
}

export const createUpkeep = (rooms: UpkeepRooms): (() => Promise<void>) => {
  const { ledger, ring, auditRetention, now } = rooms;
  const reseal = createResealing(rooms);
  return async () => {
    const at = now();
    await ledger.sweep({
      ...{ now: at, auditBefore: at - auditRetention },
      ...{ sealingKey: ring.sealingKey.id, openingKeys: [...ring.keys.keys()] },
    });
    await reseal();
  };
};
