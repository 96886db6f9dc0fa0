/** What is remembered of providers' words: when each is due, and what follows from it. */
import type { EpochSeconds, Seconds } from '../../protocol/time.ts';
import type {
  Check,
  CheckQuestion,
  CheckTurn,
  EndingOutcome,
  NamedToken,
  RecheckLease,
  RefreshUse,
  StoredToken,
  UpstreamTokenDrop,
} from '../ledger.ts';
import { forgetToken, type Grant, identityKey, keptOf, type Memory, type StoredIdentity } from './memory.ts';
import { endEach } from './revocations.ts';

/** Acquires the lease for a recheck during a refresh, if one is due. */
export const lease = (
  memory: Memory,
  { identity }: Grant,
  { now, checkLease }: RefreshUse,
): { readonly due?: RecheckLease } => {
  const stored = memory.identities.get(identityKey(identity));
  if (stored === undefined || stored.checkAfter > now) return {};
  const due = startRecheck(memory, stored, now, checkLease);
  return due === undefined ? {} : { due };
};

/** Stores the lease, and that a recheck starts. */
const startRecheck = (
  { identities }: Memory,
  stored: StoredIdentity,
  startedAt: EpochSeconds,
  checkLease: Seconds,
): RecheckLease | undefined => {
  const { provider, subject, sealedRefreshToken, unresolvedRechecks } = stored;
  if (sealedRefreshToken === undefined) return undefined;
  const started = {
    ...stored,
    checkAfter: startedAt + checkLease,
    unresolvedRechecks: unresolvedRechecks + 1,
  };
  identities.set(identityKey(stored), started);
  return { provider, subject, sealedRefreshToken, isUnresolved: unresolvedRechecks > 0, startedAt };
};

export const takeCheck = (
  memory: Memory,
  { provider, subject, now, checkLease }: CheckQuestion,
): CheckTurn => {
  const stored = memory.identities.get(identityKey({ provider, subject }));
  if (stored?.sealedRefreshToken === undefined) return { kind: 'no-word' };
  if (stored.vouchedUntil > now) return { kind: 'vouched' };
  const token = stored.checkAfter > now ? undefined : startRecheck(memory, stored, now, checkLease);
  return token === undefined ? { kind: 'no-word' } : { kind: 'due', token };
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
    unresolvedRechecks: 0,
  });
};

export const resolveRecheck = (memory: Memory, asked: StoredToken): void => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return;
  const unresolvedRechecks = Math.max(0, stored.unresolvedRechecks - 1);
  memory.identities.set(identityKey(asked), { ...stored, unresolvedRechecks });
};

export const dropUpstreamToken = (
  memory: Memory,
  { asked, startedAt, refreshableUntil }: UpstreamTokenDrop,
): 'dropped' | 'superseded' => {
  const stored = findAsked(memory, asked);
  if (stored === undefined) return 'superseded';
  const isLimited = stored.lastSignInAt < startedAt;
  forgetToken(memory, { ...stored, ...(isLimited && { refreshableUntil }) });
  return 'dropped';
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
