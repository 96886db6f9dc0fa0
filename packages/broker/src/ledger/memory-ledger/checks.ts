/** What is remembered of providers' words: when each is due, and what follows from it. */
import type { EpochSeconds } from '../../protocol/time.ts';
import type {
  Check,
  CheckQuestion,
  CheckTurn,
  EndingOutcome,
  NamedToken,
  RefreshUse,
  StoredToken,
} from '../ledger.ts';
import { forgetToken, type Grant, identityKey, keptOf, type Memory, type StoredIdentity } from './memory.ts';
import { endEach } from './revocations.ts';

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

export const takeCheck = (
  { identities }: Memory,
  { provider, subject, now, checkLease }: CheckQuestion,
): CheckTurn => {
  const key = identityKey({ provider, subject });
  const stored = identities.get(key);
  if (stored?.sealedRefreshToken === undefined) return { kind: 'no-word' };
  if (stored.vouchedUntil > now) return { kind: 'vouched' };
  if (stored.checkAfter > now) return { kind: 'no-word' };
  identities.set(key, { ...stored, checkAfter: now + checkLease });
  return { kind: 'due', token: { provider, subject, sealedRefreshToken: stored.sealedRefreshToken } };
};

export const storeToken = ({ identities }: Memory, token: NamedToken): void => {
  const key = identityKey(token);
  const stored = identities.get(key);
  if (stored !== undefined) identities.set(key, { ...keptOf(stored, token), ...token });
};

export const recordCheck = (memory: Memory, { asked, ...news }: Check): void => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return;
  memory.identities.set(identityKey(asked), {
    ...keptOf(stored, news),
    ...news,
    vouchedUntil: news.checkAfter,
  });
};

export const endIdentity = (memory: Memory, asked: StoredToken, now: EpochSeconds): EndingOutcome => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return 'superseded';
  const key = identityKey(asked);
  forgetToken(memory, stored);
  const resting = [...memory.grants.values()].filter(({ identity }) => identityKey(identity) === key);
  endEach(memory, resting, now);
  return 'ended';
};

/** The identity, if its token is still the one that the provider was asked with. */
const findAsked = ({ identities }: Memory, asked: StoredToken): StoredIdentity | undefined => {
  const stored = identities.get(identityKey(asked));
  return stored?.sealedRefreshToken === asked.sealedRefreshToken ? stored : undefined;
};
