/** Requests to a provider: options, HTTP, token responses, and errors. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { type ClientConfig, resolveBaseUrl, validate } from '../../src/providers/config.ts';
import { fetchFromProvider } from '../../src/providers/http.ts';
import { createIdentity } from '../../src/providers/identity.ts';
import {
  createTokenEndpointError,
  readTokenResponse,
  requireBearerToken,
  selectOfflineToken,
  withProviderError,
} from '../../src/providers/oauth-client.ts';
import { clientRules, isAllowedUrl } from '../../src/providers/option-rules.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import {
  callback,
  captureProviderError,
  createFakeIssuer,
  createOidcProvider,
  type Endpoint,
  endpoints,
  upstreamRequest,
} from './fake-issuer.ts';
import { createFakeServer, createOAuth2Provider } from './fake-oauth-server.ts';
import type { Claims } from './signing.ts';

describe('options', () => {
  const validOptions: ClientConfig = {
    id: 'acme',
    displayName: 'Acme',
    clientId: 'id',
    clientSecret: 'secret',
    scopes: [],
    authorizationParameters: {},
    reauthentication: {},
    accountSelection: {},
    revokedErrors: ['invalid_grant'],
    singleUseRefreshTokens: true,
    recheckInterval: 600,
    offlineAccess: 'by-scope',
    pkce: true,
  };

  const validateOptions = (changes: Readonly<Record<string, unknown>>) =>
    validate({ ...validOptions, ...changes }, clientRules);

  describe('a fake provider', () => {
    const vendorUrl = 'https://vendor.example';

    it('replaces the vendor only on loopback', () => {
      expect(resolveBaseUrl('acme', vendorUrl, undefined)).toBe(vendorUrl);
      for (const origin of ['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'])
        expect(resolveBaseUrl('acme', vendorUrl, origin)).toBe(origin);
    });

    it.each([
      ...['https://evil.example', 'http://evil.example', 'https://127.0.0.1:4001', 'x', ''],
      ...['http://127.0.0.1:4001/', 'http://127.0.0.1.evil.example', 'http://127.0.0.1:4001@evil.example'],
    ])('is refused at %j', (baseUrl) => {
      expect(() => resolveBaseUrl('acme', vendorUrl, baseUrl)).toThrow(
        new ConfigurationError('providers.acme.baseUrl', 'must be an http origin on loopback.'),
      );
    });
  });

  describe('client options', () => {
    it('are returned unchanged', () => {
      expect(validateOptions({})).toEqual(validOptions);
    });

    it('can have a secret that is created for each request', () => {
      expect(() => validateOptions({ clientSecret: async () => 'fresh' })).not.toThrow();
    });

    it.each([
      ['id', 'Acme'],
      ['id', undefined],
      ['displayName', '\t'],
      ['icon', '<svg/>'],
      ['clientId', undefined],
      ['clientSecret', undefined],
      ['clientSecret', 7],
      ['scopes', ['a"b']],
      ['scopes', ['a\\b']],
      ['authorizationParameters', { response_mode: 'fragment' }],
      ['reauthentication', { nonce: 'n' }],
      ['accountSelection', { request_uri: 'urn:x' }],
      ['revokedErrors', ['quote"']],
      ['revokedErrors', ['']],
      ['recheckInterval', 59],
      ['recheckInterval', 86_401],
      ['recheckInterval', 60.5],
      ['offlineAccess', undefined],
      ['offlineAccess', 'sometimes'],
    ])('fail at startup for %s = %j', (option, value) => {
      const id = option === 'id' ? value : 'acme';
      expect(() => validateOptions({ [option]: value })).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: `providers.${id}.${option}` }),
      );
    });

    it('fail with the name of the first invalid option, without its value', () => {
      const wrong = () => validateOptions({ clientId: '', clientSecret: 'a secret' });
      expect(wrong).toThrow(
        new ConfigurationError(
          'providers.acme.clientId',
          'must be printable ASCII without spaces, and not empty.',
        ),
      );
      expect(() => validateOptions({ clientSecret: 'hunter 2' })).toThrow(/^(?!.*hunter)/);
    });
  });

  describe('a URL', () => {
    it.each([
      'https://id.example',
      'https://id.example/x?y=z',
      'http://127.0.0.1:1',
      'http://[::1]:1',
      'http://localhost',
    ])('can be %s', (text) => {
      expect(isAllowedUrl(text)).toBe(true);
    });

    it.each([
      '',
      'id.example',
      'http://id.example',
      'http://127.0.0.1.id.example',
      'http://localhost.example',
      'ftp://id.example',
      'javascript:alert(1)',
      'https://user@id.example',
      'https://:password@id.example',
      'https://id.example#x',
      ' https://id.example',
      'https://id.exam\tple',
    ])('can’t be %j', (text) => {
      expect(isAllowedUrl(text)).toBe(false);
    });
  });
});

describe('HTTP', () => {
  type Respond = () => Response | Promise<Response>;

  const limit = 262_144;
  const createTimeoutError = () =>
    new DOMException('The operation was aborted due to timeout', 'TimeoutError');

  /** A body that sends some bytes and then fails. */
  const createBrokenBody = (error: Error) =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"issuer":')),
      pull: (controller) => controller.error(error),
    });

  /** A network error of Node or Bun. */
  const createCodedError = (code: string) => Object.assign(new Error('their-network'), { code });

  /** A response that says nothing about the request, whatever its body contains. */
  const createRateLimited = (status: number, headers: Readonly<Record<string, string>>) =>
    Response.json({ error: 'invalid_grant', message: 'their-message' }, { status, headers });

  const unavailable = 'unavailable';
  const outages: readonly (readonly [name: string, respond: Respond, reason: string])[] = [
    ['B13.1 500', () => new Response('their-page', { status: 500 }), 'responded with status 500'],
    ['B13.1 503', () => new Response(null, { status: 503 }), 'responded with status 503'],
    ['B13.2 429', () => Response.json({ error: 'slow_down' }, { status: 429 }), 'responded with status 429'],
    [
      'B24.1 429 with rate-limit headers',
      () => createRateLimited(429, { 'retry-after': '60', 'x-ratelimit-remaining': '0' }),
      'responded with status 429',
    ],
    [
      'B24.1 403 of a primary rate limit',
      () => createRateLimited(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1800000060' }),
      'responded with status 403',
    ],
    [
      'B24.1 403 of a secondary rate limit',
      () => createRateLimited(403, { 'retry-after': '60', 'x-ratelimit-remaining': '4999' }),
      'responded with status 403',
    ],
    [
      'B24.1 403 with a date to retry after',
      () => createRateLimited(403, { 'Retry-After': 'Fri, 15 Jan 2027 08:01:00 GMT' }),
      'responded with status 403',
    ],
    ['B13.3 no response in time', () => Promise.reject(createTimeoutError()), 'took too long'],
    [
      'B13.3 a body that does not end in time',
      () => new Response(createBrokenBody(createTimeoutError())),
      'took too long',
    ],
    ['no connection', () => Promise.reject(new TypeError('their-network')), 'could not be reached'],
    [
      'no connection, with the error of Node',
      () => Promise.reject(new TypeError('their-network', { cause: createCodedError('ECONNREFUSED') })),
      'could not be reached: ECONNREFUSED',
    ],
    [
      'no connection, with the error of Bun',
      () => Promise.reject(createCodedError('ConnectionRefused')),
      'could not be reached: ConnectionRefused',
    ],
    [
      'no connection, with a code that is not text',
      () => Promise.reject(new DOMException('their-network', 'NetworkError')),
      'could not be reached',
    ],
    [
      'a broken connection',
      () => new Response(createBrokenBody(new Error('their-network'))),
      'could not be reached',
    ],
  ];

  const forEveryEndpoint = <Row extends readonly unknown[]>(rows: readonly Row[]) =>
    endpoints.flatMap((endpoint) => rows.map((row) => [endpoint, ...row] as const));

  /** Makes one endpoint fail, then checks that the next sign-in succeeds: no failure is cached. */
  const failOnce = async (endpoint: Endpoint, respond: Respond) => {
    const issuer = createFakeIssuer();
    const provider = createOidcProvider(issuer);
    issuer.override({ endpointOverrides: { [endpoint]: respond } });
    const error = await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io));
    const requestedEndpoints = issuer.takeRequestedEndpoints();
    issuer.override({});
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
      subject: 'person-1',
    });
    return { error, requestedEndpoints };
  };

  describe('the provider', () => {
    it.each(forEveryEndpoint(outages))(
      '%s: %s makes it unavailable',
      async (endpoint, _, respond, reason) => {
        const { error, requestedEndpoints } = await failOnce(endpoint, respond);
        expect(error).toEqual({ kind: unavailable, reason: `id.example ${reason}` });
        expect(requestedEndpoints).toEqual(endpoints.slice(0, endpoints.indexOf(endpoint) + 1));
      },
    );

    it.each(
      forEveryEndpoint([
        [403, {}],
        [403, { 'x-ratelimit-remaining': '1' }],
        [403, { 'x-ratelimit-remaining': '' }],
        [403, { 'x-ratelimit-limit': '0' }],
        [401, { 'retry-after': '60', 'x-ratelimit-remaining': '0' }],
        [400, { 'x-ratelimit-remaining': '0' }],
      ]),
    )('%s: B24.2 is not unavailable if it responds with %i and %j', async (endpoint, status, headers) => {
      const { error } = await failOnce(endpoint, () => createRateLimited(status, headers));
      expect(error).toMatchObject({ kind: 'invalid' });
    });

    it.each(forEveryEndpoint([[301], [302], [303], [307], [308]]))(
      '%s: a redirect with %i is not followed',
      async (endpoint, status) => {
        const headers = { location: 'https://evil.example/' };
        const { error, requestedEndpoints } = await failOnce(
          endpoint,
          () => new Response(null, { status, headers }),
        );
        expect(error).toEqual({ kind: 'invalid', reason: `id.example responded with status ${status}` });
        expect(requestedEndpoints).not.toContain('unknown');
      },
    );

    it.each([
      ['discovery', 'id.example responded with status 200, without metadata'],
      ['token', 'the response of the token endpoint is not JSON'],
      ['keys', 'the signing keys could not be read'],
    ] as const)('%s: refuses HTML instead of JSON', async (endpoint, reason) => {
      const headers = { 'content-type': 'text/html' };
      const { error } = await failOnce(endpoint, () => new Response('<p>their-page</p>', { headers }));
      expect(error).toEqual({ kind: 'invalid', reason });
    });

    it.each([
      ['discovery', 'id.example responded with status 404, without metadata'],
      ['token', 'the response of the token endpoint is not JSON'],
      ['keys', 'the signing keys could not be read'],
    ] as const)('%s: refuses a 404', async (endpoint, reason) => {
      const { error } = await failOnce(endpoint, () => new Response('their-page', { status: 404 }));
      expect(error).toEqual({ kind: 'invalid', reason });
    });

    it.each([
      ['discovery', 'id.example responded with status 404, without metadata'],
      ['token', 'the token endpoint responded with status 404'],
      ['keys', 'the signing keys could not be read'],
    ] as const)('%s: refuses a 404 with JSON', async (endpoint, reason) => {
      const { error } = await failOnce(endpoint, () => Response.json({}, { status: 404 }));
      expect(error).toEqual({ kind: 'invalid', reason });
    });

    it.each([
      ['discovery', 'id.example responded with status 401, without metadata'],
      ['token', 'the token endpoint rejected the client credentials'],
      ['keys', 'the signing keys could not be read'],
    ] as const)('%s: does not parse a challenge', async (endpoint, reason) => {
      const headers = { 'www-authenticate': 'a '.repeat(100_000) };
      const { error } = await failOnce(endpoint, () => Response.json({}, { status: 401, headers }));
      expect(error).toEqual({ kind: 'invalid', reason });
    });

    it.each(endpoints)('%s: refuses and aborts an endless response', async (endpoint) => {
      let sentBytes = 0;
      let isCanceled = false;
      const chunk = new Uint8Array(65_536).fill(0x20);
      const createEndlessBody = () =>
        new ReadableStream({
          pull(controller) {
            sentBytes += chunk.length;
            controller.enqueue(chunk);
          },
          cancel() {
            isCanceled = true;
          },
        });
      const { error } = await failOnce(endpoint, () => new Response(createEndlessBody()));
      expect(error).toEqual({ kind: 'invalid', reason: `id.example sent more than ${limit} bytes` });
      expect(isCanceled).toBe(true);
      expect(sentBytes).toBeLessThan(limit + 4 * chunk.length);
    });
  });

  describe('a response', () => {
    it.each(forEveryEndpoint([[201], [202], [204], [206]]))(
      '%s: with another success status (%i) is refused',
      async (endpoint, status) => {
        const { error } = await failOnce(endpoint, () => new Response(null, { status }));
        expect(error).toEqual({ kind: 'invalid', reason: `id.example responded with status ${status}` });
      },
    );

    it('with a key set is refused if its status is 404', async () => {
      const respondNotFound = () => Response.json({ keys: [] }, { status: 404 });
      const { error } = await failOnce('keys', respondNotFound);
      expect(error).toEqual({ kind: 'invalid', reason: 'the signing keys could not be read' });
    });
  });

  describe('a request', () => {
    const sendRequest = (respond: Respond) =>
      fetchFromProvider(
        'https://id.example/x',
        {},
        { fetch: async () => respond(), now: () => 0, allowLoopbackHttp: false, timeoutMs: 10_000 },
      );

    it(`accepts a response of ${limit} bytes and refuses one more`, async () => {
      const quoted = (length: number) => `"${'x'.repeat(length - 2)}"`;
      const response = await sendRequest(() => new Response(quoted(limit)));
      expect(await response.json()).toHaveLength(limit - 2);
      expect(await captureProviderError(sendRequest(() => new Response(quoted(limit + 1))))).toEqual({
        kind: 'invalid',
        reason: `id.example sent more than ${limit} bytes`,
      });
    });

    it('returns a 4xx with its body, so that its error can be read', async () => {
      const response = await sendRequest(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await response.json()).toEqual({ error: 'invalid_grant' });
    });

    it('calls fetch as a plain function, as Workers requires', async () => {
      let receiver: unknown = 'not called';
      const io = {
        fetch: async function (this: unknown) {
          receiver = this;
          return new Response('{}');
        },
        now: () => 0,
        allowLoopbackHttp: false,
        timeoutMs: 10_000,
      };
      await fetchFromProvider('https://id.example/x', {}, io);
      expect(receiver).toBeUndefined();
    });
  });
});

describe('token responses (RFC 6749 §5.1)', () => {
  const invalid = (reason: string) => ({ kind: 'invalid', reason });

  const signInAtIssuer = async (tokens: Claims) => {
    const issuer = createFakeIssuer();
    issuer.override({ tokens });
    return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
  };

  const signInAtServer = async (tokens: Claims) => {
    const server = createFakeServer();
    server.overrideTokens(tokens);
    return createOAuth2Provider({ offlineAccess: 'always' }).handleCallback(
      callback(),
      upstreamRequest,
      server.io,
    );
  };

  /** Rechecks with both kinds of provider, with `tokens` in the response. */
  const recheck = async (tokens: Claims) => {
    const issuer = createFakeIssuer();
    issuer.override({ tokens: { id_token: undefined, refresh_token: undefined, ...tokens } });
    const server = createFakeServer();
    server.overrideTokens(tokens);
    return [
      await createOidcProvider(issuer).validateRefreshToken('their-refresh-token', issuer.io),
      await createOAuth2Provider().validateRefreshToken('their-refresh-token', server.io),
    ];
  };

  const unused: readonly (readonly [name: string, tokens: Claims])[] = [
    ['a scope that is a list', { scope: ['openid', 'offline_access'] }],
    ['a scope that is an object', { scope: { openid: true } }],
    ['a scope that is null', { scope: null }],
    ['an expires_in that is null', { expires_in: null }],
    ['an expires_in that is text', { expires_in: 'soon' }],
    ['an expires_in that is negative', { expires_in: -1 }],
    ['an expires_in that is zero', { expires_in: 0 }],
    ['an expires_in that is a list', { expires_in: [3600] }],
    ['no token_type', { token_type: undefined }],
    ['a token_type that is null', { token_type: null }],
    ['an empty token_type', { token_type: '' }],
    ['a token_type in capitals', { token_type: 'BEARER' }],
    ['authorization_details that are text', { authorization_details: 'none' }],
    ['unrecognized members', { not_before_policy: 0, session_state: null, userName: ['Ada'] }],
    ['an error that is null', { error: null }],
    ['an empty error', { error: '', error_description: '' }],
    ['an error that is false', { error: false }],
  ];

  describe('a token response with', () => {
    it.each(unused)('%s signs the user in', async (_, tokens) => {
      expect(await signInAtIssuer(tokens)).toMatchObject({ subject: 'person-1', email: 'ada@example.com' });
      expect(await signInAtServer(tokens)).toMatchObject({ subject: 'person-1', label: 'Ada' });
    });

    it.each(unused)('%s passes a recheck', async (_, tokens) => {
      expect(await recheck(tokens)).toEqual([{ kind: 'active' }, { kind: 'active' }]);
    });

    it.each([
      ['null', null],
      ['a number', 7],
      ['empty', ''],
      ['a list', ['their-refresh-token']],
    ])('a refresh token that is %s counts as one without', async (_, refresh_token) => {
      expect(await signInAtIssuer({ refresh_token })).not.toHaveProperty('refreshToken');
      expect(await signInAtServer({ refresh_token })).not.toHaveProperty('refreshToken');
      expect(await recheck({ refresh_token })).toEqual([{ kind: 'active' }, { kind: 'active' }]);
    });

    it.each([
      ['no access token', { access_token: undefined }],
      ['an access token that is null', { access_token: null }],
      ['an empty access token', { access_token: '' }],
      ['an access token that is a number', { access_token: 7 }],
      ['an access token of another type', { token_type: 'mac' }],
      ['a token type that is a list', { token_type: ['Bearer'] }],
    ])('%s signs the user in if the ID token has all claims', async (_, tokens) => {
      expect(await signInAtIssuer(tokens)).toMatchObject({ subject: 'person-1', email: 'ada@example.com' });
    });

    const noToken = 'the token response has no access token';
    const otherType = 'the access token is not a Bearer token';
    it.each([
      ['no access token', { access_token: undefined }, noToken],
      ['an access token that is null', { access_token: null }, noToken],
      ['an empty access token', { access_token: '' }, noToken],
      ['an access token that is a list', { access_token: ['their-access-token'] }, noToken],
      ['an access token of another type', { token_type: 'mac' }, otherType],
      ['a token that is bound to a key', { token_type: 'DPoP' }, otherType],
      ['a token type that is a number', { token_type: 7 }, otherType],
      ['a token type that is a list', { token_type: ['Bearer'] }, otherType],
    ])('%s is refused if the access token is needed for the profile', async (_, tokens, reason) => {
      expect(await captureProviderError(signInAtServer(tokens))).toEqual(invalid(reason));
    });

    it.each([
      ['that is garbage', 'garbage'],
      ['that is a number', 7],
      ['of another user', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJwZXJzb24tMiJ9.'],
    ])('an ID token %s is ignored if no ID token is used', async (_, id_token) => {
      expect(await signInAtServer({ id_token })).toMatchObject({ subject: 'person-1' });
    });

    it.each([
      ['an ID token alone', { access_token: null, id_token: 'garbage' }, {}],
      [
        'a refresh token alone',
        { access_token: null, refresh_token: 'their-next' },
        { refreshToken: 'their-next' },
      ],
    ])('%s passes a recheck', async (_, tokens, rotated) => {
      const active = { kind: 'active', ...rotated };
      expect(await recheck(tokens)).toEqual([active, active]);
    });

    it('no token is inconclusive', async () => {
      const inconclusive = { kind: 'unknown', reason: 'the response has no token' };
      const tokens = { access_token: null, refresh_token: 7, id_token: '', expires_in: 3600 };
      expect(await recheck(tokens)).toEqual([inconclusive, inconclusive]);
    });
  });

  describe('members that are used are validated:', () => {
    const noIdToken = 'the token response has no ID token';

    it.each([
      ['B19.1 no ID token', undefined],
      ['B19.1 an ID token that is null', null],
      ['B19.1 an empty ID token', ''],
      ['B19.1 an ID token that is an object', { sub: 'person-1' }],
      ['B19.1 two ID tokens in a list', ['garbage', 'garbage']],
    ])('%s is refused', async (_, id_token) => {
      expect(await captureProviderError(signInAtIssuer({ id_token }))).toEqual(invalid(noIdToken));
    });

    it('B19.1 of two id_token members, the one that is verified is the one that is read', async () => {
      const issuer = createFakeIssuer();
      const genuine = await idTokenOf(issuer);
      const forged = genuine.replace(/[^.]*$/, 'AAAA');
      const signInWithTokens = (first: string, second: string) => {
        const body = `{"access_token":"x","token_type":"Bearer","id_token":"${first}","id_token":"${second}"}`;
        issuer.override({ endpointOverrides: { token: () => new Response(body) } });
        return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
      };
      expect(await signInWithTokens(forged, genuine)).toMatchObject({ subject: 'person-1' });
      expect(await captureProviderError(signInWithTokens(genuine, forged))).toMatchObject({
        kind: 'invalid',
      });
    });

    it.each([
      ['B19.1 an error beside the tokens', 'invalid_grant', 'invalid_grant'],
      ['B19.1 an unregistered error code beside the tokens', 'their-error', 'an unregistered error code'],
      ['B19.1 an error that is a list', ['their-error'], 'an unregistered error code'],
      ['B19.1 an error that is an object', { code: 'their-error' }, 'an unregistered error code'],
      ['B19.1 an error that is true', true, 'an unregistered error code'],
    ])('%s is refused', async (_, error, description) => {
      const expected = invalid(`the token endpoint responded with ${description}`);
      expect(await captureProviderError(signInAtIssuer({ error }))).toEqual(expected);
      expect(await captureProviderError(signInAtServer({ error }))).toEqual(expected);
    });

    it.each([
      ['a list', '[]'],
      ['null', 'null'],
      ['a string', '"their-token"'],
      ['a truncated object', '{"access_token":'],
    ])('a body that is %s is refused', async (_, body) => {
      const issuer = createFakeIssuer();
      issuer.override({ endpointOverrides: { token: () => new Response(body) } });
      expect(
        await captureProviderError(
          createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
        ),
      ).toMatchObject({
        kind: 'invalid',
      });
    });
  });

  /** A token response whose members can have any type. */
  const anyMembers = fc.record(
    {
      error: fc.constantFrom(undefined, null, '', false),
      access_token: fc.jsonValue(),
      token_type: fc.jsonValue(),
      refresh_token: fc.jsonValue(),
      scope: fc.jsonValue(),
      expires_in: fc.jsonValue(),
      refresh_expires_in: fc.jsonValue(),
      refresh_token_expires_in: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );

  describe('any JSON at all', () => {
    it('is read without an exception, and tokens are never empty strings', () => {
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), anyMembers), (body) => {
          const { accessToken, idToken, refreshToken } = readTokenResponse(body);
          for (const token of [accessToken, idToken, refreshToken])
            expect(token === undefined || (typeof token === 'string' && token.length > 0)).toBe(true);
        }),
      );
    });

    it('gives an access token of type Bearer or a ProviderError, and a refresh token only with offline_access', () => {
      fc.assert(
        fc.property(anyMembers, (body) => {
          const tokens = readTokenResponse(body);
          try {
            expect(requireBearerToken(tokens)).toBe(tokens.accessToken);
            expect(String(tokens.tokenType ?? '').toLowerCase()).toMatch(/^(bearer)?$/);
          } catch (error) {
            expect(error).toBeInstanceOf(ProviderError);
          }
          const refreshToken = selectOfflineToken(tokens, { offlineAccess: 'by-scope', scopes: [] });
          if (refreshToken !== undefined) expect(JSON.stringify(tokens.scope)).toContain('offline_access');
          expect(
            selectOfflineToken(tokens, { offlineAccess: 'never', scopes: ['offline_access'] }),
          ).toBeUndefined();
        }),
      );
    });
  });

  /** Fetches an ID token from the issuer. */
  const idTokenOf = async (issuer: ReturnType<typeof createFakeIssuer>): Promise<string> => {
    const response = await issuer.io.fetch(`${issuer.issuer}/token`, { method: 'POST' });
    return String(Object(await response.json()).id_token);
  };
});

describe('errors', () => {
  it('returns a result unchanged', async () => {
    expect(await withProviderError(async () => 'an identity')).toBe('an identity');
  });

  it('rethrows a ProviderError unchanged', async () => {
    const error = new ProviderError('denied', 'no');
    await expect(withProviderError(() => Promise.reject(error))).rejects.toBe(error);
  });

  it.each([
    ['a TypeError', new TypeError('their-secret is no string')],
    ['an error with a cause', new Error('their-token', { cause: new Response('their-body') })],
    ['a string', 'their-text'],
    ['undefined', undefined],
  ])('does not expose the message of %s', async (_, thrown) => {
    expect(await captureProviderError(withProviderError(() => Promise.reject(thrown)))).toEqual({
      kind: 'invalid',
      reason: 'the response could not be read',
    });
  });

  it.each(['', 'code-of-this-transaction', 'invalid_grant ', 'INVALID_GRANT', '__proto__', 'toString'])(
    'does not repeat %j, which is not a documented error',
    (code) => {
      expect(createTokenEndpointError(code)).toMatchObject({
        kind: 'invalid',
        message: 'the token endpoint responded with an unregistered error code',
      });
    },
  );
});

describe('a subject', () => {
  /** Any JSON value that a provider can send. */
  const createIdentityFrom = async (subject: unknown) =>
    createIdentity('acme', Object.assign(JSON.parse('{"labels":[]}'), { subject }), {}, undefined);

  it.each(['7', 'person-1', 'x'.repeat(255), '名前'])('is used unchanged: %s', async (subject) => {
    expect(await createIdentityFrom(subject)).toEqual({
      provider: 'acme',
      subject,
      emailVerified: false,
      claims: {},
    });
  });

  it.each([
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['a number, which may have been rounded', Number.MAX_SAFE_INTEGER],
    ['true', true],
    ['null', null],
    ['a list of one', ['person-1']],
    ['a string with a lone surrogate', 'person-\ud800'],
  ])('is rejected if it is %s', async (_, subject) => {
    expect(await captureProviderError(createIdentityFrom(subject))).toEqual({
      kind: 'invalid',
      reason: 'the subject is not a string, is empty, or is too long',
    });
  });
});
