/** Every response of the broker is made here, so that its headers are right everywhere or nowhere. */
import type { ProtocolError } from '../oauth/errors.ts';
import type { Seconds } from '../oauth/identifiers.ts';

/** The default for `Retry-After` by status, for refusals without a `retryAfter` of their own. */
const defaultRetryAfter: ReadonlyMap<number, Seconds> = new Map([
  [429, 60],
  [503, 10],
]);

const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

// No form-action: Chromium holds it against every redirect that follows a form, and would stop people on their way to the
// provider. docs/decisions tells why the alternatives are worse.
const pageCsp =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const pageHeaders = {
  ...commonHeaders,
  'content-type': 'text/html; charset=utf-8',
  'x-frame-options': 'DENY',
  // `no-referrer` would make the form send `Origin: null`.
  'referrer-policy': 'same-origin',
} as const;

/** A page whose form leads on to a provider or back to a client. */
export const formPageResponse = (html: string, cookies: readonly string[]): Response =>
  respond(200, html, { ...pageHeaders, 'content-security-policy': pageCsp }, cookies);

/** A page whose forms, if it has any, stay here. */
export const plainPageResponse = (html: string, cookies: readonly string[]): Response =>
  respond(
    200,
    html,
    { ...pageHeaders, 'content-security-policy': `${pageCsp}; form-action 'self'` },
    cookies,
  );

/** A file for the person, which no browser shows as a page. */
export const downloadResponse = (body: object, fileName: string): Response =>
  respond(200, `${JSON.stringify(body, null, 2)}\n`, {
    ...commonHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': `attachment; filename="${fileName}"`,
  });

/** A page that says what went wrong, and leads nowhere. */
export const errorPageResponse = (html: string, error: ProtocolError): Response =>
  respond(error.status, html, {
    ...pageHeaders,
    ...buildRetryAfterHeader(error),
    'content-security-policy': `${pageCsp}; form-action 'none'`,
  });

/** A page about a request that was handled before, with nothing but a link. */
export const completedPageResponse = (html: string): Response =>
  respond(400, html, { ...pageHeaders, 'content-security-policy': `${pageCsp}; form-action 'none'` });

/** Sends the browser on with GET, whatever brought it here. */
export const seeOther = (location: string, cookies: readonly string[]): Response =>
  respond(303, null, { ...commonHeaders, location, 'referrer-policy': 'no-referrer' }, cookies);

/** The token endpoint's JSON (RFC 6749 §5.1), which caches must not keep. */
export const tokenJson = (body: object): Response =>
  respond(200, JSON.stringify(body), {
    ...commonHeaders,
    'content-type': 'application/json',
    pragma: 'no-cache',
  });

/** What was asked for is done, and there is nothing to say. */
export const emptyResponse = (): Response => respond(200, null, commonHeaders);

/** A response without a body, to a CORS preflight. */
export const noContent = (headers: Readonly<Record<string, string>>): Response =>
  respond(204, null, { ...commonHeaders, ...headers });

/** A security event was taken (RFC 8935 §2.2). */
export const acceptedResponse = (): Response => respond(202, null, commonHeaders);

/** A security event was not taken (RFC 8935 §2.3). */
export const eventError = (error: ProtocolError): Response =>
  respond(error.status, JSON.stringify({ err: error.code, description: error.description }), {
    ...commonHeaders,
    ...buildRetryAfterHeader(error),
    'content-type': 'application/json',
    'content-language': 'en',
  });

/** A logout token was not taken (OpenID Connect Back-Channel Logout 1.0 §2.8). */
export const logoutError = (error: ProtocolError): Response =>
  respond(error.status, JSON.stringify({ error: error.code, error_description: error.description }), {
    ...commonHeaders,
    ...buildRetryAfterHeader(error),
    'content-type': 'application/json',
  });

/** The token endpoint's error (RFC 6749 §5.2). */
export const tokenError = (error: ProtocolError, status: number, challenge: string): Response =>
  respond(status, JSON.stringify({ error: error.code, error_description: error.description }), {
    ...commonHeaders,
    ...buildRetryAfterHeader(error),
    ...(status === 401 ? { 'www-authenticate': challenge } : {}),
    'content-type': 'application/json',
    pragma: 'no-cache',
  });

/**
 * An error in JSON beside the token endpoint's: a problem document (RFC 9457).
 * @param challenge sent where a token is at fault (RFC 6750 §3); an open document has none
 */
export const problemResponse = (error: ProtocolError, challenge?: string): Response => {
  const body = {
    type: 'about:blank',
    title: getStatusText(error.status),
    status: error.status,
    detail: error.description,
  };
  return respond(error.status, JSON.stringify(body), {
    ...commonHeaders,
    ...buildRetryAfterHeader(error),
    ...(challenge !== undefined && isTokenError(error) ? { 'www-authenticate': challenge } : {}),
    'content-type': 'application/problem+json',
  });
};

/** A public document that may be cached for an hour. */
export const publicDocument = (body: string, contentType: string): Response =>
  respond(200, body, {
    'cache-control': 'public, max-age=3600',
    'x-content-type-options': 'nosniff',
    'content-type': contentType,
  });

/** An SVG that may be cached for an hour. Opened by itself it is a document, which may do nothing at all. */
export const publicSvg = (svg: string): Response => {
  const response = publicDocument(svg, 'image/svg+xml');
  response.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  return response;
};

/** The same response to HEAD, without its body. */
export const toHeadResponse = ({ status, headers }: Response): Response =>
  new Response(null, { status, headers });

/** The same response, telling which methods would have been answered. */
export const withAllowHeader = (methods: readonly string[], response: Response): Response => {
  response.headers.set('allow', methods.join(', '));
  return response;
};

const buildRetryAfterHeader = ({
  status,
  retryAfter = defaultRetryAfter.get(status),
}: ProtocolError): Record<string, string> =>
  retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };

const isTokenError = ({ status }: ProtocolError): boolean => status === 401 || status === 403;

/** The status's own phrase, as RFC 9457 §4.2.1 wants it for `about:blank`. */
const getStatusText = (status: number): string => {
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 405:
      return 'Method Not Allowed';
    case 421:
      return 'Misdirected Request';
    case 429:
      return 'Too Many Requests';
    case 503:
      return 'Service Unavailable';
    default:
      return status < 500 ? 'Bad Request' : 'Internal Server Error';
  }
};

const respond = (
  status: number,
  body: string | null,
  headers: Record<string, string>,
  cookies: readonly string[] = [],
): Response => {
  const response = new Response(body, { status, headers });
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
};
