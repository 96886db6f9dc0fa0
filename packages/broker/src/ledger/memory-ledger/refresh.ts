/** Refresh: rotates, answers a retry, starts a new branch after a lost response, or detects reuse (RFC 9700 §4.14.2). */
import type { RefreshOutcome, RefreshQuestion, RefreshUse } from '../ledger.ts';
import { lease } from './checks.ts';
import { type Grant, identityKey, type Memory, store, type Use } from './memory.ts';
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
    case 'next':
    case 'late': {
      const generation = use.generation + 1;
      const rotated = {
        ...{ ...carriedOn, generation, rotatedAt: now },
        // The successor of the late token was never used, and from now on it can't be.
        ...(used.generation < use.generation && { branch: { generation, startedFrom: used.generation } }),
      };
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
  return found !== 'reused' && found !== 'none';
};

/** The grant, if any refresh token of it could be answered. */
const findLiving = ({ grants, identities }: Memory, { grantId, clientId, now }: RefreshQuestion) => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined)
    return undefined;
  const { refreshableUntil = Number.POSITIVE_INFINITY } = identities.get(identityKey(grant.identity)) ?? {};
  if (now >= refreshableUntil) return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};

/** Decides what a presented token gets: the current generation again, the next one (`next` or `late`), or an error. */
const standing = (
  { refreshPolicy }: Grant,
  { generation, branch, rotatedAt }: Use,
  presented: RefreshQuestion,
): 'current' | 'next' | 'late' | 'reused' | 'none' => {
  switch (refreshPolicy) {
    case 'none':
      return 'none';
    case 'stable':
      return presented.generation === generation ? 'current' : 'none';
    case 'rotating': {
      const previous = branch?.generation === generation ? branch.startedFrom : generation - 1;
      if (presented.generation > generation) return 'none';
      if (presented.generation === generation) return 'next';
      if (presented.generation !== previous) return 'reused';
      if (rotatedAt >= presented.now - presented.grace) return 'current';
      return presented.lateRefresh === 'recover' ? 'late' : 'reused';
    }
  }
};

const ended: RefreshOutcome = { kind: 'refused', reason: 'ended' };
