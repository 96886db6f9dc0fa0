/**
 * Grants in memory: sign-ins, which store user, identity and grant together, codes (RFC 6749 §4.1.2), and
 * refresh tokens (RFC 9700 §4.14.2) with the lease for a recheck that is due.
 */

import {
  accountClientId,
  type EpochSeconds,
  type GrantId,
  type Seconds,
  type UserId,
} from '../../oauth/identifiers.ts';
import type {
  ClientAssertion,
  CodeClaim,
  CodeClaimOutcome,
  CodeRedemption,
  CodeRedemptionOutcome,
  GrantRefresh,
  GrantState,
  GrantStatus,
  PresentedRefreshToken,
  RecheckLease,
  RefreshableGrant,
  RefreshOutcome,
  SignIn,
  SignInOutcome,
} from '../broker-storage.ts';
import { recordAssertion, storeClient } from './clients.ts';
import { revoke, revokeEach } from './revocations.ts';
import {
  checkNamespace,
  compareText,
  type Grant,
  identityKey,
  isActiveGrant,
  type MemoryTables,
  readNamespace,
  type StoredIdentity,
  storeVerifiedIdentity,
  type Use,
} from './tables.ts';

/** The methods of `BrokerStorage` for sign-ins, codes and refresh tokens. */
export const createGrantMethods = (memory: MemoryTables) => ({
  recordSignIn: async (signIn: SignIn) => recordSignIn(memory, signIn),
  readGrantStatus: async (grantId: GrantId) => readGrantStatus(memory, grantId),
  claimCode: async (claim: CodeClaim) => claimCode(memory, claim),
  redeemCode: async (redemption: CodeRedemption) => redeemCode(memory, redemption),
  refresh: async (request: GrantRefresh) => refresh(memory, request),
  readRefreshable: async (token: PresentedRefreshToken) => readRefreshable(memory, token),
});

const recordSignIn = (memory: MemoryTables, signIn: SignIn): SignInOutcome => {
  const { now, identity, user, grant, client } = signIn;
  if (checkNamespace(memory, identity.provider, signIn.subjectNamespace) === 'changed')
    return { kind: 'provider-changed' };
  if (memory.grants.has(grant.id)) return { kind: 'replayed' };
  const session = signIn.session === undefined ? undefined : findSession(memory, signIn.session, now);
  if (signIn.session !== undefined && session === undefined) return { kind: 'session-ended' };
  const existing = memory.identities.get(identityKey(identity));
  const userId = user.kind === 'resolved' ? user.id : (existing?.userId ?? user.newId);
  const retryAfter = computeRetryAfter(memory, userId, signIn);
  if (retryAfter !== undefined) return { kind: 'limited', retryAfter };
  if (!memory.users.has(userId)) memory.users.set(userId, now);
  // A user who continues a session did not sign in at the provider.
  const signedInAtProvider = session === undefined ? now : (existing?.lastSignInAt ?? now);
  const { refreshableUntil } = existing ?? {};
  const refreshLimit = session === undefined || refreshableUntil === undefined ? {} : { refreshableUntil };
  const { provider, subject, sealedRefreshToken } = storeVerifiedIdentity(
    memory,
    identity,
    userId,
    signedInAtProvider,
    refreshLimit,
  );
  memory.grants.set(grant.id, {
    ...{ ...grant, userId, identity: { provider, subject }, createdAt: now },
    signedInAt: session?.createdAt ?? now,
    isFromSession: session !== undefined,
  });
  if (client !== undefined) storeClient(memory, client);
  revokeLeastRecentlyUsed(memory, userId, signIn);
  return { kind: 'recorded', userId, hasUpstreamToken: sealedRefreshToken !== undefined };
};

/**
 * Returns how long the user has to wait if the limit is reached: until enough counted sign-ins are older than
 * the period.
 */
const computeRetryAfter = (
  { grants }: MemoryTables,
  userId: UserId,
  { now, limits, session }: SignIn,
): Seconds | undefined => {
  const countedSignIns = [...grants.values()]
    .filter((grant) => grant.userId === userId && grant.isFromSession === (session !== undefined))
    .filter(({ createdAt }) => createdAt > now - limits.period)
    .map(({ createdAt }) => createdAt)
    .toSorted((one, other) => other - one);
  const oldest = countedSignIns[limits.signIns - 1];
  return oldest === undefined ? undefined : oldest + limits.period - now;
};

const revokeLeastRecentlyUsed = (
  memory: MemoryTables,
  userId: UserId,
  { now, limits, grant }: SignIn,
): void => {
  const lastUsed = ({ use, createdAt }: Grant): EpochSeconds => use?.lastUsedAt ?? createdAt;
  const excess = [...memory.grants.values()]
    .filter((one) => one.userId === userId && one.id !== grant.id && isActiveGrant(one, now))
    .toSorted((one, other) => lastUsed(other) - lastUsed(one) || compareText(one.id, other.id))
    .slice(Math.max(0, limits.activeGrants - Number(grant.clientId !== accountClientId)));
  if (excess.length > 0) revokeEach(memory, excess, now);
};

/** Returns the session if it is active. */
export const findSession = (
  { grants }: MemoryTables,
  grantId: GrantId,
  now: EpochSeconds,
): (Grant & { readonly use: Use }) | undefined => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== accountClientId || grant.revokedAt !== undefined)
    return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};

const readGrantStatus = ({ grants }: MemoryTables, grantId: GrantId): GrantStatus => {
  const grant = grants.get(grantId);
  if (grant === undefined) return 'unknown';
  return grant.revokedAt === undefined ? 'active' : 'revoked';
};

// Codes are redeemed once; a late second redemption revokes the grant (RFC 6749 §4.1.2).

const redeemCode = (memory: MemoryTables, redemption: CodeRedemption): CodeRedemptionOutcome => {
  const { grantId, clientId, now, refreshAbsoluteExpiresAt, assertion } = redemption;
  if (isReplay(memory, assertion)) return assertionReplayed;
  const grant = memory.grants.get(grantId);
  if (grant === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined)
    return notRedeemable;
  if (grant.use !== undefined) {
    if (grant.use.redeemedAt >= now - redemption.replayGrace) return notRedeemable;
    revoke(memory, { kind: 'grant', id: grantId }, now);
    return { kind: 'refused', reason: 'replayed' };
  }
  if (now >= redemption.codeExpiresAt) return notRedeemable;
  const use: Use = {
    redeemedAt: now,
    lastUsedAt: now,
    accessExpiresAt: redemption.accessExpiresAt,
    generation: 0,
    rotatedAt: now,
    refreshIdleExpiresAt: Math.min(redemption.refreshIdleExpiresAt, refreshAbsoluteExpiresAt),
    refreshAbsoluteExpiresAt,
  };
  return { kind: 'redeemed', grant: storeGrantUse(memory, grant, use) };
};

const claimCode = (memory: MemoryTables, { grantId, now }: CodeClaim): CodeClaimOutcome => {
  const grant = memory.grants.get(grantId);
  const status = readGrantStatus(memory, grantId);
  if (grant === undefined || status !== 'active') return status;
  if (grant.codeClaimedAt !== undefined || grant.use !== undefined) return status;
  memory.grants.set(grantId, { ...grant, codeClaimedAt: now });
  return 'claimed';
};

const notRedeemable: CodeRedemptionOutcome = { kind: 'refused', reason: 'invalid' };

/** Returns whether the client assertion was used before, and otherwise records its use. */
const isReplay = (memory: MemoryTables, assertion: ClientAssertion | undefined): boolean =>
  assertion !== undefined && recordAssertion(memory, assertion) === 'replayed';

const assertionReplayed = { kind: 'refused', reason: 'assertion-replayed' } as const;

// Refresh: rotates, accepts a retry, starts a branch, or detects reuse (RFC 9700 §4.14.2).

const refresh = (memory: MemoryTables, request: GrantRefresh): RefreshOutcome => {
  const { grantId, now, accessExpiresAt, assertion } = request;
  if (isReplay(memory, assertion)) return assertionReplayed;
  const found = findRefreshableGrant(memory, request);
  if (found === undefined) return notRefreshable;
  const { use } = found;
  const { claims = found.claims } = request;
  const grant = { ...found, claims };
  const extended: Use = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    accessExpiresAt: Math.max(use.accessExpiresAt, accessExpiresAt),
    refreshIdleExpiresAt: Math.min(request.refreshIdleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  switch (classifyPresentedToken(found, use, request)) {
    case 'current':
      return {
        kind: 'refreshed',
        grant: storeGrantUse(memory, grant, extended),
        ...acquireLeaseOnRefresh(memory, grant, request),
      };
    case 'next':
    case 'new-branch': {
      const generation = use.generation + 1;
      const rotated = {
        ...{ ...extended, generation, rotatedAt: now },
        // The successor of the late token was never used, and from now on it can't be.
        ...(request.generation < use.generation && {
          branch: { generation, startedFrom: request.generation },
        }),
      };
      return {
        kind: 'refreshed',
        grant: storeGrantUse(memory, grant, rotated),
        ...acquireLeaseOnRefresh(memory, grant, request),
      };
    }
    case 'reused':
      revoke(memory, { kind: 'grant', id: grantId }, now);
      return { kind: 'refused', reason: 'reused' };
    case 'none':
      return notRefreshable;
  }
};

const readRefreshable = (
  memory: MemoryTables,
  token: PresentedRefreshToken,
): RefreshableGrant | undefined => {
  const grant = findRefreshableGrant(memory, token);
  if (grant === undefined) return undefined;
  const classification = classifyPresentedToken(grant, grant.use, token);
  if (classification === 'reused' || classification === 'none') return undefined;
  return { userId: grant.userId, ...grant.identity, claims: grant.claims };
};

/** Returns the grant if any of its refresh tokens can be used now. */
const findRefreshableGrant = (
  { grants, identities }: MemoryTables,
  { grantId, clientId, now }: PresentedRefreshToken,
) => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined)
    return undefined;
  const { refreshableUntil = Number.POSITIVE_INFINITY } = identities.get(identityKey(grant.identity)) ?? {};
  if (now >= refreshableUntil) return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};

/**
 * Decides what a presented token gets: the current generation again, the next one (`next` or `new-branch`),
 * or an error (`reused` or `none`).
 */
const classifyPresentedToken = (
  { refreshPolicy }: Grant,
  { generation, branch, rotatedAt }: Use,
  presented: PresentedRefreshToken,
): 'current' | 'next' | 'new-branch' | 'reused' | 'none' => {
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
      if (presented.grace > 0 && rotatedAt >= presented.now - presented.grace) return 'current';
      return presented.lateRefresh === 'recover' ? 'new-branch' : 'reused';
    }
  }
};

const notRefreshable: RefreshOutcome = { kind: 'refused', reason: 'inactive' };

/** Stores the use of a grant, and returns the state that tokens are issued from. */
const storeGrantUse = ({ grants }: MemoryTables, grant: Grant, use: Use): GrantState => {
  grants.set(grant.id, { ...grant, use });
  const { userId, redirectUri, scopes, resource, claims, refreshPolicy } = grant;
  const { provider } = grant.identity;
  const { generation, refreshIdleExpiresAt, refreshAbsoluteExpiresAt } = use;
  return {
    userId,
    provider,
    redirectUri,
    scopes,
    resource,
    claims,
    refreshPolicy,
    generation,
    refreshIdleExpiresAt,
    refreshAbsoluteExpiresAt,
  };
};

/** Acquires the lease for a recheck during a refresh, if one is due. */
const acquireLeaseOnRefresh = (
  memory: MemoryTables,
  { identity }: Grant,
  { now, recheckLeaseDuration }: GrantRefresh,
): { readonly recheck?: RecheckLease } => {
  const stored = memory.identities.get(identityKey(identity));
  if (stored === undefined || stored.recheckAfter > now) return {};
  const recheck = startRecheck(memory, stored, now, recheckLeaseDuration);
  return recheck === undefined ? {} : { recheck };
};

/** Stores the lease, and counts the recheck that starts. */
export const startRecheck = (
  memory: MemoryTables,
  stored: StoredIdentity,
  startedAt: EpochSeconds,
  recheckLeaseDuration: Seconds,
): RecheckLease | undefined => {
  const { identities } = memory;
  const { provider, subject, sealedRefreshToken, unresolvedRechecks } = stored;
  if (sealedRefreshToken === undefined) return undefined;
  const started = {
    ...stored,
    recheckAfter: startedAt + recheckLeaseDuration,
    unresolvedRechecks: unresolvedRechecks + 1,
  };
  identities.set(identityKey(stored), started);
  return {
    ...{ provider, subject, sealedRefreshToken, ...readNamespace(memory, provider) },
    ...{ isUnresolved: unresolvedRechecks > 0, startedAt },
  };
};
