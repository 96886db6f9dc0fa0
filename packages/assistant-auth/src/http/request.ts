/** Checks the origin of requests, reads bodies up to a limit, forms and cookies, and serializes cookies. */

import type { Seconds } from '../oauth/identifiers.ts';
import { requestError } from '../oauth/protocol-error.ts';
import { readLimitedText } from './body.ts';

/** Far larger than the body of any legitimate request to the broker. */
const maxBodyBytes = 16_384;

/** The length of `https://`, the longest host name (253 characters, RFC 1035 §2.3.4) and a port. */
const maxOriginLength = 267;

/**
 * Checks that a request is for an origin. Otherwise, logs the origin that it is for: the usual cause is a proxy
 * that does not pass on the `Host` header. The URL is parsed only if it is not written like the origin: a Worker
 * gets the host as the client sent it, for example in capitals or with the default port.
 * @throws ProtocolError `request.host`
 */
export const requireOrigin = ({ url }: Request, expected: string): void => {
  if (url.startsWith(`${expected}/`)) return;
  const { origin } = new URL(url);
  if (origin !== expected)
    throw requestError('request.host', { cause: `the origin is ${origin.slice(0, maxOriginLength)}` });
};

/**
 * Returns the media type of a body in lower case, without parameters; `undefined` if there is no
 * `Content-Type`.
 */
export const readContentType = (request: Request): string | undefined =>
  request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();

/**
 * Reads a body as UTF-8 text.
 * @throws ProtocolError `request.too-large` (the rest is not read) or `request.unreadable`
 */
export const readBodyText = async (request: Request): Promise<string> => {
  const text = await readWithinLimit(request).catch((cause: unknown) => {
    throw requestError('request.unreadable', { cause });
  });
  if (text === undefined) throw requestError('request.too-large');
  return text;
};

/**
 * Reads the body at once if its declared length is within the limit, which takes a fraction of the time of reading
 * it in parts. A server reads no more than `Content-Length`, unless the request has a `Transfer-Encoding` (RFC 9112
 * §6.3).
 */
const readWithinLimit = async (request: Request): Promise<string | undefined> => {
  const { headers } = request;
  const length = headers.get('content-length') ?? '';
  if (!/^\d+$/.test(length) || Number(length) > maxBodyBytes || headers.has('transfer-encoding'))
    return readLimitedText(request.body, maxBodyBytes);
  const text = await request.text();
  // `text` replaces invalid UTF-8 with this character, which no valid request contains.
  if (text.includes('\uFFFD')) throw new TypeError('The body is not valid UTF-8.');
  return text.length > maxBodyBytes ? undefined : text;
};

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws ProtocolError `request.content-type`, `request.too-large` (the rest is not read) or
 *   `request.unreadable`
 */
export const readForm = async (request: Request): Promise<URLSearchParams> => {
  if (readContentType(request) !== 'application/x-www-form-urlencoded')
    throw requestError('request.content-type');
  return new URLSearchParams(await readBodyText(request));
};

// Cookies: for this host only and secure, as their prefix `__Host-` requires (RFC 6265bis §4.1.3.2), and
// hidden from scripts.

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/**
 * Returns the cookies of a request, by name. If a name occurs more than once, the first cookie counts.
 * Ignores a cookie whose name contains anything but printable ASCII: `trim` strips more than browsers do (RFC
 * 6265bis §5.6), so the name could become one that starts with `__Host-`. Browsers do not enforce that prefix
 * for the name as it was sent, so a sibling domain could set the cookie.
 */
export const readCookies = (request: Request): ReadonlyMap<string, string> => {
  const cookies = new Map<string, string>();
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (at > 0 && /^[\t -~]+$/.test(name) && !cookies.has(name.trim()))
      cookies.set(name.trim(), pair.slice(at + 1).trim());
  }
  return cookies;
};

/**
 * Returns a `Set-Cookie` value.
 * @param maxAge in seconds. Default: until the browser is closed.
 */
export const setCookie = (name: string, value: string, maxAge?: Seconds): string =>
  `${name}=${value}; ${attributes}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}`;

/** Returns a `Set-Cookie` value that deletes a cookie. */
export const clearCookie = (name: string): string => setCookie(name, '', 0);
