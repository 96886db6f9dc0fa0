/**
 * Reconsent: a second request to the same provider after a sign-in, if no refresh token is stored for the
 * identity, so that it can be rechecked later. The sign-in is already recorded: it completes regardless of
 * the provider's response.
 */

import type { BrokerContext } from '../context.ts';
import { writeWithRetry } from '../endpoint/handler.ts';
import { describeCause, formatStack } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { ProtocolError } from '../oauth/protocol-error.ts';
import { type IdentityProvider, ProviderError } from '../providers/provider.ts';
import {
  buildUpstreamRequest,
  createTransaction,
  setTransactionCookie,
} from '../sign-in/login-transaction.ts';
import { StorageUnavailable } from '../storage/broker-storage.ts';
import type { Transaction } from '../tokens/sealed-types.ts';
import { sealUpstreamToken } from '../tokens/sealers.ts';

type ReconsentContext = Pick<
  BrokerContext,
  | 'issuer'
  | 'sealers'
  | 'storage'
  | 'lifetimes'
  | 'providerIo'
  | 'now'
  | 'randomBytes'
  | 'waitUntil'
  | 'sleep'
  | 'log'
>;

/** The sign-in that was just recorded. */
export interface CompletedSignIn {
  readonly transaction: Transaction;
  readonly identity: Identity;
  /** The browser's cookies, without the cookie of the completed login transaction. */
  readonly cookies: ReadonlyMap<string, string>;
}

/**
 * Starts the reconsent request, for the same authorization request and grant.
 * @returns `undefined` if the provider has no `reconsentUrl`, or if the request could not be built, which is
 *   logged
 * @throws any unexpected error
 */
export const startReconsent = async (
  context: ReconsentContext,
  provider: IdentityProvider,
  completed: CompletedSignIn,
): Promise<{ readonly url: URL; readonly cookies: readonly string[] } | undefined> => {
  const { purpose, grantId } = completed.transaction;
  const { subject } = completed.identity;
  const transaction = {
    ...createTransaction(context, purpose, provider.id),
    grantId,
    reconsentSubject: subject,
  };
  try {
    const upstreamRequest = buildUpstreamRequest(transaction, context.issuer);
    const url = await provider.reconsentUrl?.(subject, upstreamRequest, context.providerIo);
    if (url === undefined) return undefined;
    const { sealers, lifetimes } = context;
    return {
      url,
      cookies: await setTransactionCookie(
        transaction,
        completed.cookies,
        sealers.transaction,
        lifetimes.transaction,
      ),
    };
  } catch (error) {
    if (!isExpectedError(error)) throw error;
    logMissingUpstreamToken(context, provider, error);
    return undefined;
  }
};

/**
 * Stores the refresh token of the provider's response, with its identifiers, if the response is about the
 * same subject. Uses nothing else from the response, and never throws.
 */
export const completeReconsent = async (
  context: ReconsentContext,
  transaction: Transaction,
  provider: IdentityProvider,
  responseUrl: URL,
): Promise<void> => {
  try {
    const upstreamRequest = buildUpstreamRequest(transaction, context.issuer);
    const { subject, refreshToken, tokenIdentifiers } = await provider.handleCallback(
      responseUrl,
      upstreamRequest,
      context.providerIo,
    );
    // Another user's token must not be stored for this identity.
    if (subject !== transaction.reconsentSubject)
      throw new ProviderError('invalid', 'another user signed in');
    if (refreshToken === undefined) throw new ProviderError('invalid', 'the response has no refresh token');
    const identity = { provider: provider.id, subject };
    const sealedRefreshToken = await sealUpstreamToken(context.sealers, identity, refreshToken);
    const identifiers = tokenIdentifiers !== undefined && { tokenIdentifiers };
    // Google sends the token once. It stays valid when a newer one is issued, so a late retry does no harm.
    await writeWithRetry(context, () =>
      context.storage.storeUpstreamToken({ ...identity, sealedRefreshToken, ...identifiers }),
    );
  } catch (error) {
    // The code is already claimed, so no error may keep the client from getting it.
    logMissingUpstreamToken(context, provider, error);
  }
};

const logMissingUpstreamToken = (
  { log }: ReconsentContext,
  { id: provider }: IdentityProvider,
  error: unknown,
): void => {
  const stack = isExpectedError(error) ? undefined : formatStack(error);
  const cause = describeCause(error);
  log({ event: 'no-upstream-token', provider, cause, ...(stack !== undefined && { stack }) });
};

/**
 * A `ProtocolError` is expected, because `setTransactionCookie` throws it if the cookie would be too large.
 */
const isExpectedError = (error: unknown): boolean =>
  [ProviderError, StorageUnavailable, ProtocolError].some((kind) => error instanceof kind);
