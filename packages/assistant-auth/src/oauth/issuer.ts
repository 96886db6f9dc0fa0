/** Origins: what may be an issuer, and what counts as this machine alone. */
import { ConfigurationError } from './errors.ts';

/** An https origin without path, or an http one on loopback; as `URL` spells it, no trailing slash. */
export type Issuer = string & { readonly brand: unique symbol };

/**
 * Checks the broker's own origin.
 * @throws ConfigurationError when it is no URL, has a path, query, fragment or user, or is http beyond loopback
 */
export const parseIssuer = (text: string): Issuer => {
  const url = URL.parse(text);
  if (url === null || !isOrigin(url, text)) {
    throw new ConfigurationError(
      'issuer',
      'must be an origin such as https://words.example, without a path.',
    );
  }
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    throw new ConfigurationError('issuer', 'must use https; plain http is for loopback addresses only.');
  }
  return url.origin as Issuer;
};

/** Tells whether only this machine can reach the URL: plain http to localhost, 127.0.0.1 or [::1]. */
export const isLoopback = (url: URL): boolean =>
  url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);

const isOrigin = (url: URL, text: string): boolean =>
  /^https?:$/.test(url.protocol) && (url.origin === text || `${url.origin}/` === text);
