/** What is stored of a person, and what they change about it. */

import type { GrantId, UserId } from '../../oauth/identifiers.ts';
import { accountClientId } from '../../oauth/identifiers.ts';
import type { EpochSeconds, Seconds } from '../../oauth/time.ts';
import type { Session, SessionUse } from '../account-storage.ts';
import type {
  Account,
  AppsEnding,
  Check,
  CheckQuestion,
  CheckTurn,
  Deletion,
  DeletionOutcome,
  EndingOutcome,
  IdentityName,
  Link,
  LinkedIdentity,
  LinkOutcome,
  NamedToken,
  RecheckLease,
  RefreshUse,
  Resealing,
  StoredGrant,
  StoredToken,
  TokenQuestion,
  Unlink,
  UnlinkOutcome,
  UpstreamTokenDrop,
} from '../broker-storage.ts';
import { endEach, endUser } from './revocations.ts';
import type { Use } from './tables.ts';
import {
  compareText,
  forgetToken,
  type Grant,
  identityKey,
  keptOf,
  type Memory,
  type StoredIdentity,
  vouch,
} from './tables.ts';

export const readAccount = (memory: Memory, userId: UserId): Account | undefined => {
  const createdAt = memory.users.get(userId);
  if (createdAt === undefined) return undefined;
  return {
    createdAt,
    identities: identitiesOf(memory, userId)
      .map(linkedIdentity)
      .toSorted(
        (one, other) =>
          one.createdAt - other.createdAt ||
          compareText(one.provider, other.provider) ||
          compareText(one.subject, other.subject),
      ),
    grants: grantsOf(memory, userId)
      .map(storedGrant)
      .toSorted((one, other) => other.createdAt - one.createdAt || compareText(one.id, other.id)),
  };
};

export const linkIdentity = (memory: Memory, { userId, session, identity, now }: Link): LinkOutcome => {
  if (findSession(memory, session, now)?.userId !== userId) return 'session-ended';
  const known = memory.identities.get(identityKey(identity));
  if (known !== undefined && known.userId !== userId) return 'taken';
  vouch(memory, identity, userId, now);
  return 'linked';
};

export const unlinkIdentity = (memory: Memory, { userId, now, ...name }: Unlink): UnlinkOutcome => {
  const key = identityKey(name);
  const identity = memory.identities.get(key);
  if (identity?.userId !== userId) return { kind: 'unknown' };
  if (identitiesOf(memory, userId).length === 1) return { kind: 'last' };
  memory.identities.delete(key);
  const resting = grantsOf(memory, userId).filter((grant) => identityKey(grant.identity) === key);
  endEach(memory, resting, now);
  const [token] = tokensOf([identity]);
  return { kind: 'unlinked', ...(token !== undefined && { token }) };
};

export const endApps = (memory: Memory, { userId, grantIds, now }: AppsEnding): void =>
  endEach(
    memory,
    grantsOf(memory, userId).filter(({ id }) => grantIds.includes(id)),
    now,
  );

export const deleteUser = (memory: Memory, { userId, now }: Deletion): DeletionOutcome => {
  if (!memory.users.delete(userId)) return { kind: 'unknown' };
  const [identities, grants] = [identitiesOf(memory, userId), grantsOf(memory, userId)];
  endUser(memory, userId, grants, now);
  for (const identity of identities) memory.identities.delete(identityKey(identity));
  for (const { id } of grants) memory.grants.delete(id);
  return { kind: 'deleted', tokens: tokensOf(identities) };
};

const identitiesOf = ({ identities }: Memory, userId: UserId): readonly StoredIdentity[] =>
  [...identities.values()].filter((identity) => identity.userId === userId);

const grantsOf = ({ grants }: Memory, userId: UserId): readonly Grant[] =>
  [...grants.values()].filter((grant) => grant.userId === userId);

const tokensOf = (identities: readonly StoredIdentity[]): readonly StoredToken[] =>
  identities.flatMap(({ provider, subject, sealedRefreshToken }) =>
    sealedRefreshToken === undefined ? [] : [{ provider, subject, sealedRefreshToken }],
  );

const linkedIdentity = (identity: StoredIdentity): LinkedIdentity => {
  const { provider, subject, label, sealedRefreshToken, createdAt, lastSignInAt } = identity;
  return {
    ...{ provider, subject, createdAt, lastSignInAt },
    watched: sealedRefreshToken !== undefined,
    ...(label !== undefined && { label }),
  };
};

const storedGrant = ({ use, revokedAt, ...grant }: Grant): StoredGrant => {
  const { id, clientId, redirectUri, scopes, resource, claims, sid, identity, ...rest } = grant;
  const { refreshPolicy, createdAt } = rest;
  return {
    ...{ id, clientId, redirectUri, scopes, resource, claims, identity, refreshPolicy, createdAt },
    ...(sid !== undefined && { sid }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...(use !== undefined && {
      use: {
        redeemedAt: use.redeemedAt,
        lastUsedAt: use.lastUsedAt,
        accessDiesAt: use.accessDiesAt,
        refreshIdleExpiresAt: use.refreshIdleExpiresAt,
      },
    }),
  };
};

// What is remembered of providers' words: when each is due, and what follows from it.

/** Acquires the lease for a recheck during a refresh, if one is due. */
export const lease = (
  memory: Memory,
  { identity }: Grant,
  { now, checkLease }: RefreshUse,
): { readonly due?: RecheckLease } => {
  const stored = memory.identities.get(identityKey(identity));
  if (stored === undefined || stored.checkAfter > now) return {};
  const due = startRecheck(memory, stored, now, checkLease);
  return due === undefined ? {} : { due };
};

/** Stores the lease, and that a recheck starts. */
const startRecheck = (
  { identities }: Memory,
  stored: StoredIdentity,
  startedAt: EpochSeconds,
  checkLease: Seconds,
): RecheckLease | undefined => {
  const { provider, subject, sealedRefreshToken, unresolvedRechecks } = stored;
  if (sealedRefreshToken === undefined) return undefined;
  const started = {
    ...stored,
    checkAfter: startedAt + checkLease,
    unresolvedRechecks: unresolvedRechecks + 1,
  };
  identities.set(identityKey(stored), started);
  return { provider, subject, sealedRefreshToken, isUnresolved: unresolvedRechecks > 0, startedAt };
};

export const takeCheck = (
  memory: Memory,
  { provider, subject, now, checkLease }: CheckQuestion,
): CheckTurn => {
  const stored = memory.identities.get(identityKey({ provider, subject }));
  if (stored?.sealedRefreshToken === undefined) return { kind: 'no-word' };
  if (stored.vouchedUntil > now) return { kind: 'vouched' };
  const token = stored.checkAfter > now ? undefined : startRecheck(memory, stored, now, checkLease);
  return token === undefined ? { kind: 'no-word' } : { kind: 'due', token };
};

export const storeToken = ({ identities }: Memory, token: NamedToken): void => {
  const key = identityKey(token);
  const stored = identities.get(key);
  if (stored !== undefined) identities.set(key, { ...keptOf(stored, token), ...token });
};

export const recordCheck = (memory: Memory, { asked, ...news }: Check): void => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return;
  memory.identities.set(identityKey(asked), {
    ...keptOf(stored, news),
    ...news,
    vouchedUntil: news.checkAfter,
    unresolvedRechecks: 0,
  });
};

export const resolveRecheck = (memory: Memory, asked: StoredToken): void => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return;
  const unresolvedRechecks = Math.max(0, stored.unresolvedRechecks - 1);
  memory.identities.set(identityKey(asked), { ...stored, unresolvedRechecks });
};

export const dropUpstreamToken = (
  memory: Memory,
  { asked, startedAt, refreshableUntil }: UpstreamTokenDrop,
): 'dropped' | 'superseded' => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return 'superseded';
  const isLimited = stored.lastSignInAt < startedAt;
  forgetToken(memory, { ...stored, ...(isLimited && { refreshableUntil }) });
  return 'dropped';
};

export const endIdentity = (memory: Memory, asked: StoredToken, now: EpochSeconds): EndingOutcome => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return 'superseded';
  const key = identityKey(asked);
  forgetToken(memory, stored);
  const resting = [...memory.grants.values()].filter(({ identity }) => identityKey(identity) === key);
  endEach(memory, resting, now);
  return 'ended';
};

/** The identity, if its token is still the one that the provider was asked with. */
const findAsked = ({ identities }: Memory, asked: StoredToken): StoredIdentity | undefined => {
  const stored = identities.get(identityKey(asked));
  return stored?.sealedRefreshToken === asked.sealedRefreshToken ? stored : undefined;
};

// Tokens of providers as they are stored: found by how they begin, and replaced by the same sealed anew.

export const findTokens = (
  { identities }: Memory,
  { beginnings, after, limit }: TokenQuestion,
): readonly StoredToken[] =>
  [...identities.values()]
    .flatMap(({ provider, subject, sealedRefreshToken = '' }) =>
      beginnings.some((beginning) => sealedRefreshToken.startsWith(beginning))
        ? [{ provider, subject, sealedRefreshToken }]
        : [],
    )
    .filter((token) => after === undefined || inOrder(token, after) > 0)
    .toSorted(inOrder)
    .slice(0, limit);

export const replaceTokens = ({ identities }: Memory, { tokens, now, checkLease }: Resealing): void => {
  for (const { was, sealedRefreshToken, ...name } of tokens) {
    const key = identityKey(name);
    const stored = identities.get(key);
    if (stored?.sealedRefreshToken !== was) continue;
    const isBeingAsked = stored.checkAfter > now && stored.checkAfter <= now + 2 * checkLease;
    if (!isBeingAsked) identities.set(key, { ...stored, sealedRefreshToken });
  }
};

const inOrder = (one: IdentityName, other: IdentityName): number =>
  compare(one.provider, other.provider) || compare(one.subject, other.subject);

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

// Sessions: grants of the account page, which end as any grant does.

export const useSession = (
  memory: Memory,
  { grantId, now, idleExpiresAt }: SessionUse,
): Session | undefined => {
  const grant = findSession(memory, grantId, now);
  if (grant === undefined) return undefined;
  const { use, userId } = grant;
  const carriedOn = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    refreshIdleExpiresAt: Math.min(idleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  memory.grants.set(grantId, { ...grant, use: carriedOn });
  const identity = memory.identities.get(identityKey(grant.identity));
  if (identity?.userId !== userId) return undefined;
  const { provider, subject, label, sealedRefreshToken } = identity;
  return {
    userId,
    identity: {
      ...{ provider, subject },
      ...(label !== undefined && { label }),
      watched: sealedRefreshToken !== undefined,
    },
  };
};

/** The session, if it lives. */
export const findSession = (
  { grants }: Memory,
  grantId: GrantId,
  now: EpochSeconds,
): (Grant & { readonly use: Use }) | undefined => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== accountClientId || grant.revokedAt !== undefined)
    return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};
