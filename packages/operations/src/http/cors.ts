/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol") for an API that authenticates every call by a token in the
 * `Authorization` header, so that any origin can call it. Credentials (cookies) are never allowed.
 */

/** `any-origin` lets pages on any origin call the API with `fetch`; `off` leaves CORS to the app. */
export type Cors = 'any-origin' | 'off';

/** Tells whether a request is a CORS preflight, and not another OPTIONS request. */
export const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('access-control-request-method');

/**
 * Answers a preflight in the same way for every path, because only callers that the guard accepts may learn which paths and methods
 * exist. The headers are listed by name, because `*` does not cover `Authorization`.
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

/** Copies the response so that pages on any origin can read it, including the headers that say how to get a token and when to try again. */
export const allowAnyOrigin = (response: Response): Response => {
  const readable = new Response(response.body, response);
  readable.headers.set('access-control-allow-origin', '*');
  readable.headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After');
  return readable;
};
