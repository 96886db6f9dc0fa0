/** What is stored of a person, and what they change about it. */
import type { UserId } from '../../protocol/identity.ts';
import type {
  Account,
  AppsEnding,
  Deletion,
  DeletionOutcome,
  Link,
  LinkedIdentity,
  LinkOutcome,
  StoredGrant,
  StoredToken,
  Unlink,
  UnlinkOutcome,
} from '../ledger.ts';
import { compareText, type Grant, identityKey, type Memory, type StoredIdentity, vouch } from './memory.ts';
import { endEach, endUser } from './revocations.ts';
import { findSession } from './sessions.ts';

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
