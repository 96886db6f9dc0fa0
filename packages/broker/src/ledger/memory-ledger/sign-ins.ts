/** Sign-ins: user, identity and grant, remembered together or, on a replay, not at all. */
import type { SignIn, SignInOutcome } from '../ledger.ts';
import { identityKey, type Memory, type StoredIdentity } from './memory.ts';

export const recordSignIn = (
  { identities, grants }: Memory,
  { now, identity, user, grant }: SignIn,
): SignInOutcome => {
  if (grants.has(grant.id)) return { kind: 'replayed' };
  const { provider, subject, sealedRefreshToken } = identity;
  const key = identityKey(identity);
  const known = identities.get(key);
  const userId = user.kind === 'theirs' ? user.id : (known?.userId ?? user.newId);
  const stored: StoredIdentity = {
    checkAfter: 0,
    ...known,
    userId,
    ...(sealedRefreshToken !== undefined && { sealedRefreshToken }),
  };
  identities.set(key, stored);
  grants.set(grant.id, { ...grant, userId, identity: { provider, subject }, createdAt: now, revoked: false });
  return { kind: 'recorded', userId, watched: stored.sealedRefreshToken !== undefined };
};
