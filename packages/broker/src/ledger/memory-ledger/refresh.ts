/** Refresh: a generation moves on or a retry is answered, and an old generation ends the grant (RFC 9700 §4.14). */
import type { RefreshOutcome, RefreshQuestion, RefreshUse } from '../ledger.ts';
import { lease } from './checks.ts';
import { type Grant, type Memory, store, type Use } from './memory.ts';
import { revoke } from './revocations.ts';

export const refresh = (memory: Memory, used: RefreshUse): RefreshOutcome => {
  const { grantId, now, accessExpiresAt } = used;
  const grant = findLiving(memory, used);
  if (grant === undefined) return ended;
  const { use } = grant;
  const carriedOn: Use = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    accessDiesAt: Math.max(use.accessDiesAt, accessExpiresAt),
    refreshIdleExpiresAt: Math.min(used.refreshIdleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  switch (standing(grant, use, used)) {
    case 'current':
      return { kind: 'continued', grant: store(memory, grant, carriedOn), ...lease(memory, grant, used) };
    case 'next': {
      const rotated = { ...carriedOn, generation: use.generation + 1, rotatedAt: now };
      return { kind: 'continued', grant: store(memory, grant, rotated), ...lease(memory, grant, used) };
    }
    case 'reused':
      revoke(memory, { kind: 'grant', id: grantId }, now);
      return { kind: 'refused', reason: 'reused' };
    case 'none':
      return ended;
  }
};

export const isRefreshable = (memory: Memory, question: RefreshQuestion): boolean => {
  const grant = findLiving(memory, question);
  if (grant === undefined) return false;
  const found = standing(grant, grant.use, question);
  return found === 'current' || found === 'next';
};

/** The grant, if any refresh token of it could be answered. */
const findLiving = ({ grants }: Memory, { grantId, clientId, now }: RefreshQuestion) => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined)
    return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};

/** What a presented generation gets: the current one (again), the next one, or a refusal. */
const standing = (
  { refreshPolicy }: Grant,
  { generation, rotatedAt }: Use,
  presented: RefreshQuestion,
): 'current' | 'next' | 'reused' | 'none' => {
  const behind = generation - presented.generation;
  switch (refreshPolicy) {
    case 'none':
      return 'none';
    case 'stable':
      return behind === 0 ? 'current' : 'none';
    case 'rotating':
      if (behind < 0) return 'none';
      if (behind === 0) return 'next';
      return behind === 1 && rotatedAt >= presented.now - presented.grace ? 'current' : 'reused';
  }
};

const ended: RefreshOutcome = { kind: 'refused', reason: 'ended' };
