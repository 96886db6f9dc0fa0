/** Sweeping: forgets what has expired. */
import type { EpochSeconds } from '../../protocol/time.ts';
import { grantRetention } from '../ledger.ts';
import type { Grant, Memory } from './memory.ts';

export const sweep = (memory: Memory, now: EpochSeconds): void => {
  for (const grant of memory.grants.values()) if (neededUntil(grant) <= now) memory.grants.delete(grant.id);
  for (const [key, neededUntil] of memory.signals) if (neededUntil <= now) memory.signals.delete(key);
  memory.lines = memory.lines.filter(({ deadAfter }) => deadAfter > now);
};

const neededUntil = ({ createdAt, refreshPolicy, revokedAt, use }: Grant): EpochSeconds => {
  const refreshable = revokedAt === undefined && refreshPolicy !== 'none';
  return Math.max(
    createdAt + grantRetention,
    use?.accessDiesAt ?? 0,
    refreshable ? (use?.refreshIdleExpiresAt ?? 0) : 0,
  );
};
