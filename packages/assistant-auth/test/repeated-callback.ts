/** A deployment whose provider accepts each code once, and callbacks that arrive again. */
import { type BrokerOptions, type IdentityProvider, ProviderError } from '../src/index.ts';
import { type Deployment, deploy } from './deployment.ts';
import { locationOf } from './person.ts';
import { createProvider } from './provider.ts';
import { watchLedger } from './watched-ledger.ts';

/** A provider that accepts each code once, as RFC 6749 §4.1.2 demands, and counts how often it was asked. */
const createStrict = (changes: Partial<IdentityProvider> = {}) => {
  const plain = { ...createProvider('google', 'Google'), ...changes };
  const asked: string[] = [];
  const provider: IdentityProvider = {
    ...plain,
    async identify(answer, leg, io) {
      const code = `${answer.searchParams.get('code')} ${leg.state}`;
      asked.push(code);
      if (asked.indexOf(code) < asked.length - 1) throw new ProviderError('invalid', 'invalid_grant');
      return plain.identify(answer, leg, io);
    },
  };
  return { provider, asked };
};

export const createStrictSystem = (
  changes: Partial<BrokerOptions> = {},
  own: Partial<IdentityProvider> = {},
) => {
  const { provider, asked } = createStrict(own);
  const ledger = watchLedger();
  const providers = [provider, createProvider('other', 'Other')];
  return { provider, asked, ledger, deployment: deploy({ providers, ledger, ...changes }) };
};

/** The same request with the cookies that the browser had before the first response came. */
export const repeat = (deployment: Deployment, url: string, cookie: string) => () =>
  deployment.fetch(new Request(url, { headers: { cookie } }));

export const codeIn = (response: Response): string => locationOf(response).searchParams.get('code') ?? '';
