/** A journey to a provider: how it begins, and the little of it that the provider is given. */
import { type RandomBytes, randomId, randomToken } from '../protocol/random.ts';
import type { Clock } from '../protocol/time.ts';
import type { ProviderLeg } from '../providers/identity-provider.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest, Transaction } from '../tokens/transaction.ts';

/** Begins a journey, with values that no other journey shares. */
export const beginJourney = (
  {
    randomBytes,
    lifetimes,
    now,
  }: { readonly randomBytes: RandomBytes; readonly lifetimes: Lifetimes; readonly now: Clock },
  request: AuthorizationRequest,
  provider: string,
): Transaction => ({
  request,
  grantId: randomId(randomBytes),
  provider,
  state: randomToken(randomBytes),
  nonce: randomToken(randomBytes),
  codeVerifier: randomToken(randomBytes),
  expiresAt: now() + lifetimes.transaction,
  signedIn: undefined,
});

/** What a provider needs to know; the client's request and the grant are none of its business. */
export const legOf = (
  { provider, state, nonce, codeVerifier }: Transaction,
  callbackUri: (provider: string) => string,
): ProviderLeg => ({ redirectUri: callbackUri(provider), state, nonce, codeVerifier });
