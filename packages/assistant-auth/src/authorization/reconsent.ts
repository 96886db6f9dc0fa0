/**
 * A second way to the same provider, for somebody who has signed in but brought no refresh token, so that the provider can be
 * asked about them later. The sign-in stands: whatever the provider says on this way, it goes on.
 */

import type { BrokerContext } from '../context.ts';
import { describeCause, formatStack, ProtocolError } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { type IdentityProvider, ProviderError } from '../providers/provider.ts';
import {
  buildUpstreamRequest,
  createTransaction,
  setTransactionCookie,
} from '../sign-in/login-transaction.ts';
import { StorageUnavailable } from '../storage/broker-storage.ts';
import { writeWithRetry } from '../storage/write-with-retry.ts';
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

/** The way that has just ended. */
export interface CompletedSignIn {
  readonly transaction: Transaction;
  readonly identity: Identity;
  /** Those that the browser has, without the cookie of this way. */
  readonly cookies: ReadonlyMap<string, string>;
}

/** Begins it, for the same request and grant; `undefined` where the provider has nothing more to give. */
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
    return logMissingUpstreamToken(context, provider, error);
  }
};

/** Takes what the provider brought; no more than a refresh token is wanted of it. */
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
    // Whoever it was: their token must not stand for somebody else.
    if (subject !== transaction.reconsentSubject)
      throw new ProviderError('invalid', 'somebody else came back');
    if (refreshToken === undefined) throw new ProviderError('invalid', 'it gave no refresh token again');
    const identity = { provider: provider.id, subject };
    const sealedRefreshToken = await sealUpstreamToken(context.sealers, identity, refreshToken);
    const identifiers = tokenIdentifiers !== undefined && { tokenIdentifiers };
    // Google sends the token once. It stays valid when a newer one is issued, so a late retry does no harm.
    await writeWithRetry(context, () =>
      context.storage.storeUpstreamToken({ ...identity, sealedRefreshToken, ...identifiers }),
    );
  } catch (error) {
    // The code was claimed: nothing may keep it from the client.
    context.log({
      event: 'no-upstream-token',
      provider: provider.id,
      cause: describeCause(error),
      ...describeUnexpectedStack(error),
    });
  }
};

const describeUnexpectedStack = (error: unknown): { readonly stack?: string } => {
  const stack = isExpectedError(error) ? undefined : formatStack(error);
  return stack === undefined ? {} : { stack };
};

/** @throws what nobody foresaw */
const logMissingUpstreamToken = (
  { log }: ReconsentContext,
  { id }: IdentityProvider,
  error: unknown,
): undefined => {
  if (!isExpectedError(error)) throw error;
  log({ event: 'no-upstream-token', provider: id, cause: describeCause(error) });
};

/** A refusal is what a cookie gets that would be too large. */
const isExpectedError = (error: unknown): boolean =>
  [ProviderError, StorageUnavailable, ProtocolError].some((kind) => error instanceof kind);
