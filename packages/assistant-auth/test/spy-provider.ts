/** A provider that records its calls, and accepts a code only in the login transaction it was issued for. */
import { type IdentityProvider, ProviderError, type UpstreamRequest } from '../src/index.ts';
import { createProvider } from './fake-provider.ts';

export interface SpyProvider extends IdentityProvider {
  /** The upstream request of each call to `authorizationUrl`, in order. */
  readonly authorizationRequests: readonly UpstreamRequest[];
  /** The upstream request of each call to `handleCallback`, in order. */
  readonly tokenRequests: readonly UpstreamRequest[];
  /** Builds the code that it issues to `subject` for the authorization request `url`. */
  buildCode(url: URL, subject: string): string;
}

export const createSpyProvider = (id = 'google'): SpyProvider => {
  const base = createProvider(id, id);
  const authorizationRequests: UpstreamRequest[] = [];
  const tokenRequests: UpstreamRequest[] = [];
  return {
    ...base,
    authorizationRequests,
    tokenRequests,
    buildCode: (url, subject) => `${subject}~${url.searchParams.get('nonce')}`,
    authorizationUrl(upstreamRequest, io) {
      authorizationRequests.push(upstreamRequest);
      return base.authorizationUrl(upstreamRequest, io);
    },
    async handleCallback(callbackUrl, upstreamRequest, io) {
      tokenRequests.push(upstreamRequest);
      const nonce = /~(.*)$/.exec(callbackUrl.searchParams.get('code') ?? '')?.[1];
      if (nonce !== undefined && nonce !== upstreamRequest.nonce) throw new ProviderError('invalid', 'nonce');
      return base.handleCallback(callbackUrl, upstreamRequest, io);
    },
  };
};
