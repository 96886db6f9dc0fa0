/**
 * Stores cookies as a browser does on loopback (RFC 6265bis): host-only, shared by all ports, with SameSite
 * and `__Host-`.
 */
import { isSameSite, type Navigation } from './navigation.ts';

export interface CookieJar {
  /** Stores the cookies of a response. A `Max-Age` of zero or less deletes; other expiry is ignored. */
  store(url: URL, setCookies: readonly string[]): void;
  /** Returns the `Cookie` header of a navigation, or `undefined` if there are no cookies to send. */
  header(navigation: Navigation): string | undefined;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
  readonly sameSite: 'strict' | 'lax' | 'none';
}

export const createCookieJar = (): CookieJar => {
  const cookies = new Map<string, Cookie>();
  return {
    store(url, setCookies) {
      for (const line of setCookies) {
        const { cookie, deleted } = parseSetCookie(url, line) ?? {};
        if (cookie === undefined) continue;
        const key = `${cookie.host}${cookie.path} ${cookie.name}`;
        cookies.delete(key);
        if (!deleted) cookies.set(key, cookie);
      }
    },
    header(navigation) {
      const sent = [...cookies.values()].filter((cookie) => isSent(cookie, navigation));
      return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ');
    },
  };
};

const isSent = (cookie: Cookie, navigation: Navigation): boolean => {
  const { url, method } = navigation;
  if (cookie.host !== url.hostname || !pathMatches(cookie.path, url.pathname)) return false;
  switch (cookie.sameSite) {
    case 'strict':
      return isSameSite(navigation);
    case 'lax':
      return isSameSite(navigation) || method === 'GET';
    case 'none':
      return true;
  }
};

const pathMatches = (path: string, requested: string): boolean =>
  requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`);

const parseSetCookie = (url: URL, line: string): { cookie: Cookie; deleted: boolean } | undefined => {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
  const [name, value] = splitAtEquals(pair);
  const attributes = new Map(rest.map(splitAtEquals).map(([key, text]) => [key.toLowerCase(), text]));
  const path = attributes.get('path') ?? '/';
  const isHostBound = attributes.has('secure') && attributes.get('path') === '/' && !attributes.has('domain');
  if (name.startsWith('__Host-') && !isHostBound) return undefined;
  return {
    cookie: { host: url.hostname, path, name, value, sameSite: parseSameSite(attributes.get('samesite')) },
    deleted: Number(attributes.get('max-age') ?? 1) <= 0,
  };
};

const splitAtEquals = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

const parseSameSite = (text: string | undefined): Cookie['sameSite'] => {
  const value = text?.toLowerCase();
  return value === 'strict' || value === 'none' ? value : 'lax';
};
