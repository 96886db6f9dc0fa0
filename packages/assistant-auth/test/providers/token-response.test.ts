/** Token responses that deviate from RFC 6749 §5.1: a member that is not used never matters; a member that is used always does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readTokenResponse,
  requireBearerToken,
  selectLongLivedRefreshToken,
} from '../../src/providers/oauth-client.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import {
  callback,
  captureProviderError,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createOAuth2Provider, createServer } from './hostile-server.ts';
import type { Claims } from './signing.ts';

const invalid = (reason: string) => ({ kind: 'invalid', reason });

const atIssuer = async (tokens: Claims) => {
  const issuer = createIssuer();
  issuer.override({ tokens });
  return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
};

const atServer = async (tokens: Claims) => {
  const server = createServer();
  server.overrideTokens(tokens);
  return createOAuth2Provider({ offlineAccess: 'always' }).handleCallback(
    callback(),
    upstreamRequest,
    server.io,
  );
};

/** Rechecks with both kinds of provider, with `tokens` in the response. */
const recheck = async (tokens: Claims) => {
  const issuer = createIssuer();
  issuer.override({ tokens: { id_token: undefined, refresh_token: undefined, ...tokens } });
  const server = createServer();
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
  test.each(unused)('%s signs the person in', async (_, tokens) => {
    expect(await atIssuer(tokens)).toMatchObject({ subject: 'person-1', email: 'ada@example.com' });
    expect(await atServer(tokens)).toMatchObject({ subject: 'person-1', label: 'Ada' });
  });

  test.each(unused)('%s confirms the person at a recheck', async (_, tokens) => {
    expect(await recheck(tokens)).toEqual([{ kind: 'active' }, { kind: 'active' }]);
  });

  test.each([
    ['null', null],
    ['a number', 7],
    ['empty', ''],
    ['a list', ['their-refresh-token']],
  ])('a refresh token that is %s has none', async (_, refresh_token) => {
    expect(await atIssuer({ refresh_token })).not.toHaveProperty('refreshToken');
    expect(await atServer({ refresh_token })).not.toHaveProperty('refreshToken');
    expect(await recheck({ refresh_token })).toEqual([{ kind: 'active' }, { kind: 'active' }]);
  });

  test.each([
    ['no access token', { access_token: undefined }],
    ['an access token that is null', { access_token: null }],
    ['an empty access token', { access_token: '' }],
    ['an access token that is a number', { access_token: 7 }],
    ['an access token of another type', { token_type: 'mac' }],
    ['a token type that is a list', { token_type: ['Bearer'] }],
  ])('%s signs in at an issuer whose ID token has all claims', async (_, tokens) => {
    expect(await atIssuer(tokens)).toMatchObject({ subject: 'person-1', email: 'ada@example.com' });
  });

  const noToken = 'the token response has no access token';
  const otherType = 'the access token is not a Bearer token';
  test.each([
    ['no access token', { access_token: undefined }, noToken],
    ['an access token that is null', { access_token: null }, noToken],
    ['an empty access token', { access_token: '' }, noToken],
    ['an access token that is a list', { access_token: ['their-access-token'] }, noToken],
    ['an access token of another type', { token_type: 'mac' }, otherType],
    ['a token that is bound to a key', { token_type: 'DPoP' }, otherType],
    ['a token type that is a number', { token_type: 7 }, otherType],
    ['a token type that is a list', { token_type: ['Bearer'] }, otherType],
  ])('%s is refused if the profile must be read with it', async (_, tokens, reason) => {
    expect(await captureProviderError(atServer(tokens))).toEqual(invalid(reason));
  });

  test.each([
    ['that is garbage', 'garbage'],
    ['that is a number', 7],
    ['of somebody else', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJwZXJzb24tMiJ9.'],
  ])('an ID token %s is ignored if no ID token is used', async (_, id_token) => {
    expect(await atServer({ id_token })).toMatchObject({ subject: 'person-1' });
  });

  test.each([
    ['an ID token alone', { access_token: null, id_token: 'garbage' }, {}],
    [
      'a refresh token alone',
      { access_token: null, refresh_token: 'their-next' },
      { refreshToken: 'their-next' },
    ],
  ])('%s confirms the person at a recheck', async (_, tokens, rotated) => {
    const active = { kind: 'active', ...rotated };
    expect(await recheck(tokens)).toEqual([active, active]);
  });

  test('no token at all says nothing about the person', async () => {
    const unknown = { kind: 'unknown', reason: 'the response has no token' };
    const tokens = { access_token: null, refresh_token: 7, id_token: '', expires_in: 3600 };
    expect(await recheck(tokens)).toEqual([unknown, unknown]);
  });
});

describe('what is used of a token response stays strict:', () => {
  const noIdToken = '"response" body "id_token" property must be a string';

  test.each([
    ['B19.1 no ID token', undefined],
    ['B19.1 an ID token that is null', null],
    ['B19.1 an empty ID token', ''],
    ['B19.1 an ID token that is an object', { sub: 'person-1' }],
    ['B19.1 two ID tokens in a list', ['garbage', 'garbage']],
  ])('%s signs nobody in', async (_, id_token) => {
    expect(await captureProviderError(atIssuer({ id_token }))).toEqual(invalid(noIdToken));
  });

  test('B19.1 of two ID tokens under one name, the same one is read and verified', async () => {
    const issuer = createIssuer();
    const honest = await idTokenOf(issuer);
    const forged = honest.replace(/[^.]*$/, 'AAAA');
    const answering = (first: string, second: string) => {
      const body = `{"access_token":"x","token_type":"Bearer","id_token":"${first}","id_token":"${second}"}`;
      issuer.override({ endpointOverrides: { token: () => new Response(body) } });
      return createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    };
    expect(await answering(forged, honest)).toMatchObject({ subject: 'person-1' });
    expect(await captureProviderError(answering(honest, forged))).toMatchObject({ kind: 'invalid' });
  });

  test.each([
    ['B19.1 an error beside the tokens', 'invalid_grant', 'invalid_grant'],
    ['B19.1 an error of its own beside the tokens', 'their-error', 'an error of its own'],
    ['B19.1 an error that is a list', ['their-error'], 'an error of its own'],
    ['B19.1 an error that is an object', { code: 'their-error' }, 'an error of its own'],
    ['B19.1 an error that is true', true, 'an error of its own'],
  ])('%s signs nobody in', async (_, error, words) => {
    const refused = invalid(`the token endpoint answered ${words}`);
    expect(await captureProviderError(atIssuer({ error }))).toEqual(refused);
    expect(await captureProviderError(atServer({ error }))).toEqual(refused);
  });

  test.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['a string', '"their-token"'],
    ['half an object', '{"access_token":'],
  ])('a body that is %s signs nobody in', async (_, body) => {
    const issuer = createIssuer();
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
  test('is read without an exception, and tokens are never empty strings', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), anyMembers), (body) => {
        const { accessToken, idToken, refreshToken } = readTokenResponse(body);
        for (const token of [accessToken, idToken, refreshToken])
          expect(token === undefined || (typeof token === 'string' && token.length > 0)).toBe(true);
      }),
    );
  });

  test('gives an access token of type Bearer or a ProviderError, and a refresh token only for the scope', () => {
    fc.assert(
      fc.property(anyMembers, (body) => {
        const tokens = readTokenResponse(body);
        try {
          expect(requireBearerToken(tokens)).toBe(tokens.accessToken);
          expect(String(tokens.tokenType ?? '').toLowerCase()).toMatch(/^(bearer)?$/);
        } catch (error) {
          expect(error).toBeInstanceOf(ProviderError);
        }
        const kept = selectLongLivedRefreshToken(tokens, 'by-scope', []);
        if (kept !== undefined) expect(JSON.stringify(tokens.scope)).toContain('offline_access');
        expect(selectLongLivedRefreshToken(tokens, 'never', ['offline_access'])).toBeUndefined();
      }),
    );
  });
});

/** The ID token that an honest issuer sends. */
const idTokenOf = async (issuer: ReturnType<typeof createIssuer>): Promise<string> => {
  const response = await issuer.io.fetch(`${issuer.issuer}/token`, { method: 'POST' });
  return String(Object(await response.json()).id_token);
};
