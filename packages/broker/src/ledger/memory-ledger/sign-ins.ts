/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */
import type { GrantId, UserId } from '../../protocol/identity.ts';
import { accountClientId } from '../../protocol/reserved.ts';
import type { EpochSeconds, Seconds } from '../../protocol/time.ts';
import type { GrantStatus, SignIn, SignInOutcome } from '../ledger.ts';
import { compareText, type Grant, identityKey, isActiveGrant, type Memory, vouch } from './memory.ts';
import { endEach } from './revocations.ts';
import { findSession } from './sessions.ts';

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
