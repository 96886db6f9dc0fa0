/** OpenID Connect: authorization request, code exchange, identity, reauthentication, account selection. */

import fc from 'fast-check';
import { exportPKCS8 } from 'jose';
import { describe, expect, it } from 'vitest';
import { apple, github, google, microsoft, type UpstreamRequest } from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import type { Identity } from '../../src/oauth/identifiers.ts';
import { type OidcOptions, oidc } from '../../src/providers/oidc.ts';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  code,
  createFakeIssuer,
  createOidcProvider,
  invisibleTexts,
  upstreamRequest,
} from './fake-issuer.ts';
import { createOAuth2Provider } from './fake-oauth-server.ts';
import { type Claims, generateKey } from './signing.ts';

describe('a sign-in', () => {
  const userAgent = 'assistant-auth';

  describe('the authorization request', () => {
    it('goes to the discovered endpoint with state, nonce and PKCE', async () => {
      const issuer = createFakeIssuer();
      const url = await createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io);
      expect(url.origin + url.pathname).toBe('https://id.example/authorize');
      expect([...url.searchParams]).toEqual([
        ['client_id', clientId],
        ['response_type', 'code'],
        ['redirect_uri', upstreamRequest.redirectUri],
        ['scope', 'openid email profile offline_access'],
        ['state', upstreamRequest.state],
        ['nonce', upstreamRequest.nonce],
        ['code_challenge', challenge],
        ['code_challenge_method', 'S256'],
      ]);
    });

    it('keeps the query of the endpoint and adds the publisher’s own parameters and scopes', async () => {
      const issuer = createFakeIssuer();
      issuer.override({ metadata: { authorization_endpoint: 'https://id.example/authorize?tenant=7' } });
      const authorizationParameters = { prompt: 'login', hd: 'example.com' };
      const provider = createOidcProvider(issuer, {
        scopes: ['openid', 'offline_access'],
        authorizationParameters,
      });
      const { searchParams } = await provider.authorizationUrl(upstreamRequest, issuer.io);
      expect(Object.fromEntries(searchParams)).toMatchObject({
        tenant: '7',
        scope: 'openid offline_access',
        ...authorizationParameters,
      });
    });

    it('has ID, display name and configured URL of the provider, and causes no request before the first sign-in', () => {
      const issuer = createFakeIssuer();
      expect(createOidcProvider(issuer)).toMatchObject({
        id: 'acme',
        displayName: 'Acme',
        configuredUrls: ['https://id.example'],
      });
      expect(issuer.takeRequestedEndpoints()).toEqual([]);
    });
  });

  describe('the callback', () => {
    it('returns an identity from the verified claims', async () => {
      const issuer = createFakeIssuer();
      expect(await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io)).toEqual(
        {
          provider: 'acme',
          subject: 'person-1',
          label: 'ada@example.com',
          email: 'ada@example.com',
          emailVerified: true,
          refreshToken: 'their-refresh-token',
          claims: {
            iss: 'https://id.example',
            aud: clientId,
            sub: 'person-1',
            nonce: upstreamRequest.nonce,
            iat: 1_800_000_000,
            exp: 1_800_003_600,
            email: 'ada@example.com',
            email_verified: true,
            name: 'Ada Marlow',
          },
        },
      );
    });

    it('requests metadata, tokens and keys once each, with a timeout and without redirects', async () => {
      const issuer = createFakeIssuer();
      await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
      const commonFields = { redirect: 'manual', canTimeOut: true };
      expect(issuer.requests).toEqual([
        {
          ...commonFields,
          endpoint: 'discovery',
          method: 'GET',
          url: 'https://id.example/.well-known/openid-configuration',
          headers: { accept: 'application/json', 'user-agent': userAgent },
          body: '',
        },
        {
          ...commonFields,
          endpoint: 'token',
          method: 'POST',
          url: 'https://id.example/token',
          headers: {
            accept: 'application/json',
            'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
            'user-agent': userAgent,
          },
          body: new URLSearchParams({
            grant_type: 'authorization_code',
            code,
            redirect_uri: upstreamRequest.redirectUri,
            code_verifier: upstreamRequest.codeVerifier,
            client_id: clientId,
            client_secret: clientSecret,
          }).toString(),
        },
        {
          ...commonFields,
          endpoint: 'keys',
          method: 'GET',
          url: 'https://id.example/keys',
          headers: { accept: 'application/json, application/jwk-set+json', 'user-agent': userAgent },
          body: '',
        },
      ]);
    });

    it('requests only the token endpoint for the next sign-in', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer);
      await provider.authorizationUrl(upstreamRequest, issuer.io);
      await provider.handleCallback(callback(), upstreamRequest, issuer.io);
      expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'token', 'keys']);
      await provider.authorizationUrl(upstreamRequest, issuer.io);
      await provider.handleCallback(callback(), upstreamRequest, issuer.io);
      expect(issuer.takeRequestedEndpoints()).toEqual(['token']);
    });

    it('fetches the metadata separately for two concurrent sign-ins', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer);
      const both = [
        provider.handleCallback(callback(), upstreamRequest, issuer.io),
        provider.handleCallback(callback(), upstreamRequest, issuer.io),
      ];
      expect((await Promise.all(both)).map(({ subject }) => subject)).toEqual(['person-1', 'person-1']);
      expect(issuer.takeRequestedEndpoints().filter((endpoint) => endpoint === 'discovery')).toHaveLength(2);
    });
  });
});

describe('options', () => {
  const validOptions: OidcOptions = {
    id: 'acme',
    displayName: 'Acme',
    issuer: 'https://id.example',
    clientId: 'our-client-id',
    clientSecret: 'our-client-secret',
  };

  const credentials = 'must be printable ASCII without spaces, and not empty.';
  const badIssuer =
    'must be an https URL without user information, query or fragment, or an http URL on loopback.';
  const badIcon =
    'must start with <svg, have xmlns="http://www.w3.org/2000/svg" and at most 10000 characters.';
  const badParameter = 'must not contain request, request_uri or a parameter that the broker sets itself.';

  /** Accepts what the compiler would reject: options can come from environment variables and JavaScript. */
  const captureStartupError = (changes: Readonly<Record<string, unknown>>): unknown => {
    try {
      return oidc(JSON.parse(JSON.stringify({ ...validOptions, ...changes })));
    } catch (error) {
      return error;
    }
  };

  it.each([
    ['clientId', '', credentials],
    ['clientId', undefined, credentials],
    ['clientId', 'our client', credentials],
    ['clientSecret', '', credentials],
    ['clientSecret', undefined, credentials],
    ['clientSecret', 'secret\n', credentials],
    ['clientSecret', ' secret', credentials],
    ['clientSecret', 'sécret', credentials],
    ['displayName', ' ', 'must not be empty.'],
    ['displayName', '\u00A0\u200B', 'must not be empty.'],
    ['displayName', undefined, 'must not be empty.'],
    ['icon', '', badIcon],
    ['icon', '/acme.svg', badIcon],
    ['icon', '<svg viewBox="0 0 24 24"/>', badIcon],
    ['icon', '<svg><g xmlns="http://www.w3.org/2000/svg"/></svg>', badIcon],
    ['icon', '<svg data-xmlns="http://www.w3.org/2000/svg"/>', badIcon],
    ['icon', '<svgs xmlns="http://www.w3.org/2000/svg"/>', badIcon],
    ['icon', '\uFEFF<svg xmlns="http://www.w3.org/2000/svg"/>', badIcon],
    ['icon', '<svg xmlns="http://www.w3.org/2000/svg"/>'.padEnd(10_001), badIcon],
    ['icon', ['<svg xmlns="http://www.w3.org/2000/svg"/>'], badIcon],
    ['scopes', [], 'must include openid.'],
    ['scopes', ['email'], 'must include openid.'],
    ['scopes', ['openid', 'two words'], 'must be scope names without spaces, quotes or backslashes.'],
    ['scopes', ['openid', ''], 'must be scope names without spaces, quotes or backslashes.'],
    ['issuer', undefined, badIssuer],
    ['issuer', 'id.example', badIssuer],
    ['issuer', 'http://id.example', badIssuer],
    ['issuer', 'http://127.0.0.1.id.example', badIssuer],
    ['issuer', 'ftp://id.example', badIssuer],
    ['issuer', 'https://id.example?tenant=1', badIssuer],
    ['issuer', 'https://id.example?', badIssuer],
    ['issuer', 'https://id.example#', badIssuer],
    ['issuer', 'https://user@id.example', badIssuer],
    ['issuer', 'https://:password@id.example', badIssuer],
    ['issuer', ' https://id.example', badIssuer],
    ['authTime', 'Required', 'must be required or optional.'],
    ['authTime', true, 'must be required or optional.'],
    ['authorizationParameters', { state: 'x' }, badParameter],
    ['authorizationParameters', { client_id: 'x' }, badParameter],
    ['authorizationParameters', { redirect_uri: 'https://evil.example' }, badParameter],
    ['authorizationParameters', { response_type: 'token' }, badParameter],
    ['authorizationParameters', { scope: 'openid' }, badParameter],
    ['authorizationParameters', { nonce: 'x' }, badParameter],
    ['authorizationParameters', { code_challenge: 'x' }, badParameter],
    ['authorizationParameters', { code_challenge_method: 'plain' }, badParameter],
    ['authorizationParameters', { request: 'e30.e30.' }, badParameter],
    ['authorizationParameters', { request_uri: 'https://evil.example' }, badParameter],
  ])('with %s = %j fail at startup', (option, value, problem) => {
    expect(captureStartupError({ [option]: value })).toEqual(
      new ConfigurationError(`providers.acme.${option}`, problem),
    );
  });

  it.each(['', 'Acme', 'a/b', 'a b', 'ä', 'x'.repeat(33)])('with the ID %j fail at startup', (id) => {
    expect(captureStartupError({ id })).toEqual(
      new ConfigurationError(`providers.${id}.id`, 'must be 1 to 32 characters: a-z, 0-9 and hyphens.'),
    );
  });

  it('with the reserved ID of sessions fail at startup', () => {
    expect(captureStartupError({ id: 'continue' })).toEqual(
      new ConfigurationError('providers.continue.id', 'must not be continue, which is reserved.'),
    );
  });

  it.each([
    'https://id.example/',
    'https://id.example/realms/words',
    'https://id.example:8443',
    'http://127.0.0.1:4001',
    'http://localhost:4001',
    'http://[::1]:4001',
  ])('with the issuer %s are accepted', (issuer) => {
    expect(oidc({ ...validOptions, issuer }).configuredUrls).toEqual([issuer]);
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<svg role="img"\nviewBox="0 0 24 24" xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"/>'.padEnd(10_000),
  ])('with the icon %j are accepted, and the provider has it', (icon) => {
    expect(oidc({ ...validOptions, icon }).icon).toBe(icon);
  });

  it('without an icon create a provider without one', () => {
    expect(Object.keys(oidc(validOptions))).not.toContain('icon');
  });

  it('of Google are named in the error', () => {
    expect(() => google({ clientId: '', clientSecret: 'x' })).toThrow(
      new ConfigurationError('providers.google.clientId', credentials),
    );
  });
});

describe('the code exchange', () => {
  const announcesIss = { metadata: { authorization_response_iss_parameter_supported: true } };
  const invalid = (reason: string) => ({ kind: 'invalid', reason });

  /** Expects a refusal before the code is sent anywhere. */
  const captureErrorBeforeTokenRequest = async (callbackUrl: URL, overrides = {}) => {
    const issuer = createFakeIssuer();
    issuer.override(overrides);
    const error = await captureProviderError(
      createOidcProvider(issuer).handleCallback(callbackUrl, upstreamRequest, issuer.io),
    );
    expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
    return error;
  };

  describe('the authorization response', () => {
    it.each([
      ['B5.1 of another issuer', callback({ iss: 'https://evil.example' }), {}],
      ['B5.1 of another issuer if iss is announced', callback({ iss: 'https://evil.example' }), announcesIss],
      ['B5.1 of our issuer, but with a slash', callback({ iss: 'https://id.example/' }), {}],
    ])('%s is refused and its code is not sent anywhere', async (_, callbackUrl, overrides) => {
      expect(await captureErrorBeforeTokenRequest(callbackUrl, overrides)).toEqual(
        invalid('the authorization response is from another issuer'),
      );
    });

    it('B5.1 without an announced iss is refused and its code is not sent anywhere', async () => {
      expect(await captureErrorBeforeTokenRequest(callback(), announcesIss)).toEqual(
        invalid('the authorization response has no iss'),
      );
    });

    it('with an announced iss is accepted', async () => {
      const issuer = createFakeIssuer();
      issuer.override(announcesIss);
      const callbackUrl = callback({ iss: issuer.issuer });
      expect(
        await createOidcProvider(issuer).handleCallback(callbackUrl, upstreamRequest, issuer.io),
      ).toMatchObject({ subject: 'person-1' });
    });

    it.each([
      ['B12.1 access_denied', 'access_denied', 'denied', 'access_denied'],
      ['B12.1 server_error', 'server_error', 'unavailable', 'server_error'],
      ['B12.1 temporarily_unavailable', 'temporarily_unavailable', 'unavailable', 'temporarily_unavailable'],
      ['B12.1 login_required', 'login_required', 'invalid', 'login_required'],
      ['B12.1 invalid_scope', 'invalid_scope', 'invalid', 'invalid_scope'],
      ['B12.1 an unregistered code', 'code-of-this-transaction', 'invalid', 'an unregistered error code'],
    ])('%s ends the sign-in, even with a code', async (_, error, kind, description) => {
      expect(
        await captureErrorBeforeTokenRequest(callback({ error, error_description: 'their-text' })),
      ).toEqual({
        kind,
        reason: `the provider responded with ${description}`,
      });
    });

    it('B12.1 access_denied of another login transaction is ignored', async () => {
      const callbackUrl = callback({ error: 'access_denied', state: 'state-of-another-transaction' });
      expect(await captureErrorBeforeTokenRequest(callbackUrl)).toEqual(
        invalid('the authorization response is for another sign-in'),
      );
    });

    it.each([
      ['B12.2 missing', null],
      ['B12.2 empty', ''],
    ])('with a code that is %s is refused', async (_, code) => {
      expect(await captureErrorBeforeTokenRequest(callback({ code }))).toEqual(
        invalid('the authorization response has no code'),
      );
    });

    it.each([
      [
        'another state',
        callback({ state: 'state-of-another-transaction' }),
        'the authorization response is for another sign-in',
      ],
      ['no state', callback({ state: null }), 'the authorization response is for another sign-in'],
      ['a JWT as response', callback({ response: 'e30.e30.' }), 'the authorization response is a JWT'],
      [
        'an ID token in addition to the code',
        callback({ id_token: 'e30.e30.' }),
        'the authorization response has tokens',
      ],
    ])('with %s is refused', async (_, callbackUrl, reason) => {
      expect(await captureErrorBeforeTokenRequest(callbackUrl)).toEqual(invalid(reason));
    });

    it.each(['code', 'state', 'iss', 'error'])('with a repeated %s is refused', async (name) => {
      const callbackUrl = callback({ iss: 'https://id.example' });
      callbackUrl.searchParams.append(name, callbackUrl.searchParams.get(name) ?? 'access_denied');
      if (name === 'error') callbackUrl.searchParams.append(name, 'access_denied');
      expect(await captureErrorBeforeTokenRequest(callbackUrl)).toEqual(
        invalid(`the authorization response has a repeated ${name}`),
      );
    });
  });

  describe('the token endpoint', () => {
    const captureTokenError = async (respond: () => Response) => {
      const issuer = createFakeIssuer();
      issuer.override({ endpointOverrides: { token: respond } });
      const error = await captureProviderError(
        createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
      );
      expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'token']);
      return error;
    };

    it.each([
      ['invalid_grant', 400, 'the token endpoint responded with invalid_grant'],
      ['invalid_client', 401, 'the token endpoint responded with invalid_client'],
      ['access_denied', 403, 'the token endpoint responded with access_denied'],
      ['code-of-this-transaction', 400, 'the token endpoint responded with an unregistered error code'],
    ])('that returns %s ends the sign-in as invalid', async (error, status, reason) => {
      const body = { error, error_description: 'their-text' };
      expect(await captureTokenError(() => Response.json(body, { status }))).toEqual(invalid(reason));
    });

    it('that rejects our credentials ends the sign-in as invalid', async () => {
      const headers = { 'www-authenticate': 'Basic realm="their-realm"' };
      const respond = () => Response.json({ error: 'invalid_client' }, { status: 401, headers });
      expect(await captureTokenError(respond)).toEqual(
        invalid('the token endpoint rejected the client credentials'),
      );
    });

    // RFC 6749 §2.3.1: form-encoded first, then joined with a colon, then base64.
    const basic = `Basic ${btoa(`our-client-id:GOCSPX-our_client.secret%7E%21*%27%28%29%25%2B%26%3D%2F`)}`;

    it.each([
      ['in the body if possible', ['client_secret_basic', 'client_secret_post'], null, clientSecret],
      ['in the body if only that is supported', ['client_secret_post'], null, clientSecret],
      ['in the header if the body is not supported', ['private_key_jwt', 'client_secret_basic'], basic, null],
      ['in the header by default', undefined, basic, null],
    ])('gets the secret %s', async (_, methods, authorization, inBody) => {
      const issuer = createFakeIssuer();
      issuer.override({ metadata: { token_endpoint_auth_methods_supported: methods } });
      await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
      const request = issuer.requests.find(({ endpoint }) => endpoint === 'token');
      const body = new URLSearchParams(request?.body);
      expect(new Headers(request?.headers).get('authorization')).toBe(authorization);
      expect(body.get('client_secret')).toBe(inBody);
      expect(body.get('client_id')).toBe(inBody === null ? null : clientId);
    });

    it.each([
      ['only other methods', ['private_key_jwt', 'none']],
      ['a value that is not a list', 'client_secret_post'],
    ])('that supports %s gets no request', async (_, methods) => {
      const overrides = { metadata: { token_endpoint_auth_methods_supported: methods } };
      expect(await captureErrorBeforeTokenRequest(callback(), overrides)).toEqual(
        invalid('the token endpoint supports no method with a client secret'),
      );
    });
  });
});

describe('the identity', () => {
  const handleCallback = async (claims: Claims): Promise<Identity> => {
    const issuer = createFakeIssuer();
    issuer.override({ claims });
    return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
  };

  describe('an email address', () => {
    it.each([
      ['true', true],
      ['the string "true", as Apple returns it', 'true'],
    ])('is verified by %s', async (_, email_verified) => {
      expect(await handleCallback({ email_verified })).toMatchObject({
        email: 'ada@example.com',
        emailVerified: true,
      });
    });

    it.each([
      ['B10.1 absent', undefined],
      ['B10.1 false', false],
      ['B10.1 the string "false"', 'false'],
      ['B10.1 the string "TRUE"', 'TRUE'],
      ['B10.1 the number 1', 1],
      ['B10.1 null', null],
      ['B10.1 a list', [true]],
      ['B10.1 an object', { value: true }],
    ])('is not verified by email_verified: %s', async (_, email_verified) => {
      expect(await handleCallback({ email_verified })).toMatchObject({
        subject: 'person-1',
        email: 'ada@example.com',
        emailVerified: false,
      });
    });

    it('that is missing is never verified', async () => {
      const identity = await handleCallback({ email: undefined, email_verified: true });
      expect(identity.emailVerified).toBe(false);
      expect(identity).not.toHaveProperty('email');
    });

    it('never becomes the subject', async () => {
      const first = await handleCallback({ sub: 'person-1' });
      const second = await handleCallback({ sub: 'person-2' });
      expect([first.email, second.email]).toEqual(['ada@example.com', 'ada@example.com']);
      expect([first.subject, second.subject]).toEqual(['person-1', 'person-2']);
    });
  });

  describe('the label', () => {
    it('is the name if there is no email address', async () => {
      expect((await handleCallback({ email: undefined })).label).toBe('Ada Marlow');
    });

    it('is absent if there is neither', async () => {
      const identity = await handleCallback({ email: undefined, name: undefined });
      expect(identity).not.toHaveProperty('label');
    });

    it.each<readonly [string, unknown]>([
      ['empty', ''],
      ['longer than 320 characters', `${'x'.repeat(310)}@example.com`],
      ['not a string', { toString: 'ada@example.com' }],
      ['cut within a surrogate pair', 'ada\ud83d@example.com'],
      ...invisibleTexts,
    ])('ignores an email address that is %s', async (_, email) => {
      const identity = await handleCallback({ email });
      expect(identity.label).toBe('Ada Marlow');
      expect(identity).not.toHaveProperty('email');
      expect(identity.emailVerified).toBe(false);
    });
  });

  describe('a claim with only invisible text', () => {
    it.each(invisibleTexts)('is treated as absent: %s', async (_, text) => {
      const identity = await handleCallback({ email: text, name: text });
      expect(identity).toMatchObject({ subject: 'person-1', emailVerified: false });
      expect(identity).not.toHaveProperty('label');
      expect(identity).not.toHaveProperty('email');
    });

    it.each(['.', '名', 'ا', '👩‍💻', '\u00A0Ada\u200B', 'é', '⠁'])(
      'is not treated as absent if any character is visible: %j',
      async (name) => {
        expect((await handleCallback({ email: undefined, name })).label).toBe(name);
      },
    );
  });

  describe('the session at the provider', () => {
    it.each(['session-1', 'x'.repeat(255)])('has the sid of the ID token: %s', async (sid) => {
      expect((await handleCallback({ sid })).sid).toBe(sid);
    });

    it.each([
      ['is missing', undefined],
      ['is empty', ''],
      ['is longer than 255 characters', 'x'.repeat(256)],
      ['is not a string', 7],
      ['is a lone surrogate', '\ud83d'],
    ])('has no ID if it %s', async (_, sid) => {
      expect(await handleCallback({ sid })).not.toHaveProperty('sid');
    });
  });

  it('all verified claims are returned unchanged', async () => {
    const { claims } = await handleCallback({ hd: 'example.com', groups: ['a', 'b'], picture: null });
    expect(claims).toMatchObject({ hd: 'example.com', groups: ['a', 'b'], picture: null });
  });
});

/** Returns the parameters that determine what the provider asks the user for. */
const selectPromptParameters = (query: URLSearchParams): Readonly<Record<string, string>> =>
  Object.fromEntries([...query].filter(([name]) => ['prompt', 'max_age', 'acr_values', 'hd'].includes(name)));

describe('account selection', () => {
  const selection: UpstreamRequest = { ...upstreamRequest, selectAccount: true };
  const reauthenticate = { since: 1_799_999_900 };

  it('adds a prompt to the authorization request, and changes nothing else', async () => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { prompt_values_supported: ['select_account'] } });
    const provider = createOidcProvider(issuer);
    const query = async (request: UpstreamRequest) =>
      Object.fromEntries((await provider.authorizationUrl(request, issuer.io)).searchParams);
    expect(await query(selection)).toEqual({ ...(await query(upstreamRequest)), prompt: 'select_account' });
    expect(await query({ ...selection, selectAccount: false })).toEqual(await query(upstreamRequest));
  });

  it.each<[string, Partial<OidcOptions>, Partial<UpstreamRequest>, Readonly<Record<string, string>>]>([
    ['reauthentication', {}, { reauthenticate }, { prompt: 'login select_account', max_age: '0' }],
    [
      'a maximum age',
      {},
      { reauthenticate: { ...reauthenticate, maxAge: 60 } },
      { prompt: 'select_account', max_age: '60' },
    ],
    [
      'the publisher’s prompt',
      { authorizationParameters: { prompt: 'consent', hd: 'a.example' } },
      {},
      { prompt: 'consent select_account', hd: 'a.example' },
    ],
    [
      'the same prompt',
      {
        authorizationParameters: { prompt: 'select_account' },
        reauthentication: { prompt: 'select_account' },
      },
      { reauthenticate },
      { prompt: 'select_account' },
    ],
    [
      'other parameters',
      { accountSelection: { hd: '*', acr_values: 'chosen' }, authorizationParameters: { hd: 'a.example' } },
      {},
      { hd: '*', acr_values: 'chosen' },
    ],
    ['nothing', { accountSelection: {} }, {}, {}],
  ])('is combined with %s', async (_, options, changes, expected) => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { prompt_values_supported: ['login', 'select_account'] } });
    const provider = createOidcProvider(issuer, options);
    const { searchParams } = await provider.authorizationUrl({ ...selection, ...changes }, issuer.io);
    expect(selectPromptParameters(searchParams)).toEqual(expected);
  });

  it.each([
    ['does not list it', ['none', 'login', 'consent'], {}],
    ['lists nothing', [], {}],
    ['lists it', ['login', 'select_account'], { prompt: 'select_account' }],
    ['does not say', undefined, {}],
    ['has an invalid list', 'select_account', {}],
  ])('is requested only if the issuer supports it: the issuer %s', async (_, supported, expected) => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { prompt_values_supported: supported } });
    const { searchParams } = await createOidcProvider(issuer).authorizationUrl(selection, issuer.io);
    expect(selectPromptParameters(searchParams)).toEqual(expected);
  });

  it('is requested as the publisher configured it, whatever the issuer lists', async () => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { prompt_values_supported: ['login'] } });
    const provider = createOidcProvider(issuer, { accountSelection: { prompt: 'select_account' } });
    const { searchParams } = await provider.authorizationUrl(selection, issuer.io);
    expect(selectPromptParameters(searchParams)).toEqual({ prompt: 'select_account' });
  });
});

describe('reauthentication', async () => {
  const now = 1_800_000_000;
  const since = now - 100;
  const reauthentication: UpstreamRequest = { ...upstreamRequest, reauthenticate: { since } };

  const noAuthTime = 'the ID token has no auth_time';
  const invalidAuthTime = 'the auth_time of the ID token is not a valid time';
  const notReauthenticated = 'the user did not authenticate again';

  const setUp = (claims: Claims, authTime: 'required' | 'optional' = 'required') => {
    const issuer = createFakeIssuer();
    issuer.override({ claims });
    const provider = createOidcProvider(issuer, { authTime });
    return {
      handleCallback: (request: UpstreamRequest) => provider.handleCallback(callback(), request, issuer.io),
    };
  };

  describe('the authorization request', () => {
    it('requests a new authentication, whatever authorizationParameters contain', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer, {
        authorizationParameters: { prompt: 'consent', hd: 'example.com' },
      });
      const [normalUrl, reauthenticationUrl] = [
        await provider.authorizationUrl(upstreamRequest, issuer.io),
        await provider.authorizationUrl(reauthentication, issuer.io),
      ];
      expect(Object.fromEntries(reauthenticationUrl.searchParams)).toEqual({
        ...Object.fromEntries(normalUrl.searchParams),
        prompt: 'login',
        max_age: '0',
      });
      expect(normalUrl.searchParams.get('prompt')).toBe('consent');
      expect(normalUrl.searchParams.has('max_age')).toBe(false);
    });

    it('uses the publisher’s parameters if configured', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer, { reauthentication: { acr_values: 'fresh' } });
      const { searchParams } = await provider.authorizationUrl(reauthentication, issuer.io);
      expect(searchParams.get('acr_values')).toBe('fresh');
      expect(searchParams.has('prompt')).toBe(false);
    });

    it.each<[string, Partial<OidcOptions>, Readonly<Record<string, string>>]>([
      ['the default', {}, { max_age: '3600' }],
      [
        'authorizationParameters with a prompt',
        { authorizationParameters: { prompt: 'consent' } },
        {
          prompt: 'consent',
          max_age: '3600',
        },
      ],
      [
        'other parameters',
        { reauthentication: { prompt: 'login', max_age: '5', acr_values: 'fresh' } },
        {
          max_age: '3600',
          acr_values: 'fresh',
        },
      ],
      [
        'no max_age',
        { reauthentication: { prompt: 'login', acr_values: 'fresh' } },
        {
          prompt: 'login',
          acr_values: 'fresh',
        },
      ],
      ['nothing', { reauthentication: {} }, {}],
    ])(
      'contains the max_age of the client if reauthentication is requested with one: %s',
      async (_, options, expected) => {
        const issuer = createFakeIssuer();
        const provider = createOidcProvider(issuer, options);
        const request = { ...upstreamRequest, reauthenticate: { since: since - 3600, maxAge: 3600 } };
        const { searchParams } = await provider.authorizationUrl(request, issuer.io);
        expect(selectPromptParameters(searchParams)).toEqual(expected);
      },
    );
  });

  describe('an ID token after a requested reauthentication', () => {
    it.each([
      ['B17.4 a session from long before', { auth_time: now - 86_400 }, notReauthenticated],
      ['B17.4 a session from 31 s before', { auth_time: since - 31 }, notReauthenticated],
      ['B17.4 no auth_time', { auth_time: undefined }, noAuthTime],
      ['B17.4 a future time', { auth_time: now + 31 }, invalidAuthTime],
      ['B17.4 a fraction of a second', { auth_time: now - 0.5 }, invalidAuthTime],
    ])('%s is refused', async (_, claims, reason) => {
      expect(await captureProviderError(setUp(claims).handleCallback(reauthentication))).toEqual({
        kind: 'invalid',
        reason,
      });
    });

    it.each([
      ['a string', String(now)],
      ['null', null],
      ['negative', -now],
    ])('B17.4 whose auth_time is %s is refused', async (_, auth_time) => {
      for (const authTime of ['required', 'optional'] as const)
        expect(
          await captureProviderError(setUp({ auth_time }, authTime).handleCallback(reauthentication)),
        ).toMatchObject({
          kind: 'invalid',
        });
    });

    it('is checked even if auth_time is optional', async () => {
      const { handleCallback } = setUp({ auth_time: since - 31 }, 'optional');
      expect(await captureProviderError(handleCallback(reauthentication))).toEqual({
        kind: 'invalid',
        reason: notReauthenticated,
      });
      expect(await setUp({}, 'optional').handleCallback(reauthentication)).toMatchObject({
        subject: 'person-1',
      });
    });

    it('is accepted from 30 s before the start until 30 s from now', () =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: -200, max: 200 }), async (ago) => {
          const outcome = await setUp({ auth_time: now - ago })
            .handleCallback(reauthentication)
            .then(
              () => 'proven',
              () => 'refused',
            );
          expect(outcome).toBe(ago >= -30 && ago <= 130 ? 'proven' : 'refused');
        }),
        { numRuns: 60 },
      ));

    it('is not checked if no reauthentication was requested', async () => {
      for (const auth_time of [undefined, now - 86_400])
        expect(await setUp({ auth_time }).handleCallback(upstreamRequest)).toMatchObject({
          subject: 'person-1',
        });
    });
  });

  const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
  const settings = { clientId, clientSecret };
  const appleSettings = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey };
  const tid = '8f3d3c1e-0f5a-4f0e-9d3b-5a1f0a2b7c11';
  const microsoftClaims = {
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    ...{ tid, oid: '00000000-0000-0000-66f3-3332eca7ea81' },
  };

  describe('a built-in provider', () => {
    const chooser = { prompt: 'select_account' };

    it.each([
      [
        google(settings),
        'https://accounts.google.com',
        chooser,
        { ...chooser, max_age: '0' },
        { ...chooser, max_age: '60' },
      ],
      [
        microsoft({ ...settings, tenant: tid }),
        microsoftClaims.iss,
        chooser,
        { prompt: 'login' },
        { prompt: 'login' },
      ],
      [apple(appleSettings), 'https://appleid.apple.com', {}, {}, {}],
      [github(settings), 'https://github.com', chooser, chooser, chooser],
      [createOAuth2Provider(), 'https://acme.example', {}, {}, {}],
    ])(
      'gets what it supports of account selection and a maximum age: $id',
      async (provider, issuerUrl, ...expected) => {
        const { io } = createFakeIssuer(issuerUrl);
        const requests: readonly Partial<UpstreamRequest>[] = [
          { selectAccount: true },
          { selectAccount: true, reauthenticate: { since } },
          { reauthenticate: { since: since - 60, maxAge: 60 } },
        ];
        const urls = requests.map((changes) =>
          provider.authorizationUrl({ ...upstreamRequest, ...changes }, io),
        );
        const queries = (await Promise.all(urls)).map(({ searchParams }) =>
          selectPromptParameters(searchParams),
        );
        expect(queries).toEqual(expected);
      },
    );

    it.each([
      [
        'Google',
        'https://accounts.google.com',
        google(settings),
        { prompt: 'select_account', max_age: '0' },
        {},
      ],
      [
        'Microsoft',
        microsoftClaims.iss,
        microsoft({ ...settings, tenant: tid }),
        { prompt: 'login' },
        microsoftClaims,
      ],
      ['Apple', 'https://appleid.apple.com', apple(appleSettings), {}, {}],
    ])(
      'gets the strongest request that it supports, and its response is checked: %s',
      async (_, issuerUrl, provider, expectedParameters, claims) => {
        const issuer = createFakeIssuer(issuerUrl);
        const url = await provider.authorizationUrl(reauthentication, issuer.io);
        const { prompt, max_age } = Object.fromEntries(url.searchParams);
        expect({ ...(prompt && { prompt }), ...(max_age && { max_age }) }).toEqual(expectedParameters);
        issuer.override({ claims });
        expect(await provider.handleCallback(callback(), reauthentication, issuer.io)).toMatchObject({
          provider: provider.id,
        });
        issuer.override({ claims: { ...claims, auth_time: since - 31 } });
        expect(
          await captureProviderError(provider.handleCallback(callback(), reauthentication, issuer.io)),
        ).toEqual({
          kind: 'invalid',
          reason: notReauthenticated,
        });
      },
    );

    it('without ID tokens gets no prompt=login', async () => {
      const { searchParams } = await github(settings).authorizationUrl(
        reauthentication,
        createFakeIssuer().io,
      );
      expect(searchParams.get('prompt')).toBe('select_account');
      const url = await createOAuth2Provider().authorizationUrl(reauthentication, createFakeIssuer().io);
      expect([...url.searchParams.keys()]).not.toContain('prompt');
    });

    it('rejects reauthentication parameters that the broker sets itself', () => {
      expect(() => createOAuth2Provider({ reauthentication: { state: 'x' } })).toThrow(
        expect.objectContaining({ option: 'providers.acme.reauthentication' }),
      );
    });
  });
});
