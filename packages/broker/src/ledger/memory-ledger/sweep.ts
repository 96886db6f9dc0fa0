/** Sweeping: forgets what has expired. */
import type { EpochSeconds } from '../../protocol/time.ts';
import { type Memory, neededUntil } from './memory.ts';

export const sweep = (memory: Memory, now: EpochSeconds): void => {
  for (const grant of memory.grants.values()) if (neededUntil(grant) <= now) memory.grants.delete(grant.id);
  for (const [key, until] of memory.signals) if (until <= now) memory.signals.delete(key);
  memory.lines = memory.lines.filter(({ deadAfter }) => deadAfter > now);
};
