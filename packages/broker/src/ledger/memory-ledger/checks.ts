/** What is remembered of providers' words: when each is due, and what follows from it. */
import type { EpochSeconds } from '../../protocol/time.ts';
import type { Check, EndingOutcome, RefreshUse, StoredToken } from '../ledger.ts';
import { type Grant, identityKey, type Memory, type StoredIdentity } from './memory.ts';
import { revoke } from './revocations.ts';

/** Takes the lease of a check that is due. */
export const lease = (
  { identities }: Memory,
  { identity }: Grant,
  { now, checkLease }: RefreshUse,
): { readonly due?: StoredToken } => {
  const key = identityKey(identity);
  const stored = identities.get(key);
  if (stored?.sealedRefreshToken === undefined || stored.checkAfter > now) return {};
  identities.set(key, { ...stored, checkAfter: now + checkLease });
  return { due: { ...identity, sealedRefreshToken: stored.sealedRefreshToken } };
};

export const storeToken = ({ identities }: Memory, token: StoredToken): void => {
  const key = identityKey(token);
  const stored = identities.get(key);
  const { sealedRefreshToken } = token;
  if (stored !== undefined) identities.set(key, { ...stored, sealedRefreshToken });
};

export const recordCheck = (memory: Memory, { asked, ...news }: Check): void => {
  const stored = findAsked(memory, asked);
  if (stored !== undefined) memory.identities.set(identityKey(asked), { ...stored, ...news });
};

export const endIdentity = (memory: Memory, asked: StoredToken, now: EpochSeconds): EndingOutcome => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return 'superseded';
  const key = identityKey(asked);
  const { sealedRefreshToken: _, ...rest } = stored;
  memory.identities.set(key, rest);
  for (const { id, identity } of memory.grants.values())
    if (identityKey(identity) === key) revoke(memory, { kind: 'grant', id }, now);
  return 'ended';
};

/** The identity, if its token is still the one that the provider was asked with. */
const findAsked = ({ identities }: Memory, asked: StoredToken): StoredIdentity | undefined => {
  const stored = identities.get(identityKey(asked));
  return stored?.sealedRefreshToken === asked.sealedRefreshToken ? stored : undefined;
};
