/**
 * A second way to the same provider, for somebody who has signed in but brought no refresh token, so that the provider can be
 * asked about them later. The sign-in stands: whatever the provider says on this way, it goes on.
 */

import type { BrokerContext } from '../context.ts';
import { describeCause, Refusal, stackOf } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { type IdentityProvider, ProviderError } from '../providers/provider.ts';
import { beginJourney, keepTransaction, legOf } from '../sign-in/login-transaction.ts';
import { LedgerUnavailable } from '../storage/broker-storage.ts';
import { writeWithRetry } from '../storage/write-with-retry.ts';
import type { Transaction } from '../tokens/sealed-types.ts';
import { sealProviderToken } from '../tokens/sealers.ts';

type ReconsentContext = Pick<
  BrokerContext,
  | 'issuer'
  | 'vault'
  | 'ledger'
  | 'lifetimes'
  | 'providerIo'
  | 'now'
  | 'randomBytes'
  | 'afterResponse'
  | 'sleep'
  | 'log'
>;

/** The way that has just ended. */
export interface FirstLeg {
  readonly journey: Transaction;
  readonly identity: Identity;
  /** Those that the browser has, without the cookie of this way. */
  readonly cookies: ReadonlyMap<string, string>;
}

/** Begins it, for the same request and grant; `undefined` where the provider has nothing more to give. */
export const beginSecondLeg = async (
  rooms: ReconsentContext,
  provider: IdentityProvider,
  first: FirstLeg,
): Promise<{ readonly url: URL; readonly cookies: readonly string[] } | undefined> => {
  const { errand, grantId } = first.journey;
  const { subject } = first.identity;
  const journey = { ...beginJourney(rooms, errand, provider.id), grantId, signedIn: subject };
  try {
    const leg = legOf(journey, rooms.issuer);
    const url = await provider.askAgainUrl?.(subject, leg, rooms.providerIo);
    if (url === undefined) return undefined;
    const { vault, lifetimes } = rooms;
    return {
      url,
      cookies: await keepTransaction(journey, first.cookies, vault.transaction, lifetimes.transaction),
    };
  } catch (error) {
    return noteUnwatched(rooms, provider, error);
  }
};

/** Takes what the provider brought; no more than a refresh token is wanted of it. */
export const endSecondLeg = async (
  rooms: ReconsentContext,
  journey: Transaction,
  provider: IdentityProvider,
  answer: URL,
): Promise<void> => {
  try {
    const leg = legOf(journey, rooms.issuer);
    const { subject, refreshToken, tokenNames } = await provider.identify(answer, leg, rooms.providerIo);
    // Whoever it was: their token must not stand for somebody else.
    if (subject !== journey.signedIn) throw new ProviderError('invalid', 'somebody else came back');
    if (refreshToken === undefined) throw new ProviderError('invalid', 'it gave no refresh token again');
    const identity = { provider: provider.id, subject };
    const sealedRefreshToken = await sealProviderToken(rooms.vault, identity, refreshToken);
    const names = tokenNames !== undefined && { tokenNames };
    // Google sends the token once. It stays valid when a newer one is issued, so a late retry does no harm.
    await writeWithRetry(rooms, () => rooms.ledger.storeToken({ ...identity, sealedRefreshToken, ...names }));
  } catch (error) {
    // The code was claimed: nothing may keep it from the client.
    rooms.log({ event: 'unwatched', provider: provider.id, cause: describeCause(error), ...stackFor(error) });
  }
};

const stackFor = (error: unknown): { readonly stack?: string } => {
  const stack = isForeseen(error) ? undefined : stackOf(error);
  return stack === undefined ? {} : { stack };
};

/** @throws what nobody foresaw */
const noteUnwatched = ({ log }: ReconsentContext, { id }: IdentityProvider, error: unknown): undefined => {
  if (!isForeseen(error)) throw error;
  log({ event: 'unwatched', provider: id, cause: describeCause(error) });
};

/** A refusal is what a cookie gets that would be too large. */
const isForeseen = (error: unknown): boolean =>
  [ProviderError, LedgerUnavailable, Refusal].some((kind) => error instanceof kind);
