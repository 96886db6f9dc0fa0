/** A browser that is back from a provider, in a journey that was found to be its own. */
import type { Visit } from '../../doors/endpoint.ts';
import type { Identity } from '../../protocol/identity.ts';
import { type IdentityProvider, ProviderError, type ProviderIo } from '../../providers/identity-provider.ts';
import { legOf } from '../../sign-in/journey.ts';
import type { Transaction } from '../../tokens/transaction.ts';

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
  readonly providerIo: ProviderIo;
  /** The broker's callback for a provider. */
  readonly callbackUri: (provider: string) => string;
}

/**
 * Has the provider's answer verified, where no client waits for the person.
 * @returns `undefined` for a person who refused at the provider
 * @throws ProviderError for every other answer that vouches for nobody
 */
export const identityOf = async (
  { callbackUri, providerIo }: LegRooms,
  { provider, answer, journey }: Return,
): Promise<Identity | undefined> => {
  try {
    return await provider.identify(answer, legOf(journey, callbackUri), providerIo);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'denied') return undefined;
    throw error;
  }
};
