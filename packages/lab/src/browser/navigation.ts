/**
 * One top-level request of a browser: the headers that describe its origin, and the redirect that its
 * response causes.
 */
import { decodeEntities } from './forms.ts';

/** A top-level request, and the page that caused it. */
export interface Navigation {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  /** Absent if a person typed the URL. */
  readonly initiator?: URL;
}

export const isLoopback = (url: URL): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);

/** Ports do not separate sites (RFC 6265bis §5.2), but localhost and 127.0.0.1 are different sites. */
export const isSameSite = ({ url, initiator }: Navigation): boolean =>
  initiator === undefined || initiator.hostname === url.hostname;

/** Builds the headers that tell a server what caused the request (Fetch Metadata, RFC 6454 §7). */
export const buildFetchMetadataHeaders = (navigation: Navigation): Readonly<Record<string, string>> => {
  const { method, initiator } = navigation;
  return {
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-site': describeSiteRelation(navigation),
    ...(method === 'POST' && initiator !== undefined ? { origin: initiator.origin } : {}),
  };
};

/**
 * Finds the URL that a response redirects to: a `Location`, or a `Refresh` header or meta element with 0
 * seconds.
 */
export const findRedirectTarget = (url: URL, response: Response, html: string): URL | undefined => {
  const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
  if (location !== null) return new URL(location, url);
  const meta = /<meta\s+http-equiv="refresh"\s+content="([^"]*)"/i.exec(html)?.[1];
  const refresh = response.headers.get('refresh') ?? decodeEntities(meta ?? '');
  const target = /^\s*0\s*;\s*url=(.+)$/i.exec(refresh)?.[1];
  return target === undefined ? undefined : new URL(target, url);
};

const describeSiteRelation = (navigation: Navigation): string => {
  const { url, initiator } = navigation;
  if (initiator === undefined) return 'none';
  if (initiator.origin === url.origin) return 'same-origin';
  return isSameSite(navigation) ? 'same-site' : 'cross-site';
};
