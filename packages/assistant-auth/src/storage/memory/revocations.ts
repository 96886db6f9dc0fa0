/** Revocations: ending grants on request, and telling which access tokens are dead. */
import { accountClientId, type GrantId, type UserId } from '../../oauth/identifiers.ts';
import type { SignalReach, SignalTarget } from '../../oauth/security-event.ts';
import type { EpochSeconds } from '../../oauth/time.ts';
import type {
  ReceivedSignal,
  RevocationPage,
  RevocationTarget,
  SignalOutcome,
  TokenOrigin,
} from '../broker-storage.ts';
import {
  forgetToken,
  type Grant,
  isActiveGrant,
  type Memory,
  neededUntil,
  type StoredIdentity,
} from './tables.ts';

export const revoke = (memory: Memory, target: RevocationTarget, now: EpochSeconds): void => {
  const targeted = [...memory.grants.values()].filter((grant) => isOf(grant, target));
  const ended = mark(memory, targeted, now);
  if (ended.some((grant) => hasLivingToken(grant, now))) append(memory, target, targeted, now);
};

/**
 * Revokes grants. Appends a line for each grant with an unexpired access token, or one line for the user if several of them have one
 * and no other active grant of the user is left. That line covers the tokens issued before this second, and none that is issued from now
 * on: a grant with a token from this second, or from a server whose clock is ahead, gets its own line.
 */
export const endEach = (memory: Memory, grants: readonly Grant[], now: EpochSeconds): void => {
  const living = mark(memory, grants, now).filter((grant) => hasLivingToken(grant, now));
  for (const [userId, ended] of Map.groupBy(living, (grant) => grant.userId)) {
    const isLeft = [...memory.grants.values()].some(
      (grant) => grant.userId === userId && isActiveGrant(grant, now),
    );
    const older = ended.filter((grant) => lastUsedAt(grant) < now);
    const isCovered = older.length > 1 && !isLeft;
    if (isCovered) append(memory, { kind: 'user', id: userId }, older, 0);
    for (const grant of ended)
      if (!isCovered || !older.includes(grant)) append(memory, { kind: 'grant', id: grant.id }, [grant], now);
  }
};

/**
 * Revokes all grants of a user who is being deleted. One line replaces the lines of grants that were revoked before: otherwise someone who
 * deletes their account again and again, and so starts with a new count of sign-ins each time, could leave any number of lines.
 */
export const endUser = (
  memory: Memory,
  userId: UserId,
  grants: readonly Grant[],
  now: EpochSeconds,
): void => {
  const living = grants.filter((grant) => hasLivingToken(grant, now));
  const older = living.filter((grant) => lastUsedAt(grant) < now);
  if (older.length > 1) append(memory, { kind: 'user', id: userId }, older, 0);
  const lines = memory.lines.filter(({ kind, id }) => kind === 'user' && id === userId);
  const covered = new Set(
    living.filter((grant) => lines.some((line) => covers(line, grant))).map(({ id }) => id),
  );
  memory.lines = memory.lines.filter(
    (line) =>
      !(line.kind === 'grant' && covered.has(line.id)) && !lines.some((newer) => replaces(newer, line)),
  );
  endEach(
    memory,
    grants.filter(({ id }) => !covered.has(id)),
    now,
  );
};

const lastUsedAt = ({ use }: Grant): EpochSeconds => use?.lastUsedAt ?? 0;

type Line = Memory['lines'][number];

const covers = (line: Line, { use }: Grant): boolean =>
  use !== undefined && line.revokedAt >= use.lastUsedAt && line.deadAfter >= use.accessDiesAt;

const replaces = (newer: Line, line: Line): boolean =>
  line.kind === 'user' &&
  line.id === newer.id &&
  newer.seq > line.seq &&
  newer.revokedAt >= line.revokedAt &&
  newer.deadAfter >= line.deadAfter;

/** Marks the grants that were not revoked before as revoked, and returns them. */
const mark = (memory: Memory, grants: readonly Grant[], now: EpochSeconds): readonly Grant[] => {
  const ended = grants.filter(({ id }) => memory.grants.get(id)?.revokedAt === undefined);
  for (const grant of ended) memory.grants.set(grant.id, { ...grant, revokedAt: now });
  return ended;
};

const hasLivingToken = ({ use }: Grant, now: EpochSeconds): boolean => (use?.accessDiesAt ?? 0) > now;

const append = (
  memory: Memory,
  target: RevocationTarget,
  grants: readonly Grant[],
  earliest: EpochSeconds,
): void => {
  const uses = grants.flatMap(({ use }) => use ?? []);
  memory.lastSeq += 1;
  const line = {
    ...target,
    seq: memory.lastSeq,
    // Not before the newest token was issued, should the clock have been set back meanwhile.
    revokedAt: uses.reduce((latest, { lastUsedAt }) => Math.max(latest, lastUsedAt), earliest),
    deadAfter: uses.reduce((latest, { accessDiesAt }) => Math.max(latest, accessDiesAt), earliest),
  };
  memory.lines = [...memory.lines, line];
};

export const revocationsSince = (
  { lines }: Memory,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): RevocationPage => {
  const newest = lines.at(-1)?.seq ?? 0;
  const after = cursor === undefined || cursor > newest ? 0 : cursor;
  const news = lines.filter(({ seq, deadAfter }) => seq > after && deadAfter > now);
  if (news.length > limit) return { kind: 'too-many' };
  return {
    kind: 'page',
    revocations: news.map(({ seq: _, ...revocation }) => revocation),
    cursor: newest,
  };
};

export const isRevoked = ({ lines }: Memory, token: TokenOrigin, now: EpochSeconds): boolean =>
  lines.some(
    (line) =>
      line.revokedAt >= token.issuedAt && line.deadAfter > now && isOf({ ...token, id: token.grantId }, line),
  );

const isOf = (
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

// Providers' signals: each counts once, and ends what rests on whom it names.

export const recordSignal = (memory: Memory, signal: ReceivedSignal): SignalOutcome => {
  const { provider, jti, neededUntil, before, endings, now } = signal;
  const key = JSON.stringify([provider, jti]);
  if (memory.signals.has(key)) return 'replayed';
  memory.signals.set(key, neededUntil);
  const [identities, grants] = [
    [...memory.identities.values()].filter((identity) => identity.provider === provider),
    [...memory.grants.values()].filter(
      ({ identity, signedInAt }) => identity.provider === provider && signedInAt <= before,
    ),
  ];
  for (const { target, reach } of endings) {
    const named = identities.filter((identity) => isNamed(identity, target));
    const ended = grants.filter((grant) => restsOn(grant, target, named) && isWithin(grant, reach));
    endEach(memory, ended, now);
    if (reach !== 'identity') continue;
    for (const identity of named) if (identity.lastSignInAt <= before) forgetToken(memory, identity);
  }
  return 'first';
};

const isNamed = ({ subject, tokenNames }: StoredIdentity, target: SignalTarget): boolean => {
  switch (target.kind) {
    case 'identity':
      return subject === target.subject;
    case 'session':
      return false;
    case 'token':
      return tokenNames?.includes(target.name) === true;
  }
};

const restsOn = (
  { identity, sid }: Grant,
  target: SignalTarget,
  named: readonly StoredIdentity[],
): boolean => {
  switch (target.kind) {
    // Not by its row, which may be gone already.
    case 'identity':
      return identity.subject === target.subject;
    case 'session':
      return sid === target.sid && (target.subject ?? identity.subject) === identity.subject;
    case 'token':
      return named.some(({ subject }) => subject === identity.subject);
  }
};

const isWithin = ({ clientId, refreshPolicy }: Grant, reach: SignalReach): boolean => {
  switch (reach) {
    case 'sessions':
      return clientId === accountClientId;
    case 'presence':
      return clientId === accountClientId || refreshPolicy === 'none';
    case 'grants':
    case 'identity':
      return true;
  }
};

// Sweeping: forgets what has expired.

export const sweep = (memory: Memory, now: EpochSeconds): void => {
  for (const grant of memory.grants.values()) if (neededUntil(grant) <= now) memory.grants.delete(grant.id);
  for (const [key, until] of memory.signals) if (until <= now) memory.signals.delete(key);
  memory.lines = memory.lines.filter(({ deadAfter }) => deadAfter > now);
};
