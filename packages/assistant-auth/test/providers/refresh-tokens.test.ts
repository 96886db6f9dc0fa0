/** Refresh tokens of a provider: which are stored, how they are checked, and how they are revoked. */
import { exportPKCS8 } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  apple,
  github,
  google,
  type IdentityProvider,
  microsoft,
  oauth2,
  oidc,
  type ProviderIo,
} from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import type { OidcOptions } from '../../src/providers/oidc.ts';
import { discord } from './discord.ts';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createFakeIssuer,
  createOidcProvider,
  upstreamRequest,
} from './fake-issuer.ts';
import { createFakeServer, createOAuth2Provider } from './fake-oauth-server.ts';
import { type Claims, generateKey } from './signing.ts';

const upstreamToken = 'their-refresh-token';

type Respond = () => Response | Promise<Response>;

describe('offline access (OpenID Connect Core §11)', () => {
  interface SignInCase {
    /** `scopes_supported` of the metadata. */
    readonly supported?: unknown;
    readonly settings?: Partial<OidcOptions>;
    readonly tokens?: Claims;
  }

  /** Signs in at an issuer, and returns the requested scopes and the refresh token that is kept. */
  const signIn = async ({ supported, settings, tokens = {} }: SignInCase) => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { scopes_supported: supported }, tokens });
    const provider = createOidcProvider(issuer, settings);
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    const { refreshToken } = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    return { scope: url.searchParams.get('scope'), refreshToken };
  };

  const listed = ['openid', 'offline_access'];
  const defaultScope = 'openid email profile';

  describe('the scope offline_access', () => {
    it('is requested from an issuer that lists it, and makes the refresh token long-lived', async () => {
      expect(await signIn({ supported: listed })).toEqual({
        scope: `${defaultScope} offline_access`,
        refreshToken: upstreamToken,
      });
    });

    it.each([
      ['no list', undefined],
      ['null', null],
      ['an empty list', []],
      ['a list without it', ['openid', 'email']],
      ['a string', 'openid offline_access'],
      ['a list of something else', [7, null, { offline_access: true }]],
      ['a scope whose name only starts with it', ['offline_access_all']],
    ])('is not requested from an issuer with %s, and its refresh token is dropped', async (_, supported) => {
      expect(await signIn({ supported })).toEqual({ scope: defaultScope, refreshToken: undefined });
    });

    it('is requested once if the option scopes contains it, even from an issuer that does not list it', async () => {
      const settings = { scopes: ['openid', 'offline_access'] };
      const expected = { scope: 'openid offline_access', refreshToken: upstreamToken };
      expect(await signIn({ supported: listed, settings })).toEqual(expected);
      expect(await signIn({ supported: undefined, settings })).toEqual(expected);
    });
  });

  describe('a refresh token', () => {
    it.each([
      ['the response has no scope', undefined],
      ['the scope is null', null],
      ['the scope lists it first', 'offline_access openid'],
      ['the scope lists it last', 'openid email offline_access'],
      ['the scope has a comma', 'openid,offline_access'],
      ['the scope is a list', ['openid', 'offline_access']],
    ])('is kept if %s', async (_, scope) => {
      expect((await signIn({ supported: listed, tokens: { scope } })).refreshToken).toBe(upstreamToken);
    });

    it.each([
      ['the scope is less than what was requested', 'openid email profile'],
      ['the scope is empty', ''],
      ['the scope has another case', 'openid OFFLINE_ACCESS'],
      ['the scope only contains the name', 'openid offline_access_all'],
      ['the scope is a list without it', ['openid']],
      ['the scope is an empty list', []],
      ['the scope cannot be read', { offline_access: true }],
      ['the scope is a number', 7],
    ])('is dropped if %s', async (_, scope) => {
      expect((await signIn({ supported: listed, tokens: { scope } })).refreshToken).toBeUndefined();
    });

    it.each([
      ['half an hour, as in Keycloak', { refresh_expires_in: 1800 }],
      ['half an hour, as a string', { refresh_expires_in: '1800' }],
      ['half an hour, as in GitHub', { refresh_token_expires_in: 1800 }],
      ['a second less than a day', { refresh_expires_in: 86_399 }],
    ])('that expires in %s is dropped, whatever was granted', async (_, lifetime) => {
      const tokens = { scope: 'openid offline_access', ...lifetime };
      expect((await signIn({ supported: listed, tokens })).refreshToken).toBeUndefined();
      const settings = { offlineAccess: 'always' } as const;
      expect((await signIn({ settings, tokens })).refreshToken).toBeUndefined();
    });

    it.each([
      ['never, which Keycloak writes as 0', 0],
      ['in a day', 86_400],
      ['in 30 days', 2_592_000],
      ['at a time that is null', null],
      ['at a negative time', -1],
      ['at a time that is not a number', 'soon'],
      ['at an empty time', ''],
      ['at a time that is a list', [1800]],
    ])('that expires %s is kept', async (_, refresh_expires_in) => {
      expect((await signIn({ supported: listed, tokens: { refresh_expires_in } })).refreshToken).toBe(
        upstreamToken,
      );
    });

    it('that replaces another one at a recheck is kept whatever the response has as its scope (RFC 6749 §6)', async () => {
      for (const scope of ['openid', '', ['openid'], null]) {
        const issuer = createFakeIssuer();
        issuer.override({ tokens: { scope, refresh_token: 'their-next' } });
        const result = await createOidcProvider(issuer).validateRefreshToken(upstreamToken, issuer.io);
        expect(result).toEqual({ kind: 'active', refreshToken: 'their-next' });
      }
    });
  });

  describe('the option offlineAccess', () => {
    it('set to always keeps every refresh token, and adds no scope', async () => {
      const settings = { offlineAccess: 'always' } as const;
      for (const supported of [undefined, listed])
        for (const scope of [undefined, 'openid', []])
          expect(await signIn({ supported, settings, tokens: { scope } })).toEqual({
            scope: defaultScope,
            refreshToken: upstreamToken,
          });
    });

    it('set to never keeps no refresh token, and adds no scope', async () => {
      const settings = { offlineAccess: 'never' } as const;
      for (const scope of [undefined, 'openid offline_access'])
        expect(await signIn({ supported: listed, settings, tokens: { scope } })).toEqual({
          scope: defaultScope,
          refreshToken: undefined,
        });
    });

    const signInAtServer = async (
      settings: Parameters<typeof createOAuth2Provider>[0],
      tokens: Claims = {},
    ) => {
      const server = createFakeServer();
      server.overrideTokens({ refresh_token: upstreamToken, ...tokens });
      return (await createOAuth2Provider(settings).handleCallback(callback(), upstreamRequest, server.io))
        .refreshToken;
    };

    it('is by-scope by default for an OAuth 2.0 server', async () => {
      expect(await signInAtServer({})).toBeUndefined();
      expect(await signInAtServer({ scopes: ['identify'] })).toBeUndefined();
      expect(await signInAtServer({ scopes: ['identify', 'offline_access'] })).toBe(upstreamToken);
      expect(await signInAtServer({ scopes: ['offline_access'] }, { scope: 'identify' })).toBeUndefined();
      expect(await signInAtServer({ offlineAccess: 'always' })).toBe(upstreamToken);
      expect(await signInAtServer({ scopes: ['offline_access'], offlineAccess: 'never' })).toBeUndefined();
    });

    it.each(['', 'Always', 'by_scope', true, null])('fails at startup for %j', (value) => {
      const settings: object = { offlineAccess: value };
      for (const create of [
        () => createOidcProvider(createFakeIssuer(), settings),
        () => createOAuth2Provider(settings),
      ])
        expect(create).toThrow(
          new ConfigurationError('providers.acme.offlineAccess', 'must be always, by-scope or never.'),
        );
    });
  });

  describe('a built-in provider keeps its refresh token without a scope:', () => {
    it('Google', async () => {
      const issuer = createFakeIssuer('https://accounts.google.com');
      const provider = google({ clientId, clientSecret });
      issuer.override({ tokens: { scope: 'openid email profile' } });
      expect((await provider.handleCallback(callback(), upstreamRequest, issuer.io)).refreshToken).toBe(
        upstreamToken,
      );
      const reconsentUrl = await provider.reconsentUrl?.('person-1', upstreamRequest, issuer.io);
      expect(reconsentUrl?.searchParams.get('scope')).toBe(defaultScope);
    });

    it('GitHub', async () => {
      const server = createFakeServer(
        { token: 'https://github.com/login/oauth/access_token', profile: 'https://api.github.com/user' },
        { id: 7, login: 'ada' },
      );
      server.overrideTokens({
        scope: '',
        refresh_token: upstreamToken,
        refresh_token_expires_in: 15_897_600,
      });
      const identity = await github({ clientId, clientSecret }).handleCallback(
        callback(),
        upstreamRequest,
        server.io,
      );
      expect(identity.refreshToken).toBe(upstreamToken);
    });

    it('Apple', async () => {
      const issuer = createFakeIssuer('https://appleid.apple.com');
      const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
      const provider = apple({ clientId, teamId: 'ABCDE12345', keyId: 'FGHIJ67890', privateKey });
      expect((await provider.handleCallback(callback(), upstreamRequest, issuer.io)).refreshToken).toBe(
        upstreamToken,
      );
      expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).searchParams.get('scope')).toBe(
        'openid email name',
      );
    });
  });
});

describe('rechecks', async () => {
  const json = (body: unknown, status = 200) => Response.json(body, { status });

  /** Rechecks with an OpenID Connect issuer and an OAuth 2.0 server that both return this response. */
  const recheckWithBoth = async (respond: Respond) => {
    const issuer = createFakeIssuer();
    issuer.override({ endpointOverrides: { token: respond } });
    return [
      await createOidcProvider(issuer).validateRefreshToken(upstreamToken, issuer.io),
      await oauth2(plainSettings).validateRefreshToken(upstreamToken, {
        ...issuer.io,
        fetch: async () => respond(),
      }),
    ];
  };

  const plainSettings = {
    id: 'plain',
    displayName: 'Plain',
    issuer: 'https://plain.example',
    authorizationUrl: 'https://plain.example/authorize',
    tokenUrl: 'https://plain.example/token',
    profileUrl: 'https://plain.example/me',
    clientId,
    clientSecret,
    mapProfile: () => undefined,
  };

  describe('a provider', () => {
    it.each([
      ['no other token', { access_token: 'their-access-token' }, {}],
      ['another token', { access_token: 'x', refresh_token: 'their-next' }, { refreshToken: 'their-next' }],
      ['an empty one', { access_token: 'x', refresh_token: '' }, {}],
      ['an invalid token', { access_token: 'x', refresh_token: 7 }, {}],
      ['an ID token that is not used', { access_token: 'x', id_token: 'garbage' }, {}],
    ])('that returns an access token means active, with %s', async (_, body, rotated) => {
      const active = { kind: 'active', ...rotated };
      expect(await recheckWithBoth(() => json(body))).toEqual([active, active]);
    });

    it.each([
      ['status 400', () => json({ error: 'invalid_grant', error_description: 'their-words' }, 400)],
      ['status 401', () => json({ error: 'invalid_grant' }, 401)],
      ['status 200', () => json({ error: 'invalid_grant' })],
      ['status 200 and a token', () => json({ error: 'invalid_grant', access_token: 'x' })],
    ])('that returns invalid_grant means revoked, with %s', async (_, respond) => {
      expect(await recheckWithBoth(respond)).toEqual([{ kind: 'revoked' }, { kind: 'revoked' }]);
    });

    const rejectWithTimeout = () => Promise.reject(new DOMException('too slow', 'TimeoutError'));
    const describeTokenError = (code: string) => `the token endpoint responded with ${code}`;
    const unreadable = 'the response could not be read';
    const noToken = 'the response has no token';

    it.each<[string, Respond, string | RegExp]>([
      ['500', () => json({ error: 'invalid_grant' }, 500), /responded with status 500$/],
      ['503', () => new Response(null, { status: 503 }), /responded with status 503$/],
      ['429', () => json({ error: 'invalid_grant' }, 429), /responded with status 429$/],
      [
        'B24.1 403 and a rate limit',
        () =>
          Response.json(
            { error: 'invalid_grant' },
            { status: 403, headers: { 'x-ratelimit-remaining': '0' } },
          ),
        /responded with status 403$/,
      ],
      ['a redirect', () => new Response(null, { status: 302 }), /responded with status 302$/],
      ['no response in time', rejectWithTimeout, /took too long$/],
      ['no connection', () => Promise.reject(new TypeError('their-network')), /could not be reached$/],
      [
        'an unknown error',
        () => json({ error: 'their-error' }, 400),
        describeTokenError('an unregistered error code'),
      ],
      [
        'an error that is an array',
        () => json({ error: ['invalid_grant'] }, 400),
        describeTokenError('invalid_grant'),
      ],
      [
        'another case',
        () => json({ error: 'Invalid_Grant' }, 400),
        describeTokenError('an unregistered error code'),
      ],
      ['an HTML page', () => new Response('<p>their-page</p>'), unreadable],
      ['an empty body', () => new Response(null), unreadable],
      ['JSON that is not an object', () => json(null), noToken],
      ['a list', () => json(['access_token']), noToken],
      ['no token', () => json({ scope: 'openid' }), noToken],
      ['an invalid token', () => json({ access_token: true }), noToken],
      ['a token with status 400', () => json({ access_token: 'x' }, 400), noToken],
    ])('is inconclusive with %s', async (_, respond, reason) => {
      const unknown = {
        kind: 'unknown',
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      };
      const results = await recheckWithBoth(respond);
      expect(results).toEqual([unknown, unknown]);
      expect(JSON.stringify(results)).not.toContain('their-');
    });

    it.each([
      ['our secret is wrong', 'invalid_client', 401],
      ['our request is invalid', 'invalid_request', 400],
      ['the scope is invalid', 'invalid_scope', 400],
      ['our client is not authorized', 'unauthorized_client', 400],
      ['the grant type is not supported', 'unsupported_grant_type', 400],
    ])('has not replaced the token if it responds that %s', async (_, error, status) => {
      const rejected = { kind: 'unknown', reason: describeTokenError(error), isTokenUnchanged: true };
      expect(await recheckWithBoth(() => json({ error }, status))).toEqual([rejected, rejected]);
    });

    it('whose metadata cannot be read is inconclusive', async () => {
      const issuer = createFakeIssuer();
      issuer.override({ endpointOverrides: { discovery: () => json({ error: 'invalid_grant' }, 400) } });
      expect(await createOidcProvider(issuer).validateRefreshToken(upstreamToken, issuer.io)).toMatchObject({
        kind: 'unknown',
        isTokenUnchanged: true,
      });
      expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
    });

    it('is sent nothing if its refresh tokens must not be used', async () => {
      const issuer = createFakeIssuer();
      const settings = {
        id: 'acme',
        displayName: 'Acme',
        clientId,
        clientSecret,
        offlineAccess: 'never',
      } as const;
      const results = [
        await oidc({ ...settings, issuer: issuer.issuer }).validateRefreshToken(upstreamToken, issuer.io),
        await oauth2({ ...plainSettings, offlineAccess: 'never' }).validateRefreshToken(
          upstreamToken,
          issuer.io,
        ),
      ];
      const unused = { kind: 'unknown', reason: 'refresh tokens of this provider are not used' };
      expect(results).toEqual(results.map(() => ({ ...unused, isTokenUnchanged: true })));
      expect(issuer.requests).toEqual([]);
    });

    it('is sent the token and our credentials, once, and no redirect is followed', async () => {
      const issuer = createFakeIssuer();
      await createOidcProvider(issuer).validateRefreshToken(upstreamToken, issuer.io);
      expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual(['discovery', 'token']);
      const { method, body, headers, redirect, canTimeOut } = issuer.requests[1] ?? {};
      expect({ method, redirect, canTimeOut }).toEqual({
        method: 'POST',
        redirect: 'manual',
        canTimeOut: true,
      });
      expect(headers).toMatchObject({ accept: 'application/json' });
      expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
        grant_type: 'refresh_token',
        refresh_token: upstreamToken,
        client_id: clientId,
        client_secret: clientSecret,
      });
    });

    it('is aborted when the timeout expires', async () => {
      const fetch: ProviderIo['fetch'] = (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        });
      const result = await oauth2(plainSettings).validateRefreshToken(upstreamToken, {
        ...createFakeIssuer().io,
        fetch,
        timeoutMs: 0,
      });
      expect(result).toEqual({ kind: 'unknown', reason: 'plain.example took too long' });
    });
  });

  const p8 = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
  const baseUrl = 'http://127.0.0.1:4001';
  const settings = { clientId, clientSecret, baseUrl };
  const appleSettings = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', baseUrl };

  /** The host of a provider, with its metadata if it has any, and one response to every refresh. */
  const createFakeHost = (body: unknown, status = 200) => {
    const bodies: string[] = [];
    const fetch: ProviderIo['fetch'] = async (input, init) => {
      const [issuer] = String(input).split('/.well-known');
      if (issuer !== String(input)) return json(metadataOf(issuer?.replace('/common', '/{tenantid}') ?? ''));
      bodies.push(String(init?.body));
      return json(body, status);
    };
    return { bodies, io: { ...createFakeIssuer().io, fetch, allowLoopbackHttp: true } };
  };

  const metadataOf = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${baseUrl}/authorize`,
    token_endpoint: `${baseUrl}/token`,
    jwks_uri: `${baseUrl}/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
  });

  describe('errors that mean revoked, and the recheck interval:', () => {
    const errorCodes = ['invalid_grant', 'interaction_required', 'consent_required', 'bad_refresh_token'];

    it.each([
      ['Google', google(settings), ['invalid_grant'], 600, false],
      ['Microsoft', microsoft(settings), errorCodes.slice(0, 3), 600, false],
      ['GitHub', github(settings), ['bad_refresh_token'], 600, true],
      ['Apple', apple({ ...appleSettings, privateKey: p8 }), ['invalid_grant'], 86_400, false],
    ])('%s', async (_, provider, revokedErrors, recheckInterval, singleUse) => {
      const recheckKind = async (error: string) =>
        (await provider.validateRefreshToken(upstreamToken, createFakeHost({ error }, 400).io)).kind;
      const kinds = await Promise.all(
        errorCodes.map(async (code) => [code, await recheckKind(code)] as const),
      );
      expect(kinds.filter(([, kind]) => kind === 'revoked').map(([code]) => code)).toEqual(revokedErrors);
      expect(kinds.filter(([, kind]) => kind === 'active')).toEqual([]);
      expect(provider.recheckInterval).toBe(recheckInterval);
      expect(provider.singleUseRefreshTokens).toBe(singleUse);
      expect(
        await provider.validateRefreshToken(upstreamToken, createFakeHost({ access_token: 'x' }).io),
      ).toEqual({
        kind: 'active',
      });
    });

    it('Apple gets a client secret that is signed for the request', async () => {
      const { io, bodies } = createFakeHost({ access_token: 'x' });
      await apple({ ...appleSettings, privateKey: p8 }).validateRefreshToken(upstreamToken, io);
      const { client_secret: secret = '' } = Object.fromEntries(new URLSearchParams(bodies[0]));
      expect(JSON.parse(atob(secret.split('.')[1] ?? ''))).toMatchObject({
        aud: baseUrl,
        sub: clientId,
        iat: 1_800_000_000,
      });
    });

    it('can be configured for a custom provider', async () => {
      const provider = oauth2({
        ...plainSettings,
        recheckInterval: 60,
        revokedErrors: ['expired'],
        singleUseRefreshTokens: false,
      });
      expect(provider).toMatchObject({
        recheckInterval: 60,
        revokedErrors: ['expired'],
        singleUseRefreshTokens: false,
      });
      expect(oauth2(plainSettings).singleUseRefreshTokens).toBe(true);
      const recheckWithError = (error: string) =>
        provider.validateRefreshToken(upstreamToken, createFakeHost({ error }, 400).io);
      expect(await recheckWithError('expired')).toEqual({ kind: 'revoked' });
      expect(await recheckWithError('invalid_grant')).toMatchObject({ kind: 'unknown' });
    });
  });
});

describe('revocation (RFC 7009)', () => {
  const form = {
    token: upstreamToken,
    token_type_hint: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
  };

  /** The `revoke` of a provider, and the requests that its revocation endpoint received. */
  interface RevocationRecorder {
    readonly revoke: () => Promise<void>;
    readonly requests: readonly { readonly url: string; readonly form: object }[];
  }

  const createRecorder = (
    provider: IdentityProvider,
    io: ProviderIo,
    respond: Respond,
  ): RevocationRecorder => {
    const requests: { readonly url: string; readonly form: object }[] = [];
    const fetch: ProviderIo['fetch'] = async (input, init) => {
      if (!String(input).endsWith('/revoke')) return io.fetch(input, init);
      requests.push({
        url: String(input),
        form: Object.fromEntries(new URLSearchParams(String(init?.body))),
      });
      return respond();
    };
    const revoke = async () => {
      if (provider.revoke === undefined) throw new Error('the provider has no revoke');
      await provider.revoke(upstreamToken, { ...io, fetch });
    };
    return { revoke, requests };
  };

  /** An OpenID Connect issuer and an OAuth 2.0 server that both return this response. */
  const createRecorders = (respond: Respond = () => new Response()): readonly RevocationRecorder[] => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata: { revocation_endpoint: 'https://id.example/revoke' } });
    return [
      createRecorder(createOidcProvider(issuer), issuer.io, respond),
      createRecorder(
        createOAuth2Provider({ revocationUrl: 'https://id.example/revoke' }),
        issuer.io,
        respond,
      ),
    ];
  };

  describe('a refresh token', () => {
    it('is sent to the revocation endpoint, with our credentials', async () => {
      for (const { revoke, requests } of createRecorders()) {
        await revoke();
        expect(requests).toEqual([{ url: 'https://id.example/revoke', form }]);
      }
    });

    it('that is already invalid is not an error', async () => {
      for (const { revoke } of createRecorders(() =>
        Response.json({ error: 'invalid_token' }, { status: 400 }),
      ))
        await expect(revoke()).resolves.toBeUndefined();
    });

    it.each([null, '', false])('is revoked if the error is %j, but only with status 200', async (error) => {
      for (const { revoke } of createRecorders(() => Response.json({ error })))
        await expect(revoke()).resolves.toBeUndefined();
      for (const { revoke } of createRecorders(() => Response.json({ error }, { status: 400 })))
        expect(await captureProviderError(revoke())).toMatchObject({ kind: 'invalid' });
    });

    it.each<[string, Respond, string, string]>([
      [
        'our secret is wrong',
        () => Response.json({ error: 'invalid_client', error_description: 'their-words' }, { status: 401 }),
        'invalid',
        'the revocation endpoint responded with invalid_client',
      ],
      [
        'it does not support refresh tokens',
        () => Response.json({ error: 'unsupported_token_type' }, { status: 400 }),
        'invalid',
        'the revocation endpoint responded with unsupported_token_type',
      ],
      [
        'it returns an unknown error',
        () => Response.json({ error: 'their-refresh-token' }),
        'invalid',
        'the revocation endpoint responded with an unregistered error code',
      ],
      [
        'it returns an HTML page',
        () => new Response('their-page', { status: 404 }),
        'invalid',
        'the revocation endpoint responded with status 404',
      ],
      [
        'it is unavailable',
        () => new Response(null, { status: 503 }),
        'unavailable',
        'id.example responded with status 503',
      ],
      [
        'it cannot be reached',
        () => Promise.reject(new TypeError('their-network')),
        'unavailable',
        'id.example could not be reached',
      ],
    ])('is not revoked if %s', async (_, respond, kind, reason) => {
      for (const { revoke } of createRecorders(respond))
        expect(await captureProviderError(revoke())).toEqual({ kind, reason });
    });
  });

  describe('an issuer', () => {
    it.each([undefined, null, ''])(
      'without a revocation endpoint (%j) gets no request',
      async (revocationEndpoint) => {
        const issuer = createFakeIssuer();
        issuer.override({ metadata: { revocation_endpoint: revocationEndpoint } });
        const { revoke, requests } = createRecorder(
          createOidcProvider(issuer),
          issuer.io,
          () => new Response(),
        );
        await revoke();
        expect(requests).toEqual([]);
        expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
      },
    );

    it.each(['http://id.example/revoke', 'https://10.0.0.1/revoke', 7])(
      'whose revocation endpoint is %s is not sent the token, and sign-ins succeed',
      async (revocation_endpoint) => {
        const issuer = createFakeIssuer();
        issuer.override({ metadata: { revocation_endpoint } });
        const provider = createOidcProvider(issuer);
        const { revoke, requests } = createRecorder(provider, issuer.io, () => new Response());
        expect(await captureProviderError(revoke())).toEqual({
          kind: 'invalid',
          reason: 'the revocation_endpoint of id.example is not an allowed URL',
        });
        expect(requests).toEqual([]);
        expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).host).toBe('id.example');
      },
    );
  });

  describe('an OAuth 2.0 server', () => {
    it('gets a request if configured', () => {
      expect(github({ clientId, clientSecret })).not.toHaveProperty('revoke');
      expect(discord({ clientId, clientSecret }).configuredUrls).toContain(
        'https://discord.com/api/oauth2/token/revoke',
      );
    });

    it('gets a request only over https, or on loopback', () => {
      expect(() => createOAuth2Provider({ revocationUrl: 'http://acme.example/revoke' })).toThrow(
        expect.objectContaining({ option: 'providers.acme.revocationUrl' }),
      );
    });
  });
});
