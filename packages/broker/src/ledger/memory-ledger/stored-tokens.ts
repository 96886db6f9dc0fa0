/** Tokens of providers as they are stored: found by how they begin, and replaced by the same sealed anew. */
import type { IdentityName, Resealing, StoredToken, TokenQuestion } from '../ledger.ts';
import { identityKey, type Memory } from './memory.ts';

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
