/**
 * Revocations in memory: revokes grants on request and for security events, checks whether access tokens are
 * revoked, and deletes what has expired.
 */
import {
  accountClientId,
  type EpochSeconds,
  type GrantId,
  type RevocationScope,
  type SecurityEventTarget,
  type UserId,
} from '../../oauth/identifiers.ts';
import {
  type Cleanup,
  cleanupMargin,
  type ReceivedSecurityEvent,
  type RevocableToken,
  type RevocationPage,
  type RevocationTarget,
  type SecurityEventOutcome,
} from '../broker-storage.ts';
import {
  clearUpstreamToken,
  computeRetainUntil,
  type Grant,
  isActiveGrant,
  type MemoryTables,
  readNamespace,
  type StoredIdentity,
} from './tables.ts';

/** The methods of `BrokerStorage` for revocations, security events and the cleanup. */
export const createRevocationMethods = (memory: MemoryTables) => ({
  revoke: async (target: RevocationTarget, _reason: string, now: EpochSeconds) => revoke(memory, target, now),
  readRevocations: async (cursor: number | undefined, now: EpochSeconds, limit: number) =>
    readRevocations(memory, cursor, now, limit),
  isRevoked: async (token: RevocableToken, now: EpochSeconds) => isRevoked(memory, token, now),
  recordSecurityEvent: async (event: ReceivedSecurityEvent) => recordSecurityEvent(memory, event),
  cleanUp: async ({ now }: Cleanup) => cleanUp(memory, now - cleanupMargin),
});

export const revoke = (memory: MemoryTables, target: RevocationTarget, now: EpochSeconds): void => {
  const targetGrants = [...memory.grants.values()].filter((grant) => matchesTarget(grant, target));
  const revokedGrants = markRevoked(memory, targetGrants, now);
  if (revokedGrants.some((grant) => hasUnexpiredToken(grant, now)))
    appendRevocation(memory, target, targetGrants, now);
};

/**
 * Revokes grants. Appends an entry for each grant with an unexpired access token, or one entry for the user
 * if several of them have one and no other active grant of the user is left. That entry covers the tokens
 * issued before this second, and none that is issued from now on: a grant with a token from this second, or
 * from a server whose clock is ahead, gets its own entry.
 */
export const revokeEach = (memory: MemoryTables, grants: readonly Grant[], now: EpochSeconds): void => {
  const unexpired = markRevoked(memory, grants, now).filter((grant) => hasUnexpiredToken(grant, now));
  for (const [userId, revokedGrants] of Map.groupBy(unexpired, (grant) => grant.userId)) {
    const isOtherGrantActive = [...memory.grants.values()].some(
      (grant) => grant.userId === userId && isActiveGrant(grant, now),
    );
    const earlier = revokedGrants.filter((grant) => lastUsedAt(grant) < now);
    const isCovered = earlier.length > 1 && !isOtherGrantActive;
    if (isCovered) appendRevocation(memory, { kind: 'user', id: userId }, earlier, 0);
    for (const grant of revokedGrants)
      if (!isCovered || !earlier.includes(grant))
        appendRevocation(memory, { kind: 'grant', id: grant.id }, [grant], now);
  }
};

/**
 * Revokes all grants of a user who is being deleted. If several grants have an unexpired access token from
 * before this second, one entry for the user replaces the entries of the grants that it covers. Otherwise, a
 * user who repeatedly deletes the account, and so starts with a new count of sign-ins each time, could create
 * any number of entries.
 */
export const revokeGrantsOfDeletedUser = (
  memory: MemoryTables,
  userId: UserId,
  grants: readonly Grant[],
  now: EpochSeconds,
): void => {
  const unexpired = grants.filter((grant) => hasUnexpiredToken(grant, now));
  const earlier = unexpired.filter((grant) => lastUsedAt(grant) < now);
  if (earlier.length > 1) appendRevocation(memory, { kind: 'user', id: userId }, earlier, 0);
  const revocations = memory.revocations.filter(({ kind, id }) => kind === 'user' && id === userId);
  const coveredIds = new Set(
    unexpired
      .filter((grant) => revocations.some((revocation) => coversGrant(revocation, grant)))
      .map(({ id }) => id),
  );
  memory.revocations = memory.revocations.filter(
    (revocation) =>
      !(revocation.kind === 'grant' && coveredIds.has(revocation.id)) &&
      !revocations.some((later) => supersedes(later, revocation)),
  );
  revokeEach(
    memory,
    grants.filter(({ id }) => !coveredIds.has(id)),
    now,
  );
};

const lastUsedAt = ({ use }: Grant): EpochSeconds => use?.lastUsedAt ?? 0;

type StoredRevocation = MemoryTables['revocations'][number];

const coversGrant = (revocation: StoredRevocation, { use }: Grant): boolean =>
  use !== undefined && revocation.revokedAt >= use.lastUsedAt && revocation.expiresAt >= use.accessExpiresAt;

const supersedes = (later: StoredRevocation, revocation: StoredRevocation): boolean =>
  revocation.kind === 'user' &&
  revocation.id === later.id &&
  later.seq > revocation.seq &&
  later.revokedAt >= revocation.revokedAt &&
  later.expiresAt >= revocation.expiresAt;

/** Marks the grants that were not revoked before as revoked, and returns them. */
const markRevoked = (memory: MemoryTables, grants: readonly Grant[], now: EpochSeconds): readonly Grant[] => {
  const revokedGrants = grants.filter(({ id }) => memory.grants.get(id)?.revokedAt === undefined);
  for (const grant of revokedGrants) memory.grants.set(grant.id, { ...grant, revokedAt: now });
  return revokedGrants;
};

/**
 * A token counts as unexpired for `cleanupMargin` longer, because this clock may be ahead of other servers.
 */
const hasUnexpiredToken = ({ use }: Grant, now: EpochSeconds): boolean =>
  (use?.accessExpiresAt ?? 0) > now - cleanupMargin;

const appendRevocation = (
  memory: MemoryTables,
  target: RevocationTarget,
  grants: readonly Grant[],
  earliest: EpochSeconds,
): void => {
  const uses = grants.flatMap(({ use }) => use ?? []);
  memory.lastSeq += 1;
  const revocation = {
    ...target,
    seq: memory.lastSeq,
    // Not before the newest token was issued, in case the clock was set back since then.
    revokedAt: uses.reduce((latest, { lastUsedAt }) => Math.max(latest, lastUsedAt), earliest),
    expiresAt: uses.reduce((latest, { accessExpiresAt }) => Math.max(latest, accessExpiresAt), 0),
  };
  memory.revocations = [...memory.revocations, revocation];
};

const readRevocations = (
  { revocations }: MemoryTables,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): RevocationPage => {
  const newest = revocations.at(-1)?.seq ?? 0;
  const after = cursor === undefined || cursor > newest ? 0 : cursor;
  const newRevocations = revocations.filter(({ seq, expiresAt }) => seq > after && expiresAt > now);
  if (newRevocations.length > limit) return { kind: 'too-many' };
  return {
    kind: 'page',
    revocations: newRevocations.map(({ seq: _, ...revocation }) => revocation),
    cursor: newest,
  };
};

const isRevoked = ({ revocations }: MemoryTables, token: RevocableToken, now: EpochSeconds): boolean =>
  revocations.some(
    (revocation) =>
      revocation.revokedAt >= token.issuedAt &&
      revocation.expiresAt > now &&
      matchesTarget({ ...token, id: token.grantId }, revocation),
  );

const matchesTarget = (
  { id, userId, clientId }: { readonly id: GrantId; readonly userId: UserId; readonly clientId: string },
  target: RevocationTarget,
): boolean => {
  switch (target.kind) {
    case 'grant':
      return target.id === id;
    case 'user':
      return target.id === userId;
    case 'client':
      return target.id === clientId;
  }
};

// Security events: each one is applied once.

const recordSecurityEvent = (memory: MemoryTables, event: ReceivedSecurityEvent): SecurityEventOutcome => {
  const { provider, jti, retainUntil, signedInBefore, revocations: eventRevocations, now } = event;
  const { subjectNamespace = event.subjectNamespace } = readNamespace(memory, provider);
  if (subjectNamespace !== event.subjectNamespace) return 'provider-changed';
  const key = JSON.stringify([provider, jti]);
  if (memory.securityEvents.has(key)) return 'replayed';
  memory.securityEvents.set(key, retainUntil);
  const [identities, grants] = [
    [...memory.identities.values()].filter((identity) => identity.provider === provider),
    [...memory.grants.values()].filter(
      ({ identity, signedInAt }) => identity.provider === provider && signedInAt <= signedInBefore,
    ),
  ];
  for (const { target, revocationScope } of eventRevocations) {
    const matched = identities.filter((identity) => matchesIdentity(identity, target));
    const revokedGrants = grants.filter(
      (grant) => isBasedOn(grant, target, matched) && isInRevocationScope(grant, revocationScope),
    );
    revokeEach(memory, revokedGrants, now);
    if (revocationScope !== 'identity') continue;
    for (const identity of matched)
      if (identity.lastSignInAt <= signedInBefore) clearUpstreamToken(memory, identity);
  }
  return 'recorded';
};

const matchesIdentity = (
  { subject, tokenIdentifiers }: StoredIdentity,
  target: SecurityEventTarget,
): boolean => {
  switch (target.kind) {
    case 'identity':
      return subject === target.subject;
    case 'session':
      return false;
    case 'token':
      return tokenIdentifiers?.includes(target.identifier) === true;
  }
};

const isBasedOn = (
  { identity, sid }: Grant,
  target: SecurityEventTarget,
  matched: readonly StoredIdentity[],
): boolean => {
  switch (target.kind) {
    // Not through the stored identity, which may have been unlinked.
    case 'identity':
      return identity.subject === target.subject;
    case 'session':
      return sid === target.sid && (target.subject ?? identity.subject) === identity.subject;
    case 'token':
      return matched.some(({ subject }) => subject === identity.subject);
  }
};

const isInRevocationScope = (
  { clientId, refreshPolicy }: Grant,
  revocationScope: RevocationScope,
): boolean => {
  switch (revocationScope) {
    case 'sessions':
      return clientId === accountClientId;
    case 'online-grants':
      return clientId === accountClientId || refreshPolicy === 'none';
    case 'grants':
    case 'identity':
      return true;
  }
};

const cleanUp = (memory: MemoryTables, expiredBy: EpochSeconds): void => {
  for (const grant of memory.grants.values())
    if (computeRetainUntil(grant) <= expiredBy) memory.grants.delete(grant.id);
  for (const [key, retainUntil] of memory.securityEvents)
    if (retainUntil <= expiredBy) memory.securityEvents.delete(key);
  for (const [key, retainUntil] of memory.clientAssertions)
    if (retainUntil <= expiredBy) memory.clientAssertions.delete(key);
  const clientIds = new Set([...memory.grants.values()].map(({ clientId }) => clientId));
  for (const { id, retainUntil } of memory.clients.values())
    if (retainUntil <= expiredBy && !clientIds.has(id)) memory.clients.delete(id);
  memory.revocations = memory.revocations.filter(({ expiresAt }) => expiresAt > expiredBy);
};
