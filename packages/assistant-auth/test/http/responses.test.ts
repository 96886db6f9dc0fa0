import { describe, expect, test } from 'vitest';
import {
  errorPageResponse,
  formPageResponse,
  problemResponse,
  publicDocument,
  seeOther,
  tokenError,
  tokenJson,
  withAllowHeader,
} from '../../src/http/responses.ts';
import {
  apiError,
  authorizationError,
  requestError,
  tokenEndpointError,
} from '../../src/oauth/protocol-error.ts';

/** All headers but the cookies, which are several of one name. */
const headersOf = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));

const pageHeaders = {
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

describe('pages', () => {
  test('a page with a form may lead on, but nowhere load from', async () => {
    const response = formPageResponse('<p>', ['a=1', 'b=2']);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('<p>');
    expect(headersOf(response)).toEqual({ ...pageHeaders, 'content-security-policy': policy });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test('an error page leads nowhere', async () => {
    const response = errorPageResponse('<p>', authorizationError('client.unknown'));
    expect(response.status).toBe(400);
    expect(await response.text()).toBe('<p>');
    expect(headersOf(response)).toEqual({
      ...pageHeaders,
      'content-security-policy': `${policy}; form-action 'none'`,
    });
  });

  test('an error page says when to come back while something is out of order', () => {
    const response = errorPageResponse('<p>', requestError('storage.unavailable'));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
  });
});

test('a redirect is a GET, is not cached, and tells the next host nothing of where it came from', async () => {
  const response = seeOther('https://app.example/cb?code=1', ['a=1', 'b=2']);
  expect(response.status).toBe(303);
  expect(await response.text()).toBe('');
  expect(headersOf(response)).toEqual({
    'cache-control': 'no-store',
    location: 'https://app.example/cb?code=1',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

describe('the token endpoint’s answers', () => {
  const jsonHeaders = {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    pragma: 'no-cache',
    'x-content-type-options': 'nosniff',
  };

  test('tokens are JSON that no cache keeps', async () => {
    const response = tokenJson({ access_token: 'a' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ access_token: 'a' });
    expect(headersOf(response)).toEqual(jsonHeaders);
  });

  test.each([
    [400, {}],
    [401, { 'www-authenticate': 'Basic realm="x"' }],
  ])('an error with %i carries what belongs to that status', async (status, more) => {
    const response = tokenError(tokenEndpointError('refresh.inactive'), status, 'Basic realm="x"');
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: 'invalid_grant',
      error_description: 'The refresh token is not valid.',
    });
    expect(headersOf(response)).toEqual({ ...jsonHeaders, ...more });
  });

  test('an outage says when to ask again', () => {
    const response = tokenError(requestError('storage.unavailable'), 503, 'Basic');
    expect(headersOf(response)).toEqual({ ...jsonHeaders, 'retry-after': '10' });
  });
});

describe('problem documents', () => {
  test.each([
    [apiError('token.expired'), 401, 'Unauthorized', { 'www-authenticate': 'Bearer' }],
    [apiError('token.scope'), 403, 'Forbidden', { 'www-authenticate': 'Bearer' }],
    [requestError('request.method'), 405, 'Method Not Allowed', {}],
    [requestError('request.host'), 421, 'Misdirected Request', {}],
    [requestError('unexpected'), 500, 'Internal Server Error', {}],
    [requestError('storage.unavailable'), 503, 'Service Unavailable', { 'retry-after': '10' }],
  ] as const)('$0 is a $1', async (rejection, status, title, more) => {
    const response = problemResponse(rejection, 'Bearer');
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title,
      status,
      detail: rejection.description,
    });
    expect(headersOf(response)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
      ...more,
    });
  });
});

test('an open document’s problem asks for no token', () => {
  expect(problemResponse(apiError('token.missing')).headers.has('www-authenticate')).toBe(false);
});

test('a public document may be cached for an hour', async () => {
  const response = publicDocument('{}', 'application/json');
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('{}');
  expect(headersOf(response)).toEqual({
    'cache-control': 'public, max-age=3600',
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
  });
});

test('a refused method learns which ones are answered', () => {
  const response = withAllowHeader(
    ['GET', 'POST'],
    problemResponse(requestError('request.method'), 'Bearer'),
  );
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, POST');
});
