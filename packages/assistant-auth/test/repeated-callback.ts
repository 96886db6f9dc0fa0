/** A deployment whose provider accepts each code once, and repeated callbacks. */
import { type BrokerOptions, type IdentityProvider, ProviderError } from '../src/index.ts';
import { readRedirect } from './browser.ts';
import { type Deployment, deploy } from './deployment.ts';
import { createProvider } from './fake-provider.ts';
import { createSpyStorage } from './spy-storage.ts';

/** A provider that accepts each code once, as RFC 6749 §4.1.2 requires, and records each code it receives. */
const createSingleUseProvider = (changes: Partial<IdentityProvider> = {}) => {
  const base = { ...createProvider('google', 'Google'), ...changes };
  const receivedCodes: string[] = [];
  const provider: IdentityProvider = {
    ...base,
    async handleCallback(callbackUrl, upstreamRequest, io) {
      const code = `${callbackUrl.searchParams.get('code')} ${upstreamRequest.state}`;
      receivedCodes.push(code);
      if (receivedCodes.indexOf(code) < receivedCodes.length - 1)
        throw new ProviderError('invalid', 'invalid_grant');
      return base.handleCallback(callbackUrl, upstreamRequest, io);
    },
  };
  return { provider, receivedCodes };
};

export const deployWithSingleUseProvider = (
  changes: Partial<BrokerOptions> = {},
  providerChanges: Partial<IdentityProvider> = {},
) => {
  const { provider, receivedCodes } = createSingleUseProvider(providerChanges);
  const storage = createSpyStorage();
  const providers = [provider, createProvider('other', 'Other')];
  return { provider, receivedCodes, storage, deployment: deploy({ providers, storage, ...changes }) };
};

/** Repeats a request with the cookies that the browser had before the first response. */
export const repeatRequest = (deployment: Deployment, url: string, cookie: string) => () =>
  deployment.fetch(new Request(url, { headers: { cookie } }));

export const readCode = (response: Response): string => readRedirect(response).searchParams.get('code') ?? '';
