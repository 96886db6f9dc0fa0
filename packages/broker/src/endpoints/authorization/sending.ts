/** Sending a browser to a provider, with the journey kept in a cookie of its own. */
import { seeOther } from '../../http/respond.ts';
import type { RandomBytes } from '../../protocol/random.ts';
import type { Clock } from '../../protocol/time.ts';
import type { IdentityProvider, ProviderIo } from '../../providers/identity-provider.ts';
import { keepTransaction } from '../../sign-in/browser-binding.ts';
import { beginJourney, legOf } from '../../sign-in/journey.ts';
import type { Lifetimes } from '../../tokens/lifetimes.ts';
import type { Errand } from '../../tokens/transaction.ts';
import type { Vault } from '../../tokens/vault.ts';

export interface SendingRooms {
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  readonly providerIo: ProviderIo;
  /** The broker's callback for a provider. */
  readonly callbackUri: (provider: string) => string;
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
}

/** @param cookies those that the browser has */
export const sendToProvider = async (
  rooms: SendingRooms,
  errand: Errand,
  provider: IdentityProvider,
  cookies: ReadonlyMap<string, string>,
): Promise<Response> => {
  const { vault, lifetimes } = rooms;
  const journey = beginJourney(rooms, errand, provider.id);
  const url = await provider.authorizationUrl(legOf(journey, rooms.callbackUri), rooms.providerIo);
  return seeOther(
    url.href,
    await keepTransaction(journey, cookies, vault.transaction, lifetimes.transaction),
  );
};
