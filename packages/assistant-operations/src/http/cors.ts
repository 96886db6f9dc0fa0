/**
 * CORS (Fetch standard). Calls are authenticated by the `Authorization` header, which only a page that has a
 * token can send, so any origin is allowed.
 */

/** Returns whether a request is a CORS preflight, and not another OPTIONS request. */
export const isPreflight = (request: Request): boolean =>
  request.method === 'OPTIONS' && request.headers.has('access-control-request-method');

/**
 * Creates the response to a preflight, which must not depend on the request. The headers that pages can send
 * are listed by name, because `*` does not cover `Authorization`.
 */
export const createPreflightResponse = (allowed: {
  readonly methods: string;
  readonly headers: string;
}): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': allowed.methods,
      'access-control-allow-headers': allowed.headers,
      // In seconds: Chromium's maximum.
      'access-control-max-age': '7200',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });

/**
 * The headers that let pages on any origin read a response, including the headers that say how to get a token and
 * when to try again.
 */
export const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
} as const;

/** Adds `corsHeaders` to a response. */
export const allowAnyOrigin = (response: Response): Response => {
  for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
  return response;
};
