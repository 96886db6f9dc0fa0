/** Owns which addresses of the publisher's may stand on a page: paths of the own origin, and https links. */
import { ConfigurationError } from '../protocol/errors.ts';

/** A path on the broker's own origin, in the form that a browser would give it. */
export type OwnPath = string & { readonly brand: unique symbol };

/** An absolute https URL, in the form that a browser would give it. */
export type HttpsUrl = string & { readonly brand: unique symbol };

/**
 * Accepts a path that stays on the own origin: the pages load nothing from elsewhere.
 * @throws ConfigurationError for anything else, such as `//elsewhere`, a scheme, `..` or an unescaped blank
 */
export const parseOwnPath = (option: string, value: unknown): OwnPath => {
  if (isOwnPath(value)) return value;
  throw new ConfigurationError(option, 'must be a path on the broker’s own origin, such as /logo.svg');
};

/**
 * Accepts what a person may be linked to: an own path or an https URL without credentials.
 * @throws ConfigurationError for anything else, such as `javascript:` or plain http
 */
export const parseLink = (option: string, value: unknown): OwnPath | HttpsUrl => {
  if (isOwnPath(value) || isHttpsUrl(value)) return value;
  throw new ConfigurationError(option, 'must be a path on the broker’s own origin or an https URL');
};

// Equal to its parsed form means that browsers, too, read it as nothing else: they skip tabs and turn \ into /.
const isOwnPath = (value: unknown): value is OwnPath =>
  typeof value === 'string' && URL.parse(value, ownOrigin)?.href === ownOrigin + value;

const ownOrigin = 'https://own.invalid';

const isHttpsUrl = (value: unknown): value is HttpsUrl => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url?.protocol === 'https:' && url.href === value && url.username === '' && url.password === '';
};
