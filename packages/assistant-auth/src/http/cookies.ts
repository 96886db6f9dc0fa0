/** Cookies with the `__Host-` prefix (RFC 6265bis §4.1.3.2): for this host alone, over TLS or on loopback, out of scripts' reach. */
import type { Seconds } from '../oauth/time.ts';

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** The cookies that a browser sent, by name; the first of a name counts. */
export const readCookies = (request: Request): ReadonlyMap<string, string> => {
  const cookies = new Map<string, string>();
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = stripWhitespace(pair.slice(0, at));
    if (at > 0 && !cookies.has(name)) cookies.set(name, stripWhitespace(pair.slice(at + 1)));
  }
  return cookies;
};

/**
 * Without the white space that browsers strip (RFC 6265bis §5.6), and no other: `trim` would make `__Host-` of a name that only
 * looks like it, for which no browser keeps the promises of the prefix, and which a neighbouring domain may set.
 */
const stripWhitespace = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '');

/** @param maxAge left out, the cookie ends with the browser's session */
export const setCookie = (name: string, value: string, maxAge?: Seconds): string =>
  `${name}=${value}; ${attributes}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}`;

export const clearCookie = (name: string): string => setCookie(name, '', 0);
