/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */

import { accountClientId, type GrantId, type UserId } from '../../oauth/identifiers.ts';
import type { EpochSeconds, Seconds } from '../../oauth/time.ts';
import type {
  CodeClaim,
  CodeClaimOutcome,
  GrantStatus,
  Redemption,
  RedemptionOutcome,
  RefreshOutcome,
  RefreshQuestion,
  RefreshUse,
  SignIn,
  SignInOutcome,
} from '../broker-storage.ts';
import { findSession, lease } from './accounts.ts';
import { endEach, revoke } from './revocations.ts';
import {
  compareText,
  type Grant,
  identityKey,
  isActiveGrant,
  type Memory,
  store,
  type Use,
  vouch,
} from './tables.ts';

export const recordSignIn = (memory: Memory, signIn: SignIn): SignInOutcome => {
  const { now, identity, user, grant } = signIn;
  if (memory.grants.has(grant.id)) return { kind: 'replayed' };
  const session = signIn.session === undefined ? undefined : findSession(memory, signIn.session, now);
  if (signIn.session !== undefined && session === undefined) return { kind: 'session-ended' };
  const known = memory.identities.get(identityKey(identity));
  const userId = user.kind === 'theirs' ? user.id : (known?.userId ?? user.newId);
  const retryAfter = retryAfterFor(memory, userId, signIn);
  if (retryAfter !== undefined) return { kind: 'limited', retryAfter };
  if (!memory.users.has(userId)) memory.users.set(userId, now);
  // Whoever goes on in a session has not been at the provider: that is no sign-in there.
  const atProvider = session === undefined ? now : (known?.lastSignInAt ?? now);
  const { refreshableUntil } = known ?? {};
  const limit = session === undefined || refreshableUntil === undefined ? {} : { refreshableUntil };
  const { provider, subject, sealedRefreshToken } = vouch(memory, identity, userId, atProvider, limit);
  memory.grants.set(grant.id, {
    ...{ ...grant, userId, identity: { provider, subject }, createdAt: now },
    signedInAt: session?.createdAt ?? now,
    isFromSession: session !== undefined,
  });
  endLeastRecentlyUsed(memory, userId, signIn);
  return { kind: 'recorded', userId, watched: sealedRefreshToken !== undefined };
};

/** Returns how long the user has to wait if the limit is reached: until enough counted sign-ins are older than the period. */
const retryAfterFor = (
  { grants }: Memory,
  userId: UserId,
  { now, limits, session }: SignIn,
): Seconds | undefined => {
  const counted = [...grants.values()]
    .filter((grant) => grant.userId === userId && grant.isFromSession === (session !== undefined))
    .filter(({ createdAt }) => createdAt > now - limits.period)
    .map(({ createdAt }) => createdAt)
    .toSorted((one, other) => other - one);
  const oldest = counted[limits.signIns - 1];
  return oldest === undefined ? undefined : oldest + limits.period - now;
};

const endLeastRecentlyUsed = (memory: Memory, userId: UserId, { now, limits, grant }: SignIn): void => {
  const lastUsed = ({ use, createdAt }: Grant): EpochSeconds => use?.lastUsedAt ?? createdAt;
  const excess = [...memory.grants.values()]
    .filter((one) => one.userId === userId && one.id !== grant.id && isActiveGrant(one, now))
    .toSorted((one, other) => lastUsed(other) - lastUsed(one) || compareText(one.id, other.id))
    .slice(Math.max(0, limits.activeGrants - Number(grant.clientId !== accountClientId)));
  endEach(memory, excess, now);
};

export const grantStatus = ({ grants }: Memory, grantId: GrantId): GrantStatus => {
  const grant = grants.get(grantId);
  if (grant === undefined) return 'unknown';
  return grant.revokedAt === undefined ? 'active' : 'revoked';
};

// Authorization codes: spent exactly once, and a late second redemption ends the grant (RFC 6749 §4.1.2).

export const redeemCode = (memory: Memory, redemption: Redemption): RedemptionOutcome => {
  const { grantId, clientId, now, refreshAbsoluteExpiresAt } = redemption;
  const grant = memory.grants.get(grantId);
  if (grant === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined) return spent;
  if (grant.use !== undefined) {
    if (grant.use.redeemedAt >= now - redemption.replayGrace) return spent;
    revoke(memory, { kind: 'grant', id: grantId }, now);
    return { kind: 'refused', reason: 'replayed' };
  }
  if (now >= redemption.codeExpiresAt) return spent;
  const use: Use = {
    redeemedAt: now,
    lastUsedAt: now,
    accessDiesAt: redemption.accessExpiresAt,
    generation: 0,
    rotatedAt: now,
    refreshIdleExpiresAt: Math.min(redemption.refreshIdleExpiresAt, refreshAbsoluteExpiresAt),
    refreshAbsoluteExpiresAt,
  };
  return { kind: 'redeemed', grant: store(memory, grant, use) };
};

export const claimCode = (memory: Memory, { grantId, now }: CodeClaim): CodeClaimOutcome => {
  const grant = memory.grants.get(grantId);
  const status = grantStatus(memory, grantId);
  if (grant === undefined || status !== 'active') return status;
  if (grant.codeClaimedAt !== undefined || grant.use !== undefined) return status;
  memory.grants.set(grantId, { ...grant, codeClaimedAt: now });
  return 'claimed';
};

const spent: RedemptionOutcome = { kind: 'refused', reason: 'spent' };

// Refresh: rotates, answers a retry, starts a new branch after a lost response, or detects reuse (RFC 9700 §4.14.2).

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
