/**
 * The cookies of the test browser (RFC 6265bis): which ones it stores, and which ones it sends. There is no
 * list of public suffixes, so a `Domain` of a single label is ignored, and two hosts are the same site only
 * if their names are equal.
 */
import type { Clock, EpochSeconds } from '../oauth/identifiers.ts';

/** How a request relates to the page that started it. `SameSite` depends on this (RFC 6265bis §5.2). */
export type SameSiteContext = 'same-site' | 'cross-site-navigation' | 'cross-site-post';

export interface CookieJar {
  /** Stores the cookies of a response. Ignores every cookie that a browser does not accept. */
  store(url: URL, setCookieHeaders: readonly string[]): void;
  /** Returns the `Cookie` header of a request, or `undefined` if no cookie is sent. */
  readHeader(url: URL, context: SameSiteContext): string | undefined;
}

export const createCookieJar = (now: Clock): CookieJar => {
  // In the order of creation: replacing the value of a key does not move it.
  const cookies = new Map<string, Cookie>();
  return {
    store(url, setCookieHeaders) {
      for (const line of setCookieHeaders) {
        const cookie = parseCookie(line, url, now());
        if (cookie === undefined) continue;
        const key = JSON.stringify([cookie.name, cookie.domain, cookie.isHostOnly, cookie.path]);
        if (isExpired(cookie, now())) cookies.delete(key);
        else cookies.set(key, cookie);
      }
    },
    readHeader(url, context) {
      const sent = [...cookies.values()]
        .filter((cookie) => !isExpired(cookie, now()) && isSentTo(cookie, url, context))
        // Longer paths first. The sort is stable, so earlier cookies come first (§5.8.3).
        .sort((one, other) => other.path.length - one.path.length);
      if (sent.length === 0) return undefined;
      return sent.map(({ name, value }) => (name === '' ? value : `${name}=${value}`)).join('; ');
    },
  };
};

/** Returns whether the host is localhost, 127.0.0.1 or [::1]. The scheme and the port do not matter. */
export const isLoopbackHost = ({ hostname }: URL): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Whether it is not sent to subdomains of `domain`. */
  readonly isHostOnly: boolean;
  readonly path: string;
  readonly isSecure: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** Absent if the cookie lasts as long as the browser. */
  readonly expiresAt?: EpochSeconds;
}

/** The maximum of a cookie's name and value together, and of an attribute (§5.6), in characters. */
const maxPairLength = 4096;
const maxAttributeLength = 1024;

/** Parses a `Set-Cookie` header (§5.6), and checks what a browser checks before it stores a cookie (§5.7). */
const parseCookie = (line: string, url: URL, now: EpochSeconds): Cookie | undefined => {
  if (hasControlCharacter(line)) return undefined;
  const [pair = '', ...attributeTexts] = line.split(';');
  const [name, value] = splitPair(pair);
  if (name + value === '' || name.length + value.length > maxPairLength) return undefined;
  const attributes = parseAttributes(attributeTexts);
  const domainAttribute = attributes.get('domain')?.toLowerCase().replace(/^\./, '') ?? '';
  const domain = selectDomain(domainAttribute, url);
  const path = attributes.get('path') ?? '';
  const expiresAt = parseExpiry(attributes, now);
  const cookie: Cookie = {
    name,
    value,
    domain: domain ?? '',
    isHostOnly: domainAttribute === '' || isSingleLabel(domainAttribute),
    path: path.startsWith('/') ? path : computeDefaultPath(url),
    isSecure: attributes.has('secure'),
    sameSite: parseSameSite(attributes.get('samesite')),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  const isAccepted =
    domain !== undefined &&
    (!cookie.isSecure || isSecureOrigin(url)) &&
    (cookie.sameSite !== 'none' || cookie.isSecure) &&
    hasAllowedPrefix(cookie, attributes);
  return isAccepted ? cookie : undefined;
};

const hasControlCharacter = (line: string): boolean =>
  [...line].some((character) => (character < ' ' && character !== '\t') || character === '\x7F');

/** A pair without `=` is a value without a name. */
const splitPair = (pair: string): readonly [name: string, value: string] => {
  const at = pair.indexOf('=');
  return [pair.slice(0, Math.max(at, 0)).trim(), pair.slice(at + 1).trim()];
};

/** The last attribute of a name counts. */
const parseAttributes = (texts: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    texts.flatMap((text) => {
      const [before = '', ...after] = text.split('=');
      const value = after.join('=').trim();
      return value.length > maxAttributeLength ? [] : [[before.trim().toLowerCase(), value] as const];
    }),
  );

/** Returns `undefined` if the host must not set cookies for the domain (§5.7). */
const selectDomain = (domain: string, { hostname }: URL): string | undefined => {
  if (domain === '' || domain === hostname) return hostname;
  return isSingleLabel(domain) || !isSubdomain(hostname, domain) ? undefined : domain;
};

const isSingleLabel = (domain: string): boolean => !domain.includes('.');

/** An IP address has no subdomains. */
const isSubdomain = (hostname: string, domain: string): boolean =>
  hostname.endsWith(`.${domain}`) && !/^(\[.*\]|[\d.]+)$/.test(hostname);

/** The folder of the URL (§5.1.4). */
const computeDefaultPath = ({ pathname }: URL): string =>
  pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1));

/** `Max-Age` takes precedence over `Expires`. An invalid value counts as absent. */
const parseExpiry = (
  attributes: ReadonlyMap<string, string>,
  now: EpochSeconds,
): EpochSeconds | undefined => {
  const maxAge = attributes.get('max-age') ?? '';
  if (/^-?\d+$/.test(maxAge)) return now + Number(maxAge);
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : expires / 1000;
};

/** Browsers treat a missing or unknown value as Lax. */
const parseSameSite = (value = ''): Cookie['sameSite'] => {
  const lowerCase = value.toLowerCase();
  return lowerCase === 'strict' || lowerCase === 'none' ? lowerCase : 'lax';
};

/** Checks `__Secure-` and `__Host-` (§4.1.3), which are also rejected in a value without a name (§5.7). */
const hasAllowedPrefix = (
  { name, value, isSecure, path }: Cookie,
  attributes: ReadonlyMap<string, string>,
): boolean => {
  if (name === '') return !/^__(secure|host)-/i.test(value);
  if (/^__secure-/i.test(name)) return isSecure;
  const isForHost = isSecure && path === '/' && attributes.get('path') === '/' && !attributes.has('domain');
  return !/^__host-/i.test(name) || isForHost;
};

/** Browsers also accept and send `Secure` cookies on loopback with http. */
const isSecureOrigin = (url: URL): boolean => url.protocol === 'https:' || isLoopbackHost(url);

const isExpired = ({ expiresAt = Number.POSITIVE_INFINITY }: Cookie, now: EpochSeconds): boolean =>
  expiresAt <= now;

/** Ports do not matter (§8.5). */
const isSentTo = (cookie: Cookie, url: URL, context: SameSiteContext): boolean =>
  (url.hostname === cookie.domain || (!cookie.isHostOnly && isSubdomain(url.hostname, cookie.domain))) &&
  isBelow(url.pathname, cookie.path) &&
  (!cookie.isSecure || isSecureOrigin(url)) &&
  isSentIn(context, cookie.sameSite);

/** §5.1.4 */
const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);

const isSentIn = (context: SameSiteContext, sameSite: Cookie['sameSite']): boolean => {
  switch (context) {
    case 'same-site':
      return true;
    case 'cross-site-navigation':
      return sameSite !== 'strict';
    case 'cross-site-post':
      return sameSite === 'none';
  }
};
