/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */
import type { SignIn, SignInOutcome } from '../ledger.ts';
import { identityKey, type Memory, vouch } from './memory.ts';
import { findSession } from './sessions.ts';

export const recordSignIn = (memory: Memory, signIn: SignIn): SignInOutcome => {
  const { now, session, identity, user, grant } = signIn;
  if (memory.grants.has(grant.id)) return { kind: 'replayed' };
  if (session !== undefined && findSession(memory, session, now) === undefined)
    return { kind: 'session-ended' };
  const known = memory.identities.get(identityKey(identity));
  const userId = user.kind === 'theirs' ? user.id : (known?.userId ?? user.newId);
  if (!memory.users.has(userId)) memory.users.set(userId, now);
  const { provider, subject, sealedRefreshToken } = vouch(memory, identity, userId, now);
  memory.grants.set(grant.id, { ...grant, userId, identity: { provider, subject }, createdAt: now });
  return { kind: 'recorded', userId, watched: sealedRefreshToken !== undefined };
};
