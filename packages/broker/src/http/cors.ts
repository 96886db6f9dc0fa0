/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol"): what a page of another origin may read, and how its preflights are
 * answered.
 *
 * Every origin may read what browser apps call with `fetch`: the metadata, the token endpoint, the revocation endpoint and the API. These
 * authenticate a request by what the app puts into it and never by a cookie, so it does not matter which origin it comes from.
 * Credentials (cookies) are never allowed. No other endpoint allows any origin: pages, their forms, callbacks, introspection, and what
 * providers call.
 */
import { noContent } from './respond.ts';

/** `any-origin` lets pages on any origin call the API with `fetch`; `off` leaves that to the publisher. */
export type Cors = 'any-origin' | 'off';

/** The headers of a response that pages on any origin may read. `*` also excludes cookies: browsers refuse it with credentials. */
export const corsHeaders = {
  'access-control-allow-origin': '*',
  // Hidden from scripts otherwise: how to get a token (RFC 6750 §3), and when to try again.
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
} as const;

/** What may be sent: named one by one, because `*` does not cover `Authorization`. */
const requestHeaders = {
  // MCP clients send the version with their discovery requests, too.
  endpoint: 'Authorization, Content-Type, Mcp-Protocol-Version',
  api: 'Authorization, Content-Type',
} as const;

/** The guard knows the token and not the routes, and must not tell strangers which of them exist. */
const apiMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** How long a browser may remember the answer to a preflight, in seconds: Chromium's maximum. */
const maxAge = 7200;

/** Tells a preflight, which a browser sends before the request itself, from another OPTIONS request. */
export const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('access-control-request-method');

/** Answers a preflight of an endpoint. Nothing else of the request is read. */
export const endpointPreflight = (methods: readonly string[]): Response =>
  preflight(methods, requestHeaders.endpoint);

/** Answers a preflight of a guarded API, at any path of it. */
export const apiPreflight = (): Response => preflight(apiMethods, requestHeaders.api);

/** The same response, readable for pages on any origin. */
export const allowAnyOrigin = (response: Response): Response => {
  for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
  return response;
};

const preflight = (methods: readonly string[], headers: string): Response =>
  noContent({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': headers,
    'access-control-max-age': String(maxAge),
  });
