/** A provider that tells what it was given, and whose codes are good for the login transaction they were issued to alone. */
import { type IdentityProvider, ProviderError, type UpstreamRequest } from '../src/index.ts';
import { createProvider } from './fake-provider.ts';

export interface SpyProvider extends IdentityProvider {
  /** What every login transaction to it was begun with, in order. */
  readonly authorizationRequests: readonly UpstreamRequest[];
  /** What every answer of it was to be redeemed with, in order. */
  readonly tokenRequests: readonly UpstreamRequest[];
  /** The code with which it sends a person back who was sent to it by `url`. */
  buildCode(url: URL, subject: string): string;
}

export const createSpyProvider = (id = 'google'): SpyProvider => {
  const base = createProvider(id, id);
  const begun: UpstreamRequest[] = [];
  const redeemed: UpstreamRequest[] = [];
  return {
    ...base,
    authorizationRequests: begun,
    tokenRequests: redeemed,
    buildCode: (url, subject) => `${subject}~${url.searchParams.get('nonce')}`,
    authorizationUrl(upstreamRequest, io) {
      begun.push(upstreamRequest);
      return base.authorizationUrl(upstreamRequest, io);
    },
    async handleCallback(answer, upstreamRequest, io) {
      redeemed.push(upstreamRequest);
      const nonce = /~(.*)$/.exec(answer.searchParams.get('code') ?? '')?.[1];
      if (nonce !== undefined && nonce !== upstreamRequest.nonce) throw new ProviderError('invalid', 'nonce');
      return base.handleCallback(answer, upstreamRequest, io);
    },
  };
};
