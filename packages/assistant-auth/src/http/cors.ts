/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol"): which responses a page on another origin
 * can read, and the responses to preflights.
 */
import { corsHeaders, noContent } from './responses.ts';

/**
 * Whether pages on other origins can call an API. `any-origin` lets pages on any origin call it with `fetch`,
 * without cookies; `off` leaves CORS to the app that serves the API.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export type Cors = 'any-origin' | 'off';

/**
 * The request headers that pages can send. They are listed by name, because `*` does not cover
 * `Authorization`.
 */
const requestHeaders = {
  // MCP clients also send the protocol version with their discovery requests.
  endpoint: 'Authorization, Content-Type, Mcp-Protocol-Version',
  api: 'Authorization, Content-Type',
} as const;

/**
 * All methods that an API can use: `protect` does not know the API's routes, and callers without a token must
 * not learn which of them exist.
 */
const apiMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** How long a browser can cache the response to a preflight, in seconds: Chromium's maximum. */
const maxAge = 7200;

/** Returns whether a request is a CORS preflight, and not another OPTIONS request. */
export const isPreflight = (request: Request): boolean =>
  request.method === 'OPTIONS' && request.headers.has('access-control-request-method');

/** Returns the response to a preflight for an endpoint. Nothing in the request changes it. */
export const endpointPreflight = (methods: readonly string[]): Response =>
  preflight(methods, requestHeaders.endpoint);

/** Returns the response to a preflight for a protected API, at any of its paths. */
export const apiPreflight = (): Response => preflight(apiMethods, requestHeaders.api);

/**
 * Adds the headers that let pages on any origin read a response. Only what browser apps need has them: the
 * metadata, the token endpoint, the revocation endpoint and the API. These never authenticate a request by a
 * cookie, only by what the app puts into it, so the origin of the request does not matter. Pages, their
 * forms, callbacks, introspection, and the endpoints that providers call never have them.
 */
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
