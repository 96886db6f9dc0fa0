/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */
import type { GrantId } from '../../protocol/identity.ts';
import type { GrantStatus, SignIn, SignInOutcome } from '../ledger.ts';
import { identityKey, type Memory, vouch } from './memory.ts';
import { findSession } from './sessions.ts';

export const recordSignIn = (memory: Memory, signIn: SignIn): SignInOutcome => {
  const { now, identity, user, grant } = signIn;
  if (memory.grants.has(grant.id)) return { kind: 'replayed' };
  const session = signIn.session === undefined ? undefined : findSession(memory, signIn.session, now);
  if (signIn.session !== undefined && session === undefined) return { kind: 'session-ended' };
  const known = memory.identities.get(identityKey(identity));
  const userId = user.kind === 'theirs' ? user.id : (known?.userId ?? user.newId);
  if (!memory.users.has(userId)) memory.users.set(userId, now);
  // Whoever goes on in a session has not been at the provider: that is no sign-in there.
  const atProvider = session === undefined ? now : (known?.lastSignInAt ?? now);
  const { refreshableUntil } = known ?? {};
  const limit = session === undefined || refreshableUntil === undefined ? {} : { refreshableUntil };
  const { provider, subject, sealedRefreshToken } = vouch(memory, identity, userId, atProvider, limit);
  memory.grants.set(grant.id, {
    ...{ ...grant, userId, identity: { provider, subject }, createdAt: now },
    signedInAt: session?.createdAt ?? now,
  });
  return { kind: 'recorded', userId, watched: sealedRefreshToken !== undefined };
};

export const grantStatus = ({ grants }: Memory, grantId: GrantId): GrantStatus => {
  const grant = grants.get(grantId);
  if (grant === undefined) return 'unknown';
  return grant.revokedAt === undefined ? 'active' : 'revoked';
};
