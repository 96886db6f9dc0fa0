/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol") for an API whose calls are authenticated by a token in the `Authorization` header:
 * any origin may call it, because every call must carry a token. Credentials (cookies) are never allowed.
 */

/** `any-origin` lets pages on any origin call the API with `fetch`; `off` leaves that to the app. */
export type Cors = 'any-origin' | 'off';

/** Tells a preflight, which a browser sends before the request itself, from another OPTIONS request. */
export const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('access-control-request-method');

/**
 * Answers a preflight, for every path alike: which paths and methods exist is told only to callers whom the guard lets through. `*` does
 * not cover `Authorization`, so headers are named.
 */
export const preflightResponse = (): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type',
      // In seconds: Chromium's maximum.
      'access-control-max-age': '7200',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });

/** A copy of the response that pages on any origin may read, with the headers that tell them how to get a token or when to try again. */
export const allowAnyOrigin = (response: Response): Response => {
  const readable = new Response(response.body, response);
  readable.headers.set('access-control-allow-origin', '*');
  readable.headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After');
  return readable;
};
