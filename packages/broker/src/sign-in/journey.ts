/** A journey to a provider: how it begins, and the little of it that the provider is given. */
import { type RandomBytes, randomId, randomToken } from '../protocol/random.ts';
import type { Clock } from '../protocol/time.ts';
import type { ProviderLeg } from '../providers/identity-provider.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { Errand, Transaction } from '../tokens/transaction.ts';

/** Begins a journey, with values that no other journey shares. */
export const beginJourney = (
  {
    randomBytes,
    lifetimes,
    now,
  }: { readonly randomBytes: RandomBytes; readonly lifetimes: Lifetimes; readonly now: Clock },
  errand: Errand,
  provider: string,
): Transaction => ({
  errand,
  grantId: randomId(randomBytes),
  provider,
  state: randomToken(randomBytes),
  nonce: randomToken(randomBytes),
  codeVerifier: randomToken(randomBytes),
  beganAt: now(),
  expiresAt: now() + lifetimes.transaction,
  signedIn: undefined,
});

/** What a provider needs to know; whom it is for and the grant are none of its business. */
export const legOf = (
  { errand, provider, state, nonce, codeVerifier, beganAt }: Transaction,
  callbackUri: (provider: string) => string,
): ProviderLeg => {
  const leg = { redirectUri: callbackUri(provider), state, nonce, codeVerifier };
  switch (errand.kind) {
    case 'authorize':
      return leg;
    // Whoever finds a browser in which somebody is signed in at the provider must not come into their account by it.
    case 'account':
    case 'link':
      return { ...leg, fresh: { since: beganAt } };
  }
};
