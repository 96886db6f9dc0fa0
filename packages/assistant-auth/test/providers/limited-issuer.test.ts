/** The options for issuers that do not support nonce, PKCE, a client authentication method or discovery. */

import { describe, expect, it } from 'vitest';
import { createBroker, google } from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import type { OAuth2Options } from '../../src/providers/oauth2.ts';
import { type OidcOptions, oidc } from '../../src/providers/oidc.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { issuer as brokerIssuer, clients, keys } from '../deployment.ts';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  code,
  createFakeIssuer,
  createOidcProvider,
  upstreamRequest,
} from './fake-issuer.ts';
import { createFakeServer, createOAuth2Provider } from './fake-oauth-server.ts';
import { createLimitedIssuer } from './limited-issuer.ts';
import { type Claims, generateKey, sign } from './signing.ts';

const invalid = (reason: string) => ({ kind: 'invalid', reason });
const otherSignIn = invalid('the ID token is for another sign-in');
const person = { provider: 'acme', subject: 'person-1' };
const pkceParameters = ['code_challenge', 'code_challenge_method', 'code_verifier'];

describe('nonce: false', () => {
  it('is needed for an issuer that rejects the parameter, and sends none', async () => {
    const limits = { rejectedParameters: ['nonce'] };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({}))).toEqual(
      invalid('the provider responded with invalid_request'),
    );
    const { signIn, readAuthorizationRequest } = createLimitedIssuer(limits);
    expect(await signIn({ nonce: false })).toMatchObject(person);
    expect(readAuthorizationRequest()).not.toHaveProperty('nonce');
    expect(Object.keys(readAuthorizationRequest())).toEqual(
      expect.arrayContaining(['state', 'code_challenge', 'code_challenge_method']),
    );
  });

  it.each([
    ['no nonce', undefined],
    ['null', null],
    ['an empty nonce', ''],
  ])('is needed for an issuer that returns %s', async (_, nonce) => {
    const limits = { nonce: () => nonce };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({}))).toEqual(otherSignIn);
    expect(await createLimitedIssuer(limits).signIn({ nonce: false })).toMatchObject(person);
  });

  it.each([
    ['another nonce', 'nonce-of-another-sign-in'],
    ['a space', ' '],
    ['a number', 0],
    ['false', false],
    ['a list', [upstreamRequest.nonce]],
  ])('B26.1 without a nonce: an ID token with %s is refused', async (_, nonce) => {
    const limits = { nonce: () => nonce };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({ nonce: false }))).toEqual(
      otherSignIn,
    );
  });

  it('B26.1 without a nonce: the code of another sign-in is refused by an issuer that enforces PKCE', async () => {
    const { issuer, signIn } = createLimitedIssuer({ rejectedParameters: ['nonce'] });
    await signIn({ nonce: false });
    // The request of the attacker has another verifier than that of the victim, whose code this is.
    const injected = { ...upstreamRequest, codeVerifier: 'x'.repeat(43) };
    const provider = createOidcProvider(issuer, { nonce: false });
    expect(await captureProviderError(provider.handleCallback(callback(), injected, issuer.io))).toEqual(
      invalid('the token endpoint responded with invalid_grant'),
    );
  });

  it('keeps every other check of the ID token', async () => {
    const issuer = createFakeIssuer();
    const provider = createOidcProvider(issuer, { nonce: false });
    const forger = await generateKey('key-1');
    const cases: readonly [Claims, string][] = [
      [{ aud: 'another-client' }, 'the ID token is for another client'],
      [{ iss: 'https://evil.example' }, 'the ID token is from another issuer'],
      [{ exp: 1 }, 'the ID token has expired'],
    ];
    for (const [claims, reason] of cases) {
      issuer.override({ claims: { nonce: undefined, ...claims } });
      expect(
        await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io)),
      ).toEqual(invalid(reason));
    }
    issuer.override({ claims: { nonce: undefined }, makeIdToken: (claims) => sign(claims, forger) });
    expect(
      await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io)),
    ).toMatchObject({ kind: 'invalid' });
  });
});

describe('pkce: false', () => {
  it('is needed for an issuer that rejects the parameters, and sends none', async () => {
    const limits = { rejectedParameters: pkceParameters };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({}))).toEqual(
      invalid('the provider responded with invalid_request'),
    );
    const { signIn, readAuthorizationRequest, readTokenRequest } = createLimitedIssuer(limits);
    expect(await signIn({ pkce: false })).toMatchObject(person);
    expect(readAuthorizationRequest()).toMatchObject({ nonce: upstreamRequest.nonce });
    for (const name of pkceParameters) {
      expect(readAuthorizationRequest()).not.toHaveProperty(name);
      expect(readTokenRequest().form).not.toHaveProperty(name);
    }
  });

  it('is needed for an issuer that rejects only the code verifier', async () => {
    const limits = { rejectedParameters: ['code_verifier'] };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({}))).toEqual(
      invalid('the token endpoint responded with invalid_request'),
    );
    expect(await createLimitedIssuer(limits).signIn({ pkce: false })).toMatchObject(person);
  });

  it.each([
    ['no nonce', undefined],
    ['null', null],
    ['an empty nonce', ''],
    ['the nonce of another sign-in', 'nonce-of-another-sign-in'],
  ])('B26.2 without PKCE: an ID token with %s is refused', async (_, nonce) => {
    const limits = { rejectedParameters: pkceParameters, nonce: () => nonce };
    expect(await captureProviderError(createLimitedIssuer(limits).signIn({ pkce: false }))).toEqual(
      otherSignIn,
    );
  });

  it('is an option of oauth2(), too', async () => {
    const server = createFakeServer();
    const provider = createOAuth2Provider({ pkce: false });
    const { searchParams } = await provider.authorizationUrl(upstreamRequest, server.io);
    expect([...searchParams.keys()]).toEqual([
      'tenant',
      'client_id',
      'response_type',
      'redirect_uri',
      'state',
    ]);
    expect(await provider.handleCallback(callback(), upstreamRequest, server.io)).toMatchObject(person);
    expect(Object.fromEntries((await server.requests[0]?.formData()) ?? [])).toEqual({
      ...{ grant_type: 'authorization_code', code, redirect_uri: upstreamRequest.redirectUri },
      ...{ client_id: clientId, client_secret: clientSecret },
    });
  });
});

describe('tokenAuthMethod', () => {
  const methods = ['client_secret_post', 'client_secret_basic', 'client_secret_basic_unencoded'] as const;

  it.each(methods.flatMap((accepted) => methods.map((used) => [used, accepted] as const)))(
    '%s lets users sign in at an issuer that accepts only %s, if they are equal',
    async (tokenAuthMethod, authMethod) => {
      // The option counts, whatever the metadata lists.
      for (const listed of [
        undefined,
        ['client_secret_post', 'client_secret_basic'],
        ['private_key_jwt'],
        7,
      ]) {
        const metadata = { token_endpoint_auth_methods_supported: listed };
        const { signIn } = createLimitedIssuer({ authMethod, metadata });
        if (tokenAuthMethod === authMethod) expect(await signIn({ tokenAuthMethod })).toMatchObject(person);
        else
          expect(await captureProviderError(signIn({ tokenAuthMethod }))).toEqual(
            invalid('the token endpoint responded with invalid_client'),
          );
      }
    },
  );

  it.each(methods)('%s also applies to rechecks and revocations', async (tokenAuthMethod) => {
    const revocation_endpoint = 'https://id.example/revoke';
    const { issuer } = createLimitedIssuer({
      authMethod: tokenAuthMethod,
      metadata: { revocation_endpoint },
    });
    const provider = createOidcProvider(issuer, { tokenAuthMethod });
    expect(await provider.validateRefreshToken('their-refresh-token', issuer.io)).toEqual({ kind: 'active' });
    // The issuer has no such endpoint, but receives the request.
    await captureProviderError(provider.revoke?.('their-refresh-token', issuer.io) ?? Promise.resolve());
    const [sent, revoked] = issuer.requests.filter(({ method }) => method === 'POST');
    const readCredentials = (request: typeof sent) => ({
      authorization: new Headers(request?.headers).get('authorization'),
      secret: new URLSearchParams(request?.body).get('client_secret'),
    });
    expect(revoked?.url).toBe(revocation_endpoint);
    expect(readCredentials(revoked)).toEqual(readCredentials(sent));
  });

  it.each<[OAuth2Options['tokenAuthMethod'], string | null, string | null]>([
    ['client_secret_post', null, clientSecret],
    ['client_secret_basic_unencoded', `Basic ${btoa(`${clientId}:${clientSecret}`)}`, null],
  ])('is an option of oauth2(), too: %s', async (tokenAuthMethod, authorization, secret) => {
    const server = createFakeServer();
    const provider = createOAuth2Provider({ ...(tokenAuthMethod && { tokenAuthMethod }) });
    await provider.handleCallback(callback(), upstreamRequest, server.io);
    const [request] = server.requests;
    expect(request?.headers.get('authorization')).toBe(authorization);
    expect((await request?.formData())?.get('client_secret') ?? null).toBe(secret);
  });
});

describe('discoveryUrl', () => {
  const discoveryUrl = 'https://config.example/acme/.well-known/openid-configuration?tenant=7';

  const setUp = (metadata: Claims = {}, options: Partial<OidcOptions> = {}) => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata });
    const requests: string[] = [];
    const fetch: typeof issuer.io.fetch = async (input, init) => {
      requests.push(String(input));
      const url =
        String(input) === discoveryUrl ? `${issuer.issuer}/.well-known/openid-configuration` : input;
      return issuer.io.fetch(url, init);
    };
    const io = { ...issuer.io, fetch };
    const provider = createOidcProvider(issuer, { discoveryUrl, ...options });
    return { requests, provider, io, signIn: () => provider.handleCallback(callback(), upstreamRequest, io) };
  };

  it('is where the metadata is read, and tokens are from the issuer that it names', async () => {
    const { provider, requests, signIn } = setUp();
    expect(await signIn()).toMatchObject({ ...person, claims: { iss: 'https://id.example' } });
    expect(requests).toEqual([discoveryUrl, 'https://id.example/token', 'https://id.example/keys']);
    expect(provider.configuredUrls).toEqual(['https://id.example', discoveryUrl]);
  });

  it.each(['https://config.example/acme', 'https://config.example', 'https://evil.example', discoveryUrl])(
    'B27.1 other metadata: metadata that names %s is refused',
    async (issuer) => {
      const { requests, signIn } = setUp({ issuer });
      expect(await captureProviderError(signIn())).toEqual(
        invalid('the metadata of config.example names another issuer'),
      );
      expect(requests).toEqual([discoveryUrl]);
    },
  );

  it('B27.1 other metadata: without the option, metadata at another URL is not read', async () => {
    const issuer = createFakeIssuer();
    const provider = createOidcProvider(issuer);
    await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(issuer.requests.map(({ url }) => url)).toEqual([
      'https://id.example/.well-known/openid-configuration',
    ]);
    expect(provider.configuredUrls).toEqual(['https://id.example']);
  });

  it.each([
    ['token_endpoint', 'http://config.example/token'],
    ['token_endpoint', 'https://10.0.0.5/token'],
    ['jwks_uri', 'https://169.254.169.254/keys'],
    ['jwks_uri', 'https://[::1]/keys'],
    ['authorization_endpoint', 'https://localhost/authorize'],
  ])('B27.2 internal URLs: metadata with %s %s is refused', async (name, value) => {
    const { requests, signIn } = setUp({ [name]: value });
    expect(await captureProviderError(signIn())).toEqual(
      invalid(`the ${name} of config.example is not an allowed URL`),
    );
    expect(requests).toEqual([discoveryUrl]);
  });

  it('B27.2 internal URLs: the metadata, UserInfo and revocation at an IP address are only that of this URL', async () => {
    const atAddress = 'https://10.0.0.5/metadata';
    const issuer = createFakeIssuer();
    issuer.override({
      metadata: { token_endpoint: 'https://10.0.0.5/token', revocation_endpoint: 'https://10.0.0.6/revoke' },
    });
    const fetch: typeof issuer.io.fetch = (input, init) =>
      issuer.io.fetch(
        String(input) === atAddress ? `${issuer.issuer}/.well-known/openid-configuration` : input,
        init,
      );
    const provider = createOidcProvider(issuer, { discoveryUrl: atAddress });
    const io = { ...issuer.io, fetch };
    expect(await provider.handleCallback(callback(), upstreamRequest, io)).toMatchObject(person);
    expect(await captureProviderError(provider.revoke?.('x', io) ?? Promise.resolve())).toEqual(
      invalid('the revocation_endpoint of 10.0.0.5 is not an allowed URL'),
    );
    const [named, unnamed] = ['https://10.0.0.5/userinfo', 'https://10.0.0.6/userinfo'];
    for (const userinfo_endpoint of [named, unnamed]) {
      issuer.advance(3600);
      issuer.override({
        metadata: { token_endpoint: 'https://10.0.0.5/token', userinfo_endpoint },
        claims: { email: undefined },
        userInfo: { email: 'ada@example.com' },
      });
      const signIn = provider.handleCallback(callback(), upstreamRequest, io);
      if (userinfo_endpoint === named) expect(await signIn).toMatchObject({ email: 'ada@example.com' });
      else
        expect(await captureProviderError(signIn)).toEqual(
          invalid('the userinfo_endpoint of 10.0.0.5 is not an allowed URL'),
        );
    }
  });

  const loopback = 'http://127.0.0.1:4001/metadata';

  it('B27.2 internal URLs: is refused on loopback, unless the broker is on loopback', async () => {
    const { io, requests, provider } = setUp({}, { discoveryUrl: loopback });
    expect(await captureProviderError(provider.authorizationUrl(upstreamRequest, io))).toEqual(
      invalid('the metadata URL of 127.0.0.1:4001 is not an allowed URL'),
    );
    expect(requests).toEqual([]);
    const options = {
      ...{ issuer: brokerIssuer, sealingKeys: keys, storage: memoryStorage(), clients },
      scopes: { words: 'read words', score: 'see your score' },
    };
    expect(() => createBroker({ ...options, providers: [provider] })).toThrow(
      expect.objectContaining({ option: 'providers.acme' }),
    );
  });
});

describe('options', () => {
  const settings = { id: 'acme', displayName: 'Acme', issuer: 'https://id.example', clientId, clientSecret };
  const badUrl = 'must be an https URL without user information or fragment, or an http URL on loopback.';
  const badMethod = 'must be client_secret_post, client_secret_basic or client_secret_basic_unencoded.';
  const both = 'must not be false if pkce is false.';

  /** Accepts what the compiler would reject: options can come from environment variables and JavaScript. */
  const captureStartupError = (create: (changes: OidcOptions) => unknown, changes: object): unknown => {
    try {
      return create(JSON.parse(JSON.stringify({ ...settings, ...changes })));
    } catch (error) {
      return error;
    }
  };

  it.each<[string, object, string]>([
    ['nonce', { nonce: 'false' }, 'must be true or false.'],
    ['nonce', { nonce: 0 }, 'must be true or false.'],
    ['nonce', { nonce: null }, 'must be true or false.'],
    ['pkce', { pkce: 'S256' }, 'must be true or false.'],
    ['pkce', { pkce: null }, 'must be true or false.'],
    ['tokenAuthMethod', { tokenAuthMethod: 'none' }, badMethod],
    ['tokenAuthMethod', { tokenAuthMethod: 'private_key_jwt' }, badMethod],
    ['tokenAuthMethod', { tokenAuthMethod: 'CLIENT_SECRET_POST' }, badMethod],
    ['tokenAuthMethod', { tokenAuthMethod: null }, badMethod],
    [
      'tokenAuthMethod',
      { tokenAuthMethod: 'client_secret_basic_unencoded', clientId: 'urn:client' },
      'must not be client_secret_basic_unencoded, because clientId contains a colon.',
    ],
    ['discoveryUrl', { discoveryUrl: 'http://config.example/x' }, badUrl],
    ['discoveryUrl', { discoveryUrl: '/x' }, badUrl],
    ['discoveryUrl', { discoveryUrl: '' }, badUrl],
    ['discoveryUrl', { discoveryUrl: 'https://user@config.example/x' }, badUrl],
    ['discoveryUrl', { discoveryUrl: 'https://config.example/#x' }, badUrl],
    ['discoveryUrl', { discoveryUrl: 'file:///etc/passwd' }, badUrl],
    ['discoveryUrl', { discoveryUrl: 7 }, badUrl],
  ])('%s fails at startup: %j', (option, changes, problem) => {
    expect(captureStartupError(oidc, changes)).toEqual(
      new ConfigurationError(`providers.acme.${option}`, problem),
    );
  });

  it('B26.3 neither nonce nor PKCE: fails at startup', () => {
    expect(captureStartupError(oidc, { nonce: false, pkce: false })).toEqual(
      new ConfigurationError('providers.acme.nonce', both),
    );
    for (const changes of [{ nonce: false }, { pkce: false }, { nonce: true, pkce: true }])
      expect(captureStartupError(oidc, changes)).toMatchObject({ id: 'acme' });
  });

  it.each(['nonce', 'discoveryUrl'])('oauth2() has no option %s', (option) => {
    expect(() => createOAuth2Provider({ [option]: false })).toThrow(
      expect.objectContaining({ option: `providers.acme.${option}` }),
    );
  });

  it.each(['nonce', 'pkce', 'tokenAuthMethod', 'discoveryUrl'])('google() has no option %s', (option) => {
    expect(() => google({ clientId, clientSecret, ...{ [option]: false } })).toThrow(
      expect.objectContaining({ option: `providers.google.${option}` }),
    );
  });
});
