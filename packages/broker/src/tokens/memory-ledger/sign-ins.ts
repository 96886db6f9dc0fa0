/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */
import type { SignIn, SignInOutcome } from '../ledger.ts';
import type { Memory } from './memory.ts';

export const recordSignIn = (
  { users, grants }: Memory,
  { now, identity, user, grant }: SignIn,
): SignInOutcome => {
  if (grants.has(grant.id)) return { kind: 'replayed' };
  const key = JSON.stringify([identity.provider, identity.subject]);
  const userId = user.kind === 'theirs' ? user.id : (users.get(key) ?? user.newId);
  users.set(key, userId);
  grants.set(grant.id, { ...grant, userId, createdAt: now, revoked: false });
  return { kind: 'recorded', userId };
};
