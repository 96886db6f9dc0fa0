/** A browser that is back from a provider, in a journey that was found to be its own. */
import type { Visit } from '../../doors/endpoint.ts';
import { readCookies } from '../../http/cookies.ts';
import { type Ledger, LedgerUnavailable } from '../../ledger/ledger.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import type { Clock } from '../../protocol/time.ts';
import { type IdentityProvider, ProviderError, type ProviderIo } from '../../providers/identity-provider.ts';
import { completeTransaction } from '../../sign-in/browser-binding.ts';
import { legOf } from '../../sign-in/journey.ts';
import type { Transaction } from '../../tokens/transaction.ts';
import type { Vault } from '../../tokens/vault.ts';
import type { Deliveries } from './deliveries.ts';

export interface Return {
  readonly visit: Visit;
  readonly provider: IdentityProvider;
  /** The callback URL with the provider's parameters, however they came. */
  readonly answer: URL;
  readonly journey: Transaction;
  /** The name of the cookie that kept the journey. */
  readonly cookie: string;
}

export interface LegRooms {
  readonly ledger: Ledger;
  readonly providerIo: ProviderIo;
  /** The broker's callback for a provider. */
  readonly callbackUri: (provider: string) => string;
  readonly deliveries: Deliveries;
}

/**
 * Verifies the provider's response, unless the callback was handled before. The broker looks up the grant before it sends the code to
 * the provider, which accepts a code only once, and again if the exchange fails: another delivery of the callback may have been faster.
 * @throws Refusal `transaction.replayed`, or `transaction.status` if storage is unavailable: the client gets neither
 * @throws ProviderError for every response that identifies nobody
 */
export const identifyOnce = async (
  rooms: LegRooms,
  { provider, answer, journey }: Return,
): Promise<Identity> => {
  await refuseReplay(rooms, journey);
  try {
    return await provider.identify(answer, legOf(journey, rooms.callbackUri), rooms.providerIo);
  } catch (error) {
    await refuseReplay(rooms, journey);
    throw error;
  }
};

const refuseReplay = async (
  { ledger, deliveries }: LegRooms,
  { errand, grantId, state }: Transaction,
): Promise<void> => {
  const refusal = deliveries.refusalOf(state);
  if (refusal !== undefined) throw refusal;
  // A link has no grant.
  const isReplay =
    errand.kind === 'link'
      ? deliveries.wasHandled(state)
      : (await orOnPage(ledger.grantStatus(grantId))) !== 'unknown';
  if (isReplay) throw new Refusal('transaction.replayed');
};

/**
 * Asks storage what became of a sign-in.
 * @throws Refusal `transaction.status` if storage is unavailable, so that a reload can finish the sign-in
 */
export const orOnPage = async <Answer>(question: Promise<Answer>): Promise<Answer> => {
  try {
    return await question;
  } catch (cause) {
    if (cause instanceof LedgerUnavailable) throw new Refusal('transaction.status', { cause });
    throw cause;
  }
};

/**
 * The same where no client waits for the person.
 * @returns `undefined` for a person who refused at the provider
 */
export const identityOf = async (rooms: LegRooms, back: Return): Promise<Identity | undefined> => {
  try {
    return await identifyOnce(rooms, back);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'denied') return undefined;
    throw error;
  }
};

/** Returns the `Set-Cookie` values that let the broker recognize the callback if it arrives again. */
export const completedBy = (
  { vault, now }: { readonly vault: Vault; readonly now: Clock },
  { visit, journey }: Return,
): Promise<readonly string[]> => completeTransaction(journey, readCookies(visit.request), vault, now());
