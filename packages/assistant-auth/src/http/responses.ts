/**
 * Creates every response of the broker, with its security headers. No other file of the broker creates a
 * response.
 */

import type { Seconds } from '../oauth/identifiers.ts';
import type { ProtocolError } from '../oauth/protocol-error.ts';

/** The default for `Retry-After`, by status, for errors without a `retryAfter`. */
const defaultRetryAfter: ReadonlyMap<number, Seconds> = new Map([
  [429, 60],
  [503, 10],
]);

const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

const uncachedJson = { 'content-type': 'application/json', pragma: 'no-cache' } as const;

/**
 * The headers of a response that pages on any origin can read. `*` also excludes cookies: browsers reject it
 * for requests with credentials. `protect` adds them to its own responses; add them to the responses of your
 * API, as in `new Response(body, { headers: corsHeaders })`.
 */
export const corsHeaders = {
  /** Pages on any origin can read the response. */
  'access-control-allow-origin': '*',
  /** The headers that scripts can read: how to get a token (RFC 6750 §3), and when to try again. */
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
} as const;

// No `form-action`: Chromium also applies it to the redirects after a form post, so it would block the
// redirect to the provider. See docs/decisions/0005-sign-in-page-without-form-action.md.
const pageCsp =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'x-frame-options': 'DENY',
  // `no-referrer` would make the form send `Origin: null`.
  'referrer-policy': 'same-origin',
} as const;

/** Returns a page with a form whose response redirects to a provider or a client. */
export const formPageResponse = (html: string, cookies: readonly string[]): Response =>
  respond(200, html, { ...pageHeaders, 'content-security-policy': pageCsp }, cookies);

/** Returns a page whose forms, if any, are posted and redirected only within this origin. */
export const plainPageResponse = (html: string, cookies: readonly string[]): Response =>
  respond(
    200,
    html,
    { ...pageHeaders, 'content-security-policy': `${pageCsp}; form-action 'self'` },
    cookies,
  );

/** Returns JSON as a download. */
export const downloadResponse = (body: object, fileName: string): Response =>
  respond(200, `${JSON.stringify(body, null, 2)}\n`, {
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': `attachment; filename="${fileName}"`,
  });

/** Returns an error page, which has no form. */
export const errorPageResponse = (
  html: string,
  error: ProtocolError,
  cookies: readonly string[] = [],
): Response =>
  respond(
    error.status,
    html,
    {
      ...pageHeaders,
      ...buildRetryAfterHeader(error),
      'content-security-policy': `${pageCsp}; form-action 'none'`,
    },
    cookies,
  );

/**
 * Returns the page for a callback that does not sign anyone in. It has a link and no form.
 * @param status 400 if the callback is repeated, because the request is not valid a second time
 */
export const completedPageResponse = (html: string, status: 200 | 400): Response =>
  respond(status, html, { ...pageHeaders, 'content-security-policy': `${pageCsp}; form-action 'none'` });

/** Redirects with 303: the browser follows with GET, whatever the method of this request. */
export const seeOther = (location: string, cookies: readonly string[]): Response =>
  respond(303, null, { location, 'referrer-policy': 'no-referrer' }, cookies);

/** Returns the JSON of the token or revocation endpoint, which must not be cached (RFC 6749 §5.1). */
export const tokenJson = (body: object): Response => {
  const json = JSON.stringify(body);
  const response = new Response(json, { headers: tokenHeaders });
  // The `Response` of `@hono/node-server` keeps the object that it gets, so what an app adds to one response would
  // be sent with all others.
  return response.headers === tokenHeaders
    ? new Response(json, { headers: new Headers(tokenHeaders) })
    : response;
};

/** As `Headers`, from which a response is created faster than from a record. */
const tokenHeaders = new Headers({ ...commonHeaders, ...uncachedJson, ...corsHeaders });

/** Returns the JSON of the introspection endpoint, which pages on other origins can't read. */
export const introspectionJson = (body: object): Response => respond(200, JSON.stringify(body), uncachedJson);

/** Returns a 200 response without a body. */
export const emptyResponse = (): Response => respond(200, null);

/** Returns a 204 response, to a CORS preflight. */
export const noContent = (headers: Readonly<Record<string, string>>): Response => respond(204, null, headers);

/** Acknowledges a security event (RFC 8935 §2.2). */
export const acceptedResponse = (): Response => respond(202, null);

/** Rejects a security event (RFC 8935 §2.3). */
export const eventError = (error: ProtocolError): Response =>
  respond(error.status, JSON.stringify({ err: error.code, description: error.description }), {
    ...buildRetryAfterHeader(error),
    'content-type': 'application/json',
    'content-language': 'en',
  });

/** Rejects a logout token (OpenID Connect Back-Channel Logout 1.0 §2.8). */
export const logoutError = (error: ProtocolError): Response =>
  respond(error.status, JSON.stringify({ error: error.code, error_description: error.description }), {
    ...buildRetryAfterHeader(error),
    'content-type': 'application/json',
  });

/** Returns the registration of a client, which can contain a secret (RFC 7591 §3.2.1). */
export const registrationResponse = (registration: object): Response =>
  respond(201, JSON.stringify(registration), {
    ...uncachedJson,
    ...corsHeaders,
  });

/**
 * Returns an error of the token, revocation, introspection or registration endpoint (RFC 6749 §5.2, RFC 7591
 * §3.2.2). The challenge is sent with status 401.
 */
export const tokenError = (error: ProtocolError, status: number, challenge: string): Response =>
  respond(status, JSON.stringify({ error: error.code, error_description: error.description }), {
    ...buildRetryAfterHeader(error),
    ...(status === 401 ? { 'www-authenticate': challenge } : {}),
    ...uncachedJson,
  });

/**
 * Returns an error as a problem document (RFC 9457).
 * @param challenge the `WWW-Authenticate` header, sent with status 401 and 403 (RFC 6750 §3). Default: none,
 *   for public documents.
 */
export const problemResponse = (error: ProtocolError, challenge?: string): Response => {
  const body = {
    type: 'about:blank',
    title: getStatusText(error.status),
    status: error.status,
    detail: error.description,
  };
  return respond(error.status, JSON.stringify(body), {
    ...buildRetryAfterHeader(error),
    ...(challenge !== undefined && allowsChallenge(error) ? { 'www-authenticate': challenge } : {}),
    'content-type': 'application/problem+json',
  });
};

/**
 * Returns a public document that can be cached for an hour.
 * @param headers more headers. Default: none
 */
export const publicDocument = (
  body: string,
  contentType: string,
  headers?: Readonly<Record<string, string>>,
): Response =>
  respond(200, body, { 'cache-control': 'public, max-age=3600', 'content-type': contentType, ...headers });

/**
 * Returns an SVG that can be cached for an hour. A browser can also open it as a document, so its CSP allows
 * nothing.
 */
export const publicSvg = (svg: string): Response => {
  const response = publicDocument(svg, 'image/svg+xml');
  response.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  return response;
};

/** Returns the response to HEAD: the same one without its body. */
export const toHeadResponse = ({ status, headers }: Response): Response =>
  new Response(null, { status, headers });

/** Adds the `Allow` header. */
export const withAllowHeader = (methods: readonly string[], response: Response): Response => {
  response.headers.set('allow', methods.join(', '));
  return response;
};

const buildRetryAfterHeader = ({
  status,
  retryAfter = defaultRetryAfter.get(status),
}: ProtocolError): Record<string, string> =>
  retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };

const allowsChallenge = ({ status }: ProtocolError): boolean => status === 401 || status === 403;

/** Returns the status phrase, which RFC 9457 §4.2.1 recommends as the title for `about:blank`. */
const getStatusText = (status: number): string =>
  statusTexts.get(status) ?? (status < 500 ? 'Bad Request' : 'Internal Server Error');

const statusTexts: ReadonlyMap<number, string> = new Map([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [421, 'Misdirected Request'],
  [429, 'Too Many Requests'],
  [503, 'Service Unavailable'],
]);

const respond = (
  status: number,
  body: string | null,
  headers: Readonly<Record<string, string>> = {},
  cookies: readonly string[] = [],
): Response => {
  const response = new Response(body, {
    status,
    headers: { ...commonHeaders, ...headers },
  });
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
};
