/** How `oauth4webapi` reaches an issuer, and which addresses of an issuer may be reached at all. */
import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import { isLoopback } from '../../protocol/origin.ts';
import { ProviderError, type ProviderIo } from '../identity-provider.ts';
import { askProvider, type ProviderRequest } from '../provider-request.ts';

/** The options of every request that the library makes. */
export const transport = (io: ProviderIo) => ({
  [customFetch]: (url: string, request: ProviderRequest) => askProvider(url, request, io),
  // The library knows only "any http" or none; `parseEndpoint` has looked at each address before.
  [allowInsecureRequests]: io.allowLoopbackHttp,
});

/**
 * Checks an address that an issuer names: https, or http on loopback for an issuer that is there itself. What the publisher
 * configured is trusted to name hosts, but not machines behind the publisher's wall: an address in numbers or this machine
 * only where the issuer itself is there.
 * @throws ProviderError `invalid` for any other address, and for one with user, password or fragment
 */
export const parseEndpoint = (name: string, value: unknown, issuer: URL, io: ProviderIo): string => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const plain = io.allowLoopbackHttp && isLoopback(issuer);
  if (url !== null && url.username + url.password + url.hash === '') {
    const isPublic = url.protocol === 'https:' && (url.host === issuer.host || isName(url.hostname));
    if (isPublic || (plain && isLoopback(url))) return url.href;
  }
  throw new ProviderError('invalid', `the ${name} of ${issuer.host} is not an address that may be used`);
};

/** Not an address in numbers, which `URL` spells alike however it was written, and not this machine. */
const isName = (hostname: string): boolean => !/^(\[.*\]|\d+(\.\d+){3}|(.*\.)?localhost\.?)$/.test(hostname);
