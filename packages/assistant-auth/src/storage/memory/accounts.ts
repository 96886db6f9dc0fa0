/** Accounts in memory: identities, account data, sessions, and rechecks with upstream tokens. */

import type { EpochSeconds, UserId } from '../../oauth/identifiers.ts';
import type { Session, SessionActivity } from '../account-storage.ts';
import type {
  Account,
  GrantRevocation,
  IdentityKey,
  IdentityLink,
  IdentityLinkOutcome,
  IdentityRevocationOutcome,
  IdentityUnlink,
  IdentityUnlinkOutcome,
  IssuedUpstreamToken,
  LinkedIdentity,
  NewUpstreamToken,
  RecheckLeaseOutcome,
  RecheckLeaseRequest,
  RecordedRecheck,
  SeenLink,
  StoredGrant,
  StoredUpstreamToken,
  UpstreamTokenDrop,
  UpstreamTokenQuery,
  UpstreamTokenReplacement,
  UserDeletion,
  UserDeletionOutcome,
} from '../broker-storage.ts';
import { findSession, startRecheck } from './grants.ts';
import { revokeEach, revokeGrantsOfDeletedUser } from './revocations.ts';
import {
  checkNamespace,
  clearReplacedToken,
  clearUpstreamToken,
  compareText,
  type Grant,
  identityKey,
  type MemoryTables,
  readNamespace,
  type StoredIdentity,
  storeVerifiedIdentity,
} from './tables.ts';

/** The methods of `CompleteStorage` for accounts, sessions and upstream tokens. */
export const createAccountMethods = (memory: MemoryTables) => ({
  storeUpstreamToken: async (token: NewUpstreamToken) => storeUpstreamToken(memory, token),
  recordRecheck: async (recheck: RecordedRecheck) => recordRecheck(memory, recheck),
  revokeGrantsOfIdentity: async (usedToken: StoredUpstreamToken, _reason: string, now: EpochSeconds) =>
    revokeGrantsOfIdentity(memory, usedToken, now),
  resolveRecheck: async (usedToken: StoredUpstreamToken) => resolveRecheck(memory, usedToken),
  dropUpstreamToken: async (drop: UpstreamTokenDrop) => dropUpstreamToken(memory, drop),
  findUpstreamTokens: async (query: UpstreamTokenQuery) => findUpstreamTokens(memory, query),
  replaceUpstreamTokens: async (replacement: UpstreamTokenReplacement) =>
    replaceUpstreamTokens(memory, replacement),
  useSession: async (activity: SessionActivity) => useSession(memory, activity),
  acquireRecheckLease: async (request: RecheckLeaseRequest) => acquireRecheckLease(memory, request),
  readAccount: async (userId: UserId) => readAccount(memory, userId),
  readHistory: async () => [],
  findUser: async (identity: IdentityKey) => memory.identities.get(identityKey(identity))?.userId,
  linkIdentity: async (link: IdentityLink) => linkIdentity(memory, link),
  markLinkSeen: async (link: SeenLink) => markLinkSeen(memory, link),
  unlinkIdentity: async (unlink: IdentityUnlink) => unlinkIdentity(memory, unlink),
  revokeGrants: async (revocation: GrantRevocation) => revokeGrants(memory, revocation),
  deleteUser: async (deletion: UserDeletion) => deleteUser(memory, deletion),
});

const readAccount = (memory: MemoryTables, userId: UserId): Account | undefined => {
  const createdAt = memory.users.get(userId);
  if (createdAt === undefined) return undefined;
  return {
    createdAt,
    identities: findIdentities(memory, userId)
      .map(toLinkedIdentity)
      .toSorted(
        (one, other) =>
          one.createdAt - other.createdAt ||
          compareText(one.provider, other.provider) ||
          compareText(one.subject, other.subject),
      ),
    grants: findGrants(memory, userId)
      .map((grant) => toStoredGrant(grant, memory.clients.get(grant.clientId)?.name))
      .toSorted((one, other) => other.createdAt - one.createdAt || compareText(one.id, other.id)),
  };
};

const linkIdentity = (
  memory: MemoryTables,
  { userId, session, identity, subjectNamespace, now }: IdentityLink,
): IdentityLinkOutcome => {
  if (checkNamespace(memory, identity.provider, subjectNamespace) === 'changed') return 'provider-changed';
  if (findSession(memory, session, now)?.userId !== userId) return 'session-ended';
  const existing = memory.identities.get(identityKey(identity));
  if (existing !== undefined && existing.userId !== userId) return 'linked-to-other-user';
  const stored = storeVerifiedIdentity(memory, identity, userId, now);
  if (existing === undefined)
    memory.identities.set(identityKey(identity), { ...stored, isNewlyLinked: true });
  return 'linked';
};

const markLinkSeen = ({ identities }: MemoryTables, { userId, linkedAt, ...identity }: SeenLink): void => {
  const key = identityKey(identity);
  const stored = identities.get(key);
  if (stored?.userId === userId && stored.createdAt === linkedAt)
    identities.set(key, { ...stored, isNewlyLinked: false });
};

const unlinkIdentity = (
  memory: MemoryTables,
  { userId, now, ...identityFields }: IdentityUnlink,
): IdentityUnlinkOutcome => {
  const key = identityKey(identityFields);
  const identity = memory.identities.get(key);
  if (identity?.userId !== userId) return { kind: 'unknown' };
  if (findIdentities(memory, userId).length === 1) return { kind: 'last-identity' };
  memory.identities.delete(key);
  const identityGrants = findGrants(memory, userId).filter((grant) => identityKey(grant.identity) === key);
  revokeEach(memory, identityGrants, now);
  const [token] = collectUpstreamTokens(memory, [identity]);
  return { kind: 'unlinked', ...(token !== undefined && { token }) };
};

const revokeGrants = (memory: MemoryTables, { userId, grantIds, now }: GrantRevocation): void =>
  revokeEach(
    memory,
    findGrants(memory, userId).filter(({ id }) => grantIds.includes(id)),
    now,
  );

const deleteUser = (memory: MemoryTables, { userId, now }: UserDeletion): UserDeletionOutcome => {
  if (!memory.users.delete(userId)) return { kind: 'unknown' };
  const [identities, grants] = [findIdentities(memory, userId), findGrants(memory, userId)];
  revokeGrantsOfDeletedUser(memory, userId, grants, now);
  for (const identity of identities) memory.identities.delete(identityKey(identity));
  for (const { id } of grants) memory.grants.delete(id);
  return { kind: 'deleted', tokens: collectUpstreamTokens(memory, identities) };
};

const findIdentities = ({ identities }: MemoryTables, userId: UserId): readonly StoredIdentity[] =>
  [...identities.values()].filter((identity) => identity.userId === userId);

const findGrants = ({ grants }: MemoryTables, userId: UserId): readonly Grant[] =>
  [...grants.values()].filter((grant) => grant.userId === userId);

const collectUpstreamTokens = (
  memory: MemoryTables,
  identities: readonly StoredIdentity[],
): readonly IssuedUpstreamToken[] =>
  identities.flatMap(({ provider, subject, sealedRefreshToken }) =>
    sealedRefreshToken === undefined
      ? []
      : [{ provider, subject, sealedRefreshToken, ...readNamespace(memory, provider) }],
  );

const toLinkedIdentity = (identity: StoredIdentity): LinkedIdentity => {
  const { provider, subject, label, sealedRefreshToken, createdAt, lastSignInAt, isNewlyLinked } = identity;
  return {
    ...{ provider, subject, createdAt, lastSignInAt, isNewlyLinked },
    hasUpstreamToken: sealedRefreshToken !== undefined,
    ...(label !== undefined && { label }),
  };
};

const toStoredGrant = ({ use, revokedAt, ...grant }: Grant, clientName: string | undefined): StoredGrant => {
  const { id, clientId, redirectUri, scopes, resource, claims, sid, identity, ...rest } = grant;
  const { refreshPolicy, createdAt, device } = rest;
  return {
    ...{ id, clientId, redirectUri, scopes, resource, claims, identity, refreshPolicy, createdAt },
    ...(clientName !== undefined && { clientName }),
    ...(sid !== undefined && { sid }),
    ...(device !== undefined && { device }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...(use !== undefined && {
      use: {
        redeemedAt: use.redeemedAt,
        lastUsedAt: use.lastUsedAt,
        accessExpiresAt: use.accessExpiresAt,
        refreshIdleExpiresAt: use.refreshIdleExpiresAt,
      },
    }),
  };
};

// Rechecks: when each one is due, and what their results change.

const acquireRecheckLease = (
  memory: MemoryTables,
  { provider, subject, now, recheckLeaseDuration }: RecheckLeaseRequest,
): RecheckLeaseOutcome => {
  const stored = memory.identities.get(identityKey({ provider, subject }));
  if (stored?.sealedRefreshToken === undefined) return { kind: 'inconclusive' };
  if (stored.verifiedUntil > now) return { kind: 'verified' };
  const lease =
    stored.recheckAfter > now ? undefined : startRecheck(memory, stored, now, recheckLeaseDuration);
  return lease === undefined ? { kind: 'inconclusive' } : { kind: 'acquired', lease };
};

const storeUpstreamToken = ({ identities }: MemoryTables, token: NewUpstreamToken): void => {
  const key = identityKey(token);
  const stored = identities.get(key);
  if (stored !== undefined) identities.set(key, { ...clearReplacedToken(stored, token), ...token });
};

const recordRecheck = (memory: MemoryTables, { usedToken, ...changes }: RecordedRecheck): void => {
  const stored = findByUsedToken(memory, usedToken);
  if (stored === undefined) return;
  memory.identities.set(identityKey(usedToken), {
    ...clearReplacedToken(stored, changes),
    ...changes,
    verifiedUntil: changes.recheckAfter,
    unresolvedRechecks: 0,
  });
};

const resolveRecheck = (memory: MemoryTables, usedToken: StoredUpstreamToken): void => {
  const stored = findByUsedToken(memory, usedToken);
  if (stored === undefined) return;
  const unresolvedRechecks = Math.max(0, stored.unresolvedRechecks - 1);
  memory.identities.set(identityKey(usedToken), { ...stored, unresolvedRechecks });
};

const dropUpstreamToken = (
  memory: MemoryTables,
  { usedToken, startedAt, refreshableUntil }: UpstreamTokenDrop,
): 'dropped' | 'superseded' => {
  const stored = findByUsedToken(memory, usedToken);
  if (stored === undefined) return 'superseded';
  const isLimited = stored.lastSignInAt < startedAt;
  clearUpstreamToken(memory, { ...stored, ...(isLimited && { refreshableUntil }) });
  return 'dropped';
};

const revokeGrantsOfIdentity = (
  memory: MemoryTables,
  usedToken: StoredUpstreamToken,
  now: EpochSeconds,
): IdentityRevocationOutcome => {
  const stored = findByUsedToken(memory, usedToken);
  if (stored === undefined) return 'superseded';
  const key = identityKey(usedToken);
  clearUpstreamToken(memory, stored);
  const identityGrants = [...memory.grants.values()].filter(({ identity }) => identityKey(identity) === key);
  revokeEach(memory, identityGrants, now);
  return 'revoked';
};

/** Returns the identity if the token that was used is still the stored one. */
const findByUsedToken = (
  { identities }: MemoryTables,
  usedToken: StoredUpstreamToken,
): StoredIdentity | undefined => {
  const stored = identities.get(identityKey(usedToken));
  return stored?.sealedRefreshToken === usedToken.sealedRefreshToken ? stored : undefined;
};

const findUpstreamTokens = (
  { identities }: MemoryTables,
  { prefixes, after, limit }: UpstreamTokenQuery,
): readonly StoredUpstreamToken[] =>
  [...identities.values()]
    .flatMap(({ provider, subject, sealedRefreshToken = '' }) =>
      prefixes.some((prefix) => sealedRefreshToken.startsWith(prefix))
        ? [{ provider, subject, sealedRefreshToken }]
        : [],
    )
    .filter((token) => after === undefined || compareIdentityKeys(token, after) > 0)
    .toSorted(compareIdentityKeys)
    .slice(0, limit);

const replaceUpstreamTokens = (
  { identities }: MemoryTables,
  { tokens, now, recheckLeaseDuration }: UpstreamTokenReplacement,
): void => {
  for (const { previous, sealedRefreshToken, ...identityFields } of tokens) {
    const key = identityKey(identityFields);
    const stored = identities.get(key);
    if (stored?.sealedRefreshToken !== previous) continue;
    const isRecheckInProgress =
      stored.recheckAfter > now && stored.recheckAfter <= now + 2 * recheckLeaseDuration;
    if (!isRecheckInProgress) identities.set(key, { ...stored, sealedRefreshToken });
  }
};

const compareIdentityKeys = (one: IdentityKey, other: IdentityKey): number =>
  compareText(one.provider, other.provider) || compareText(one.subject, other.subject);

// Sessions are grants of the account page and are revoked like any grant.

const useSession = (
  memory: MemoryTables,
  { grantId, now, idleExpiresAt }: SessionActivity,
): Session | undefined => {
  const grant = findSession(memory, grantId, now);
  if (grant === undefined) return undefined;
  const { use, userId } = grant;
  const extended = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    refreshIdleExpiresAt: Math.min(idleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  memory.grants.set(grantId, { ...grant, use: extended });
  const identity = memory.identities.get(identityKey(grant.identity));
  if (identity?.userId !== userId) return undefined;
  const { provider, subject, label, sealedRefreshToken } = identity;
  return {
    userId,
    identity: {
      ...{ provider, subject },
      ...(label !== undefined && { label }),
      hasUpstreamToken: sealedRefreshToken !== undefined,
    },
  };
};
