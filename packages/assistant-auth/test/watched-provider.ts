/** A provider that tells what it was given, and whose codes are good for the journey they were issued to alone. */
import { type IdentityProvider, ProviderError, type ProviderLeg } from '../src/index.ts';
import { createProvider } from './provider.ts';

export interface WatchedProvider extends IdentityProvider {
  /** What every journey to it was begun with, in order. */
  readonly begun: readonly ProviderLeg[];
  /** What every answer of it was to be redeemed with, in order. */
  readonly redeemed: readonly ProviderLeg[];
  /** The code with which it sends a person back who was sent to it by `url`. */
  codeFor(url: URL, subject: string): string;
}

export const watchProvider = (id = 'google'): WatchedProvider => {
  const plain = createProvider(id, id);
  const begun: ProviderLeg[] = [];
  const redeemed: ProviderLeg[] = [];
  return {
    ...plain,
    begun,
    redeemed,
    codeFor: (url, subject) => `${subject}~${url.searchParams.get('nonce')}`,
    authorizationUrl(leg, io) {
      begun.push(leg);
      return plain.authorizationUrl(leg, io);
    },
    async identify(answer, leg, io) {
      redeemed.push(leg);
      const nonce = /~(.*)$/.exec(answer.searchParams.get('code') ?? '')?.[1];
      if (nonce !== undefined && nonce !== leg.nonce) throw new ProviderError('invalid', 'nonce');
      return plain.identify(answer, leg, io);
    },
  };
};
