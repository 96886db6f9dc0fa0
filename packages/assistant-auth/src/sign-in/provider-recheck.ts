/**
 * Rechecks an identity at its provider with the stored upstream refresh token (RFC 6749 §6). If the provider says that the person's
 * grant there was revoked, every grant of the identity ends. Without a conclusive response, no grant ends: neither an outage of a
 * provider nor a lost response signs anyone out.
 */

import type { BrokerContext } from '../context.ts';
import { describeCause } from '../oauth/errors.ts';
import type { IdentityProvider, ProviderWord } from '../providers/provider.ts';
import {
  type Check,
  type EndingOutcome,
  LedgerUnavailable,
  type RecheckLease,
} from '../storage/broker-storage.ts';
import { writeWithRetry } from '../storage/write-with-retry.ts';
import { openProviderToken, sealProviderToken } from '../tokens/sealers.ts';

export type RecheckContext = Pick<
  BrokerContext,
  'vault' | 'ledger' | 'providers' | 'recheckIo' | 'lifetimes' | 'now' | 'afterResponse' | 'sleep' | 'log'
>;

/**
 * `gone`: all grants of the identity have ended. `no-word`: the recheck had no conclusive result, or the person has signed in again
 * meanwhile.
 */
export type Heard = 'alive' | 'gone' | 'no-word';

/**
 * Rechecks an identity, and stores the outcome; if storage is unavailable, an outcome that ends no grant is stored later. Callers must
 * wrap both the acquisition of the lease and this call in `keepAlive`, so that a client that disconnects can't avoid the recheck or
 * prevent its outcome from being stored.
 * @throws LedgerUnavailable if the person's grants must end and it is not known whether this was stored
 */
export const heedProvider = async (rooms: RecheckContext, lease: RecheckLease): Promise<Heard> => {
  const { providers, vault, recheckIo } = rooms;
  const provider = providers.get(lease.provider);
  if (provider === undefined) return noteUnsent(rooms, lease, 'the provider is no longer configured');
  const opened = await openProviderToken(vault, lease);
  // For example, after a key was removed: the identity can't be rechecked until a sign-in returns another token.
  if (opened.kind === 'unopened') return noteUnsent(rooms, lease, `the stored token: ${opened.reason}`);
  return storeOutcome(rooms, lease, provider, await provider.check(opened.value, recheckIo));
};

const storeOutcome = async (
  rooms: RecheckContext,
  lease: RecheckLease,
  provider: IdentityProvider,
  word: ProviderWord,
): Promise<Heard> => {
  switch (word.kind) {
    case 'alive':
      return recordActive(rooms, lease, provider, word);
    case 'gone': {
      const { singleUseRefreshTokens = true } = provider;
      return lease.isUnresolved && singleUseRefreshTokens
        ? dropUpstreamToken(rooms, lease)
        : endIdentity(rooms, lease);
    }
    case 'unknown':
      return word.isTokenUnchanged === true
        ? noteUnsent(rooms, lease, word.reason)
        : noteUnclear(rooms, lease, word.reason);
  }
};

const recordActive = async (
  rooms: RecheckContext,
  lease: RecheckLease,
  { checkEvery }: IdentityProvider,
  word: Extract<ProviderWord, { readonly kind: 'alive' }>,
): Promise<Heard> => {
  const { ledger, now } = rooms;
  const checkAfter = now() + checkEvery;
  const news = await resealed(rooms, lease, word);
  await writeWithRetry(rooms, () => ledger.recordCheck({ asked: lease, checkAfter, ...news }));
  return 'alive';
};

/** A provider that rotates takes the old token for stolen when it sees it again. */
const resealed = async (
  { vault }: RecheckContext,
  lease: RecheckLease,
  { refreshToken, tokenNames }: Extract<ProviderWord, { readonly kind: 'alive' }>,
): Promise<Pick<Check, 'sealedRefreshToken' | 'tokenNames'>> => {
  if (refreshToken === undefined) return {};
  const sealedRefreshToken = await sealProviderToken(vault, lease, refreshToken);
  return { sealedRefreshToken, ...(tokenNames !== undefined && { tokenNames }) };
};

const endIdentity = async (
  { ledger, now, ...rooms }: RecheckContext,
  lease: RecheckLease,
): Promise<Heard> => {
  const at = now();
  const result = await writeWithRetry<EndingOutcome>(rooms, () =>
    ledger.endIdentity(lease, 'gone at the provider', at),
  );
  if (result.kind === 'deferred') throw new LedgerUnavailable('the end of an identity could not be stored');
  if (result.outcome === 'ended') return 'gone';
  if (result.isRepeated) throw new LedgerUnavailable('the end of an identity may have been stored');
  // The person has signed in again meanwhile, and that takes precedence.
  return 'no-word';
};

/**
 * Drops a token that the provider rejected but may have replaced in a response that was never stored: the rejection proves nothing about
 * the person, and without a valid token the identity can't be rechecked until they sign in again.
 */
const dropUpstreamToken = async (rooms: RecheckContext, lease: RecheckLease): Promise<Heard> => {
  const { ledger, lifetimes, log, now } = rooms;
  const reason = 'recheck inconclusive after a lost response';
  const at = now();
  await writeWithRetry(rooms, async () => {
    const outcome = await ledger.dropUpstreamToken({
      ...{ asked: lease, startedAt: lease.startedAt, now: at, reason },
      refreshableUntil: at + lifetimes.inconclusiveRecheck,
    });
    if (outcome === 'dropped') log({ event: 'no-upstream-token', provider: lease.provider, cause: reason });
  });
  return 'no-word';
};

/** Records that the provider can't have replaced the token, so that the next recheck starts as if this one had not been made. */
const noteUnsent = async (rooms: RecheckContext, lease: RecheckLease, cause: string): Promise<'no-word'> => {
  const { ledger, log } = rooms;
  try {
    await ledger.resolveRecheck(lease);
  } catch (error) {
    if (!(error instanceof LedgerUnavailable)) throw error;
    // The recheck stays unresolved, which signs nobody out.
    log({ event: 'write-failed', provider: lease.provider, cause: describeCause(error) });
  }
  return noteUnclear(rooms, lease, cause);
};

const noteUnclear = ({ log }: RecheckContext, { provider }: RecheckLease, cause: string): 'no-word' => {
  log({ event: 'check-failed', provider, cause });
  return 'no-word';
};
