/**
 * Rechecks an identity at its provider with the stored upstream refresh token (RFC 6749 §6). If the response
 * shows that the user's grant there was revoked, the broker revokes every grant of the identity. A recheck
 * without a conclusive result revokes none, so an outage of a provider or a lost response signs nobody out;
 * but if it drops the upstream token, the grants can be refreshed only until `inconclusiveRecheck` has
 * passed, unless the user signs in again.
 */

import type { BrokerContext } from '../context.ts';
import { writeWithRetry } from '../endpoint/handler.ts';
import { describeCause } from '../oauth/errors.ts';
import type { IdentityProvider, RecheckResult } from '../providers/provider.ts';
import {
  type IdentityRevocationOutcome,
  type IssuedUpstreamToken,
  type RecheckLease,
  type RecordedRecheck,
  StorageUnavailable,
} from '../storage/broker-storage.ts';
import { openUpstreamToken, sealUpstreamToken } from '../tokens/sealers.ts';

export type RecheckContext = Pick<
  BrokerContext,
  'sealers' | 'storage' | 'providers' | 'recheckIo' | 'lifetimes' | 'now' | 'waitUntil' | 'sleep' | 'log'
>;

/**
 * `active`: the provider confirmed the identity. `revoked`: all grants of the identity were revoked.
 * `inconclusive`: the recheck had no conclusive result, or the user has signed in again in the meantime.
 */
export type RecheckOutcome = 'active' | 'revoked' | 'inconclusive';

/**
 * Finds the provider that issued an upstream token, which must not be sent to anyone else.
 * @returns `undefined` if the provider is no longer configured, or if its subjects have another namespace now
 */
export const findTokenIssuer = (
  providers: BrokerContext['providers'],
  { provider: id, subjectNamespace }: IssuedUpstreamToken,
): IdentityProvider | undefined => {
  const provider = providers.get(id);
  return subjectNamespace === undefined || subjectNamespace === provider?.subjectNamespace
    ? provider
    : undefined;
};

/**
 * Rechecks an identity, and stores the outcome. If storage is unavailable, the write is retried in the
 * background (except in `resolveUnchangedToken`), and an outcome that revokes no grant is returned anyway.
 * Callers must wrap both the acquisition of the lease and this call in `keepAlive`, so that a client that
 * disconnects can't avoid the recheck or prevent its outcome from being stored.
 * @throws StorageUnavailable if the grants must be revoked and it is not known whether this was stored
 */
export const recheckIdentity = async (
  context: RecheckContext,
  lease: RecheckLease,
): Promise<RecheckOutcome> => {
  const { providers, sealers, recheckIo } = context;
  const provider = findTokenIssuer(providers, lease);
  if (provider === undefined) return resolveUnchangedToken(context, lease, 'the provider was changed');
  const opened = await openUpstreamToken(sealers, lease);
  // For example, a key was removed from the ring. The identity can't be rechecked until the key is back or a
  // sign-in returns another token.
  if (opened.kind === 'failed')
    return resolveUnchangedToken(context, lease, `the stored token could not be opened: ${opened.reason}`);
  return storeOutcome(context, lease, provider, await provider.validateRefreshToken(opened.value, recheckIo));
};

const storeOutcome = async (
  context: RecheckContext,
  lease: RecheckLease,
  provider: IdentityProvider,
  result: RecheckResult,
): Promise<RecheckOutcome> => {
  switch (result.kind) {
    case 'active':
      return recordActive(context, lease, provider, result);
    case 'revoked': {
      const { singleUseRefreshTokens = true } = provider;
      return lease.isUnresolved && singleUseRefreshTokens
        ? dropUpstreamToken(context, lease)
        : revokeGrantsOfIdentity(context, lease);
    }
    case 'unknown':
      return result.isTokenUnchanged === true
        ? resolveUnchangedToken(context, lease, result.reason)
        : logInconclusive(context, lease, result.reason);
  }
};

const recordActive = async (
  context: RecheckContext,
  lease: RecheckLease,
  { recheckInterval }: IdentityProvider,
  result: Extract<RecheckResult, { readonly kind: 'active' }>,
): Promise<RecheckOutcome> => {
  const { storage, now } = context;
  const recheckAfter = now() + recheckInterval;
  const replacement = await sealReplacement(context, lease, result);
  await writeWithRetry(context, () =>
    storage.recordRecheck({ usedToken: lease, recheckAfter, ...replacement }),
  );
  return 'active';
};

/**
 * Seals the refresh token that replaces the used one, if there is one. A provider that rotates refresh tokens
 * can treat a second use of the old one as theft.
 */
const sealReplacement = async (
  { sealers }: RecheckContext,
  lease: RecheckLease,
  { refreshToken, tokenIdentifiers }: Extract<RecheckResult, { readonly kind: 'active' }>,
): Promise<Pick<RecordedRecheck, 'sealedRefreshToken' | 'tokenIdentifiers'>> => {
  if (refreshToken === undefined) return {};
  const sealedRefreshToken = await sealUpstreamToken(sealers, lease, refreshToken);
  return { sealedRefreshToken, ...(tokenIdentifiers !== undefined && { tokenIdentifiers }) };
};

const revokeGrantsOfIdentity = async (
  { storage, now, ...context }: RecheckContext,
  lease: RecheckLease,
): Promise<RecheckOutcome> => {
  const at = now();
  const result = await writeWithRetry<IdentityRevocationOutcome>(context, () =>
    storage.revokeGrantsOfIdentity(lease, 'revoked at the provider', at),
  );
  if (result.kind === 'deferred')
    throw new StorageUnavailable('the revocation of an identity’s grants could not be stored');
  if (result.outcome === 'revoked') return 'revoked';
  if (result.isRepeated)
    throw new StorageUnavailable('the revocation of an identity’s grants may have been stored');
  // The stored token was replaced or deleted, for example by a new sign-in, which takes precedence.
  return 'inconclusive';
};

/**
 * Drops a token that the provider rejected but may have replaced in a response that was never stored. The
 * rejection proves nothing about the user, and without a valid token the identity can't be rechecked until
 * the user signs in again.
 */
const dropUpstreamToken = async (context: RecheckContext, lease: RecheckLease): Promise<RecheckOutcome> => {
  const { storage, lifetimes, log, now } = context;
  const reason = 'recheck inconclusive after a lost response';
  const at = now();
  await writeWithRetry(context, async () => {
    const outcome = await storage.dropUpstreamToken({
      ...{ usedToken: lease, startedAt: lease.startedAt, now: at, reason },
      refreshableUntil: at + lifetimes.inconclusiveRecheck,
    });
    if (outcome === 'dropped')
      log({ event: 'upstream-token-dropped', provider: lease.provider, cause: reason });
  });
  return 'inconclusive';
};

/**
 * Records that the provider can't have replaced the token, so that the next recheck starts as if this one had
 * not been made.
 */
const resolveUnchangedToken = async (
  context: RecheckContext,
  lease: RecheckLease,
  cause: string,
): Promise<'inconclusive'> => {
  const { storage, log } = context;
  try {
    await storage.resolveRecheck(lease);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    // The recheck stays unresolved, which revokes nothing: it can only make a later rejection of the token
    // inconclusive.
    log({ event: 'write-failed', provider: lease.provider, cause: describeCause(error) });
  }
  return logInconclusive(context, lease, cause);
};

const logInconclusive = (
  { log }: RecheckContext,
  { provider }: RecheckLease,
  cause: string,
): 'inconclusive' => {
  log({ event: 'recheck-failed', provider, cause });
  return 'inconclusive';
};
