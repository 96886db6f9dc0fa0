/** Providers that support OAuth 2.0 without OpenID Connect. */

import { exportPKCS8, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import guide from '../../../../docs/guides/write-a-provider.md?raw';
import reference from '../../../../docs/reference/providers.md?raw';
import { apple, github, google, type IdentityProvider, microsoft, oidc } from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { discord } from './discord.ts';
import source from './discord.ts?raw';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  code,
  invisibleTexts,
  upstreamRequest,
} from './fake-issuer.ts';
import { createFakeServer, createOAuth2Provider, type ServerEndpoint } from './fake-oauth-server.ts';

describe('an OAuth 2.0 server', () => {
  const invalid = (reason: string) => ({ kind: 'invalid', reason });

  /** Expects a refusal before the code is sent anywhere. */
  const captureErrorBeforeTokenRequest = async (callbackUrl: URL) => {
    const server = createFakeServer();
    const error = await captureProviderError(
      createOAuth2Provider().handleCallback(callbackUrl, upstreamRequest, server.io),
    );
    expect(server.listRequestedEndpoints()).toEqual([]);
    return error;
  };

  describe('the authorization request', () => {
    it('contains state and PKCE, keeps the endpoint’s own query, and needs no other request first', async () => {
      const server = createFakeServer();
      const url = await createOAuth2Provider().authorizationUrl(upstreamRequest, server.io);
      expect(url.origin + url.pathname).toBe('https://acme.example/authorize');
      expect([...url.searchParams]).toEqual([
        ['tenant', '7'],
        ['client_id', clientId],
        ['response_type', 'code'],
        ['redirect_uri', upstreamRequest.redirectUri],
        ['state', upstreamRequest.state],
        ['code_challenge', challenge],
        ['code_challenge_method', 'S256'],
      ]);
      expect(server.requests).toEqual([]);
    });

    it('contains the publisher’s scopes and parameters', async () => {
      const provider = createOAuth2Provider({
        scopes: ['identify', 'email'],
        authorizationParameters: { prompt: 'none' },
      });
      const { searchParams } = await provider.authorizationUrl(upstreamRequest, createFakeServer().io);
      expect(Object.fromEntries(searchParams)).toMatchObject({ scope: 'identify email', prompt: 'none' });
    });

    it('is built by a provider that has the default options and lists all its URLs', () => {
      expect(createOAuth2Provider()).toMatchObject({
        id: 'acme',
        displayName: 'Acme',
        responseMode: 'query',
        revokedErrors: ['invalid_grant'],
        configuredUrls: [
          'https://acme.example/authorize?tenant=7',
          'https://acme.example/token',
          'https://api.acme.example/me',
        ],
      });
    });

    it('is built by a provider that has an icon only if the options have one', () => {
      const icon = '<svg xmlns="http://www.w3.org/2000/svg"/>';
      expect(createOAuth2Provider({ icon }).icon).toBe(icon);
      expect(Object.keys(createOAuth2Provider())).not.toContain('icon');
    });
  });

  describe('the callback', () => {
    it('returns an identity from the profile', async () => {
      const server = createFakeServer();
      server.overrideTokens({ refresh_token: 'their-refresh-token' });
      server.overrideProfile({ email: 'ada@example.com', email_verified: true });
      const provider = createOAuth2Provider({ offlineAccess: 'always' });
      expect(await provider.handleCallback(callback(), upstreamRequest, server.io)).toEqual({
        provider: 'acme',
        subject: 'person-1',
        label: 'Ada',
        email: 'ada@example.com',
        emailVerified: false,
        refreshToken: 'their-refresh-token',
        claims: { id: 'person-1', name: 'Ada', email: 'ada@example.com', email_verified: true },
      });
    });

    it('redeems the code with the secret in the form, and sends the token only to the profile endpoint', async () => {
      const server = createFakeServer();
      await createOAuth2Provider().handleCallback(callback(), upstreamRequest, server.io);
      const [token, profile] = server.requests;
      expect(server.listRequestedEndpoints()).toEqual(['token', 'profile']);
      expect(token?.method).toBe('POST');
      expect(Object.fromEntries((await token?.formData()) ?? [])).toEqual({
        redirect_uri: upstreamRequest.redirectUri,
        code,
        code_verifier: upstreamRequest.codeVerifier,
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: clientSecret,
      });
      expect(token?.headers.get('authorization')).toBeNull();
      expect(Object.fromEntries(profile?.headers ?? [])).toEqual({
        accept: 'application/json',
        authorization: 'Bearer their-access-token',
        'user-agent': 'assistant-auth',
      });
    });

    it.each(invisibleTexts)('has neither a label nor an email address that is only %s', async (_, text) => {
      const server = createFakeServer();
      server.overrideProfile({ name: text, email: text });
      const provider = createOAuth2Provider({
        mapProfile: ({ id, name, email }) => ({
          subject: String(id),
          labels: [email, name],
          email,
          emailVerified: true,
        }),
      });
      expect(await provider.handleCallback(callback(), upstreamRequest, server.io)).toEqual({
        provider: 'acme',
        subject: 'person-1',
        emailVerified: false,
        claims: { id: 'person-1', name: text, email: text },
      });
    });

    it('has no refresh token if none was returned', async () => {
      const identity = await createOAuth2Provider().handleCallback(
        callback(),
        upstreamRequest,
        createFakeServer().io,
      );
      expect(identity).not.toHaveProperty('refreshToken');
    });
  });

  describe('the authorization response', () => {
    it.each([
      [
        'B5.1 of another issuer',
        { iss: 'https://evil.example' },
        'the authorization response is from another issuer',
      ],
      [
        'B5.1 of its issuer with a slash',
        { iss: 'https://acme.example/' },
        'the authorization response is from another issuer',
      ],
      [
        'of another login transaction',
        { state: 'another' },
        'the authorization response is for another sign-in',
      ],
      ['without a state', { state: null }, 'the authorization response is for another sign-in'],
      ['B12.2 without a code', { code: null }, 'the authorization response has no code'],
      ['B12.2 with an empty code', { code: '' }, 'the authorization response has no code'],
    ])('%s is refused and its code is not sent anywhere', async (_, changes, reason) => {
      expect(await captureErrorBeforeTokenRequest(callback(changes))).toEqual(invalid(reason));
    });

    it('with its issuer is accepted', async () => {
      const callbackUrl = callback({ iss: 'https://acme.example' });
      expect(
        await createOAuth2Provider().handleCallback(callbackUrl, upstreamRequest, createFakeServer().io),
      ).toMatchObject({
        subject: 'person-1',
      });
    });

    it.each([
      ['access_denied', 'denied', 'access_denied'],
      ['temporarily_unavailable', 'unavailable', 'temporarily_unavailable'],
      ['redirect_uri_mismatch', 'invalid', 'redirect_uri_mismatch'],
      ['code-of-this-transaction', 'invalid', 'an unregistered error code'],
    ])('B12.1 with the error %s ends the sign-in', async (error, kind, description) => {
      expect(
        await captureErrorBeforeTokenRequest(callback({ error, error_description: 'their-text' })),
      ).toEqual({
        kind,
        reason: `the provider responded with ${description}`,
      });
    });
  });

  describe('the token endpoint', () => {
    const captureTokenError = async (respond: () => Response) => {
      const server = createFakeServer();
      server.overrideEndpoints({ token: respond });
      const error = await captureProviderError(
        createOAuth2Provider().handleCallback(callback(), upstreamRequest, server.io),
      );
      expect(server.listRequestedEndpoints()).toEqual(['token']);
      return error;
    };

    it.each([
      ['invalid_grant', 400],
      ['bad_verification_code', 200],
      ['incorrect_client_credentials', 200],
      ['application_suspended', 200],
    ])('that returns %s with status %i ends the sign-in as invalid', async (error, status) => {
      expect(
        await captureTokenError(() => Response.json({ error, error_description: 'their-text' }, { status })),
      ).toEqual(invalid(`the token endpoint responded with ${error}`));
    });

    it('that returns an unregistered error code with 200 is not quoted, and its tokens are ignored', async () => {
      const body = { error: 'their-secret', access_token: 'their-access-token', token_type: 'bearer' };
      expect(await captureTokenError(() => Response.json(body))).toEqual(
        invalid('the token endpoint responded with an unregistered error code'),
      );
    });

    it.each([
      ['text', () => new Response('access_token=their-access-token&token_type=bearer')],
      ['no access token', () => Response.json({ token_type: 'bearer' })],
      ['no bearer token', () => Response.json({ access_token: 'their-access-token', token_type: 'mac' })],
      [
        'a token that is not allowed in a header',
        () => Response.json({ access_token: 'their\ntoken', token_type: 'bearer' }),
      ],
      ['a list', () => Response.json([])],
      ['null', () => Response.json(null)],
      ['broken JSON', () => new Response('{', { headers: { 'content-type': 'application/json' } })],
    ])('that returns %s is refused', async (_, respond) => {
      expect(await captureTokenError(respond)).toMatchObject({ kind: 'invalid' });
    });
  });

  describe('the profile', () => {
    const captureProfileError = async (respond: () => Response) => {
      const server = createFakeServer();
      server.overrideEndpoints({ profile: respond });
      return captureProviderError(
        createOAuth2Provider().handleCallback(callback(), upstreamRequest, server.io),
      );
    };

    it.each([
      ['without an ID', () => Response.json({ name: 'Ada' }), 'the profile response has no user ID'],
      [
        'with an array as ID',
        () => Response.json({ id: ['person-1'] }),
        'the profile response has no user ID',
      ],
      [
        'with an empty ID',
        () => Response.json({ id: '' }),
        'the subject is not a string, is empty, or is too long',
      ],
      [
        'with an ID that is too long',
        () => Response.json({ id: 'x'.repeat(256) }),
        'the subject is not a string, is empty, or is too long',
      ],
      ['that is a string', () => Response.json('their-text'), 'the profile response is not a JSON object'],
      ['that is null', () => Response.json(null), 'the profile response is not a JSON object'],
      ['that is not JSON', () => new Response('their-page'), 'the profile response is not a JSON object'],
      [
        'with status 401',
        () => Response.json({ id: 'person-1' }, { status: 401 }),
        'the profile endpoint responded with status 401',
      ],
      [
        'with status 403',
        () => Response.json({ id: 'person-1' }, { status: 403 }),
        'the profile endpoint responded with status 403',
      ],
    ])('%s is refused', async (_, respond, reason) => {
      expect(await captureProfileError(respond)).toEqual(invalid(reason));
    });

    it.each<[ServerEndpoint, string]>([
      ['token', 'acme.example'],
      ['profile', 'api.acme.example'],
    ])('B13.1 5xx and B13.2 429 from the %s endpoint mean that it is unavailable', async (endpoint, host) => {
      for (const status of [500, 503, 429]) {
        const server = createFakeServer();
        server.overrideEndpoints({ [endpoint]: () => new Response('their-page', { status }) });
        expect(
          await captureProviderError(
            createOAuth2Provider().handleCallback(callback(), upstreamRequest, server.io),
          ),
        ).toEqual({
          kind: 'unavailable',
          reason: `${host} responded with status ${status}`,
        });
      }
    });

    it('is not fetched from another host', async () => {
      const server = createFakeServer();
      const headers = { location: 'https://evil.example/' };
      server.overrideEndpoints({ profile: () => new Response(null, { status: 302, headers }) });
      expect(
        await captureProviderError(
          createOAuth2Provider().handleCallback(callback(), upstreamRequest, server.io),
        ),
      ).toEqual(invalid('api.acme.example responded with status 302'));
      expect(server.listRequestedEndpoints()).toEqual(['token', 'profile']);
    });
  });

  describe('options', () => {
    const invalidUrlMessage =
      'must be an https URL without user information or fragment, or an http URL on loopback.';

    it.each(['issuer', 'authorizationUrl', 'tokenUrl', 'profileUrl'])(
      'fail at startup for an invalid %s',
      (option) => {
        for (const value of [
          '',
          'acme.example',
          'http://acme.example',
          'https://u@acme.example',
          'https://acme.example#x',
        ]) {
          expect(() => createOAuth2Provider({ [option]: value })).toThrow(
            new ConfigurationError(`providers.acme.${option}`, invalidUrlMessage),
          );
        }
      },
    );
  });
});

describe('the Discord example in docs/guides/write-a-provider.md', () => {
  const addresses = {
    token: 'https://discord.com/api/oauth2/token',
    profile: 'https://discord.com/api/v10/users/@me',
  };
  const nelly = { id: '80351110224678912', username: 'nelly', global_name: 'Nelly', verified: true };

  const setUp = () => {
    const server = createFakeServer(addresses, nelly);
    const provider = discord({ clientId, clientSecret });
    return {
      server,
      provider,
      handleCallback: (callbackUrl = callback()) =>
        provider.handleCallback(callbackUrl, upstreamRequest, server.io),
    };
  };

  describe('the documentation', () => {
    it('contains the tested example', () => {
      const example = source
        .replace(/^\/\*\*.*\n/, '')
        .replace("'../../src/index.ts'", "'assistant-auth'")
        .trim();
      expect(guide).toContain(`\`\`\`ts\n// src/discord.ts\n${example}\n\`\`\``);
      expect(source.split('\n').length).toBeLessThan(50);
    });

    it('lists the errors that mean revoked for each provider', async () => {
      const settings = { clientId, clientSecret };
      const key = { teamId: 'ABCDE12345', keyId: 'FGHIJ67890', privateKey: await generateAppleKey() };
      const issuer = oidc({
        ...settings,
        id: 'acme',
        displayName: 'any issuer',
        issuer: 'https://id.example',
      });
      const providers: readonly IdentityProvider[] = [
        ...[google(settings), github(settings), microsoft(settings), apple({ clientId, ...key })],
        ...[issuer, discord(settings)],
      ];
      for (const { displayName, revokedErrors } of providers) {
        const row = `| ${displayName} | ${revokedErrors.map((code) => `\`${code}\``).join(', ')} |`;
        expect(reference.toLowerCase()).toContain(row.toLowerCase());
      }
    });
  });

  describe('discord', () => {
    it('requests only the identity', async () => {
      const { provider, server } = setUp();
      const url = await provider.authorizationUrl(upstreamRequest, server.io);
      expect(url.origin + url.pathname).toBe('https://discord.com/oauth2/authorize');
      expect(Object.fromEntries(url.searchParams)).toEqual({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: upstreamRequest.redirectUri,
        scope: 'identify',
        state: upstreamRequest.state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
    });

    it('uses the snowflake as the subject, whatever the name is', async () => {
      const { server, handleCallback } = setUp();
      server.overrideTokens({ refresh_token: 'their-refresh-token' });
      expect(await handleCallback(callback({ iss: 'https://discord.com' }))).toEqual({
        provider: 'discord',
        subject: '80351110224678912',
        label: 'Nelly',
        emailVerified: false,
        refreshToken: 'their-refresh-token',
        claims: nelly,
      });
      server.overrideProfile({ global_name: null, username: 'nelly.2' });
      expect(await handleCallback()).toMatchObject({ subject: '80351110224678912', label: 'nelly.2' });
    });

    it.each([undefined, null, 80_351_110_224_678_912, '', 'nelly', '-80351110224678912', '1'.repeat(21)])(
      'refuses the ID %j',
      async (id) => {
        const { server, handleCallback } = setUp();
        server.overrideProfile({ id });
        expect(await captureProviderError(handleCallback())).toEqual({
          kind: 'invalid',
          reason: 'the profile response has no user ID',
        });
      },
    );

    it('sends form-encoded requests, as Discord requires', async () => {
      const { server, handleCallback } = setUp();
      await handleCallback();
      expect(server.requests[0]?.headers.get('content-type')).toMatch(/^application\/x-www-form-urlencoded/);
    });
  });

  const generateAppleKey = async (): Promise<string> => {
    return exportPKCS8((await generateKeyPair('ES256', { extractable: true })).privateKey);
  };
});
