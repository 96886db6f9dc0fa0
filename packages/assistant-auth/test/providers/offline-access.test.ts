/** Which refresh tokens are kept for rechecks: those that outlive the person's session at the provider (OpenID Connect Core §11). */
import { exportPKCS8 } from 'jose';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { apple } from '../../src/providers/apple.ts';
import { github } from '../../src/providers/github.ts';
import { google } from '../../src/providers/google.ts';
import type { OidcSettings } from '../../src/providers/oidc.ts';
import {
  callback,
  clientId,
  clientSecret,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createOAuth2Provider, createServer } from './hostile-server.ts';
import { type Claims, generateKey } from './signing.ts';

const theirs = 'their-refresh-token';

interface Case {
  /** `scopes_supported` of the metadata. */
  readonly supported?: unknown;
  readonly settings?: Partial<OidcSettings>;
  readonly tokens?: Claims;
}

/** Signs in at an issuer, and returns the requested scopes and the refresh token that is kept. */
const signIn = async ({ supported, settings, tokens = {} }: Case) => {
  const issuer = createIssuer();
  issuer.override({ metadata: { scopes_supported: supported }, tokens });
  const provider = createOidcProvider(issuer, settings);
  const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
  const { refreshToken } = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
  return { scope: url.searchParams.get('scope'), refreshToken };
};

const listed = ['openid', 'offline_access'];
const usual = 'openid email profile';

describe('the scope offline_access', () => {
  test('is requested from an issuer that lists it, and makes the refresh token long-lived', async () => {
    expect(await signIn({ supported: listed })).toEqual({
      scope: `${usual} offline_access`,
      refreshToken: theirs,
    });
  });

  test.each([
    ['no list', undefined],
    ['null', null],
    ['an empty list', []],
    ['a list without it', ['openid', 'email']],
    ['text', 'openid offline_access'],
    ['a list of something else', [7, null, { offline_access: true }]],
    ['a scope whose name only starts with it', ['offline_access_all']],
  ])('is not requested from an issuer with %s, and its refresh token is dropped', async (_, supported) => {
    expect(await signIn({ supported })).toEqual({ scope: usual, refreshToken: undefined });
  });

  test('is requested once if the option scopes contains it, even from an issuer that does not list it', async () => {
    const settings = { scopes: ['openid', 'offline_access'] };
    const kept = { scope: 'openid offline_access', refreshToken: theirs };
    expect(await signIn({ supported: listed, settings })).toEqual(kept);
    expect(await signIn({ supported: undefined, settings })).toEqual(kept);
  });
});

describe('a refresh token', () => {
  test.each([
    ['the response has no scope', undefined],
    ['the scope is null', null],
    ['the scope lists it first', 'offline_access openid'],
    ['the scope lists it last', 'openid email offline_access'],
    ['the scope has a comma', 'openid,offline_access'],
    ['the scope is a list', ['openid', 'offline_access']],
  ])('is kept if %s', async (_, scope) => {
    expect((await signIn({ supported: listed, tokens: { scope } })).refreshToken).toBe(theirs);
  });

  test.each([
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

  test.each([
    ['half an hour, as in Keycloak', { refresh_expires_in: 1800 }],
    ['half an hour, as text', { refresh_expires_in: '1800' }],
    ['half an hour, as in GitHub', { refresh_token_expires_in: 1800 }],
    ['a second less than a day', { refresh_expires_in: 86_399 }],
  ])('that expires in %s is dropped, whatever was granted', async (_, lifetime) => {
    const tokens = { scope: 'openid offline_access', ...lifetime };
    expect((await signIn({ supported: listed, tokens })).refreshToken).toBeUndefined();
    const settings = { offlineAccess: 'always' } as const;
    expect((await signIn({ settings, tokens })).refreshToken).toBeUndefined();
  });

  test.each([
    ['never, which Keycloak writes as 0', 0],
    ['in a day', 86_400],
    ['in 30 days', 2_592_000],
    ['at a time that is null', null],
    ['at a negative time', -1],
    ['at a time that is no number', 'soon'],
    ['at an empty time', ''],
    ['at a time that is a list', [1800]],
  ])('that expires %s is kept', async (_, refresh_expires_in) => {
    expect((await signIn({ supported: listed, tokens: { refresh_expires_in } })).refreshToken).toBe(theirs);
  });

  test('that replaces another one at a recheck is kept whatever the response has as its scope (RFC 6749 §6)', async () => {
    for (const scope of ['openid', '', ['openid'], null]) {
      const issuer = createIssuer();
      issuer.override({ tokens: { scope, refresh_token: 'their-next' } });
      const word = await createOidcProvider(issuer).validateRefreshToken(theirs, issuer.io);
      expect(word).toEqual({ kind: 'active', refreshToken: 'their-next' });
    }
  });
});

describe('the option offlineAccess', () => {
  test('set to always keeps every refresh token, and adds no scope', async () => {
    const settings = { offlineAccess: 'always' } as const;
    for (const supported of [undefined, listed])
      for (const scope of [undefined, 'openid', []])
        expect(await signIn({ supported, settings, tokens: { scope } })).toEqual({
          scope: usual,
          refreshToken: theirs,
        });
  });

  test('set to never keeps no refresh token, and adds no scope', async () => {
    const settings = { offlineAccess: 'never' } as const;
    for (const scope of [undefined, 'openid offline_access'])
      expect(await signIn({ supported: listed, settings, tokens: { scope } })).toEqual({
        scope: usual,
        refreshToken: undefined,
      });
  });

  const atServer = async (settings: Parameters<typeof createOAuth2Provider>[0], tokens: Claims = {}) => {
    const server = createServer();
    server.overrideTokens({ refresh_token: theirs, ...tokens });
    return (await createOAuth2Provider(settings).handleCallback(callback(), upstreamRequest, server.io))
      .refreshToken;
  };

  test('is by-scope by default for an OAuth 2.0 server', async () => {
    expect(await atServer({})).toBeUndefined();
    expect(await atServer({ scopes: ['identify'] })).toBeUndefined();
    expect(await atServer({ scopes: ['identify', 'offline_access'] })).toBe(theirs);
    expect(await atServer({ scopes: ['offline_access'] }, { scope: 'identify' })).toBeUndefined();
    expect(await atServer({ offlineAccess: 'always' })).toBe(theirs);
    expect(await atServer({ scopes: ['offline_access'], offlineAccess: 'never' })).toBeUndefined();
  });

  test.each(['', 'Always', 'by_scope', true, null])('stops the start at %j', (value) => {
    const settings: object = { offlineAccess: value };
    for (const make of [
      () => createOidcProvider(createIssuer(), settings),
      () => createOAuth2Provider(settings),
    ])
      expect(make).toThrow(
        new ConfigurationError('providers.acme.offlineAccess', 'must be always, by-scope or never.'),
      );
  });
});

describe('a built-in provider keeps its refresh token without a scope:', () => {
  test('Google', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    issuer.override({ tokens: { scope: 'openid email profile' } });
    expect((await provider.handleCallback(callback(), upstreamRequest, issuer.io)).refreshToken).toBe(theirs);
    const again = await provider.reconsentUrl?.('person-1', upstreamRequest, issuer.io);
    expect(again?.searchParams.get('scope')).toBe(usual);
  });

  test('GitHub', async () => {
    const server = createServer(
      { token: 'https://github.com/login/oauth/access_token', profile: 'https://api.github.com/user' },
      { id: 7, login: 'ada' },
    );
    server.overrideTokens({ scope: '', refresh_token: theirs, refresh_token_expires_in: 15_897_600 });
    const identity = await github({ clientId, clientSecret }).handleCallback(
      callback(),
      upstreamRequest,
      server.io,
    );
    expect(identity.refreshToken).toBe(theirs);
  });

  test('Apple', async () => {
    const issuer = createIssuer('https://appleid.apple.com');
    const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
    const provider = apple({ clientId, teamId: 'ABCDE12345', keyId: 'FGHIJ67890', privateKey });
    expect((await provider.handleCallback(callback(), upstreamRequest, issuer.io)).refreshToken).toBe(theirs);
    expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).searchParams.get('scope')).toBe(
      'openid email name',
    );
  });
});
