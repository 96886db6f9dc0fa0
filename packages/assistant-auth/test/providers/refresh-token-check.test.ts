/** What a provider says when it is asked about a person who signed in before: any answer is one of three words. */
import { exportPKCS8 } from 'jose';
import { describe, expect, test } from 'vitest';
import { apple, github, google, microsoft, oauth2, oidc, type ProviderIo } from '../../src/index.ts';
import { clientId, clientSecret, createIssuer, createOidcProvider } from './hostile-issuer.ts';
import { generateKey } from './signing.ts';

type Answer = () => Response | Promise<Response>;

const theirs = 'their-refresh-token';
const json = (body: unknown, status = 200) => Response.json(body, { status });

/** Asks an OpenID Connect issuer that answers so, and an OAuth 2.0 server that does. */
const askBoth = async (answer: Answer) => {
  const issuer = createIssuer();
  issuer.override({ endpointOverrides: { token: answer } });
  return [
    await createOidcProvider(issuer).validateRefreshToken(theirs, issuer.io),
    await oauth2(plain).validateRefreshToken(theirs, { ...issuer.io, fetch: async () => answer() }),
  ];
};

const plain = {
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
  test.each([
    ['no other token', { access_token: 'their-access-token' }, {}],
    ['another token', { access_token: 'x', refresh_token: 'their-next' }, { refreshToken: 'their-next' }],
    ['an empty one', { access_token: 'x', refresh_token: '' }, {}],
    ['a token that is none', { access_token: 'x', refresh_token: 7 }, {}],
    ['an ID token that nobody reads', { access_token: 'x', id_token: 'garbage' }, {}],
  ])('that gives an access token says alive, with %s', async (_, body, rotated) => {
    const active = { kind: 'active', ...rotated };
    expect(await askBoth(() => json(body))).toEqual([active, active]);
  });

  test.each([
    ['status 400', () => json({ error: 'invalid_grant', error_description: 'their-words' }, 400)],
    ['status 401', () => json({ error: 'invalid_grant' }, 401)],
    ['status 200', () => json({ error: 'invalid_grant' })],
    ['status 200 beside a token', () => json({ error: 'invalid_grant', access_token: 'x' })],
  ])('that says invalid_grant says revoked, with %s', async (_, answer) => {
    expect(await askBoth(answer)).toEqual([{ kind: 'revoked' }, { kind: 'revoked' }]);
  });

  const timeOut = () => Promise.reject(new DOMException('too slow', 'TimeoutError'));
  const said = (code: string) => `the token endpoint answered ${code}`;
  const unreadable = 'the response could not be read';
  const noToken = 'the response has no token';

  test.each<[string, Answer, string | RegExp]>([
    ['500', () => json({ error: 'invalid_grant' }, 500), /answered with status 500$/],
    ['503', () => new Response(null, { status: 503 }), /answered with status 503$/],
    ['429', () => json({ error: 'invalid_grant' }, 429), /answered with status 429$/],
    ['a redirect', () => new Response(null, { status: 302 }), /answered with status 302$/],
    ['no answer in time', timeOut, /took too long$/],
    ['no connection', () => Promise.reject(new TypeError('their-network')), /is out of reach$/],
    ['an error of its own', () => json({ error: 'their-error' }, 400), said('an error of its own')],
    ['an error that is a list', () => json({ error: ['invalid_grant'] }, 400), said('invalid_grant')],
    ['another case', () => json({ error: 'Invalid_Grant' }, 400), said('an error of its own')],
    ['a page', () => new Response('<p>their-page</p>'), unreadable],
    ['nothing', () => new Response(null), unreadable],
    ['JSON that is no object', () => json(null), noToken],
    ['a list', () => json(['access_token']), noToken],
    ['no token', () => json({ scope: 'openid' }), noToken],
    ['a token that is none', () => json({ access_token: true }), noToken],
    ['a token with status 400', () => json({ access_token: 'x' }, 400), noToken],
  ])('says nothing of the person with %s', async (_, answer, reason) => {
    const unknown = {
      kind: 'unknown',
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    };
    const words = await askBoth(answer);
    expect(words).toEqual([unknown, unknown]);
    expect(JSON.stringify(words)).not.toContain('their-');
  });

  test.each([
    ['our secret refused', 'invalid_client', 401],
    ['our request refused', 'invalid_request', 400],
    ['another scope', 'invalid_scope', 400],
    ['another client', 'unauthorized_client', 400],
    ['another grant type', 'unsupported_grant_type', 400],
  ])('can’t have replaced the token if it responds: %s', async (_, error, status) => {
    const rejected = { kind: 'unknown', reason: said(error), isTokenUnchanged: true };
    expect(await askBoth(() => json({ error }, status))).toEqual([rejected, rejected]);
  });

  test('whose metadata cannot be read says nothing of the person', async () => {
    const issuer = createIssuer();
    issuer.override({ endpointOverrides: { discovery: () => json({ error: 'invalid_grant' }, 400) } });
    expect(await createOidcProvider(issuer).validateRefreshToken(theirs, issuer.io)).toMatchObject({
      kind: 'unknown',
      isTokenUnchanged: true,
    });
    expect(issuer.asked()).toEqual(['discovery']);
  });

  test('is sent nothing if its refresh tokens must not be used', async () => {
    const issuer = createIssuer();
    const settings = {
      id: 'acme',
      displayName: 'Acme',
      clientId,
      clientSecret,
      offlineAccess: 'never',
    } as const;
    const words = [
      await oidc({ ...settings, issuer: issuer.issuer }).validateRefreshToken(theirs, issuer.io),
      await oauth2({ ...plain, offlineAccess: 'never' }).validateRefreshToken(theirs, issuer.io),
    ];
    const unused = { kind: 'unknown', reason: 'refresh tokens of this provider are not used' };
    expect(words).toEqual(words.map(() => ({ ...unused, isTokenUnchanged: true })));
    expect(issuer.requests).toEqual([]);
  });

  test('is sent the token and our credentials, once, and no redirect is followed', async () => {
    const issuer = createIssuer();
    await createOidcProvider(issuer).validateRefreshToken(theirs, issuer.io);
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
      refresh_token: theirs,
      client_id: clientId,
      client_secret: clientSecret,
    });
  });

  test('is hung up on when the timeout expires', async () => {
    const fetch: ProviderIo['fetch'] = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const word = await oauth2(plain).validateRefreshToken(theirs, {
      ...createIssuer().io,
      fetch,
      timeoutMs: 0,
    });
    expect(word).toEqual({ kind: 'unknown', reason: 'plain.example took too long' });
  });
});

const p8 = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
const baseUrl = 'http://127.0.0.1:4001';
const settings = { clientId, clientSecret, baseUrl };
const appleSettings = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', baseUrl };

/** A provider's own host, with metadata where it has some, and one answer to every refresh. */
const hostOf = (body: unknown, status = 200) => {
  const bodies: string[] = [];
  const fetch: ProviderIo['fetch'] = async (input, init) => {
    const [site] = String(input).split('/.well-known');
    if (site !== String(input)) return json(metadataOf(site?.replace('/common', '/{tenantid}') ?? ''));
    bodies.push(String(init?.body));
    return json(body, status);
  };
  return { bodies, io: { ...createIssuer().io, fetch, allowLoopbackHttp: true } };
};

const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${baseUrl}/authorize`,
  token_endpoint: `${baseUrl}/token`,
  jwks_uri: `${baseUrl}/keys`,
  token_endpoint_auth_methods_supported: ['client_secret_post'],
});

describe('what means revoked, and how often it is asked:', () => {
  const everyCode = ['invalid_grant', 'interaction_required', 'consent_required', 'bad_refresh_token'];

  test.each([
    ['Google', google(settings), ['invalid_grant'], 600, false],
    ['Microsoft', microsoft(settings), everyCode.slice(0, 3), 600, false],
    ['GitHub', github(settings), ['bad_refresh_token'], 600, true],
    ['Apple', apple({ ...appleSettings, privateKey: p8 }), ['invalid_grant'], 86_400, false],
  ])('%s', async (_, provider, removed, every, singleUse) => {
    const meaning = async (error: string) =>
      (await provider.validateRefreshToken(theirs, hostOf({ error }, 400).io)).kind;
    const words = await Promise.all(everyCode.map(async (code) => [code, await meaning(code)] as const));
    expect(words.filter(([, kind]) => kind === 'revoked').map(([code]) => code)).toEqual(removed);
    expect(words.filter(([, kind]) => kind === 'active')).toEqual([]);
    expect(provider.recheckInterval).toBe(every);
    expect(provider.singleUseRefreshTokens).toBe(singleUse);
    expect(await provider.validateRefreshToken(theirs, hostOf({ access_token: 'x' }).io)).toEqual({
      kind: 'active',
    });
  });

  test('Apple is asked with a client secret that is signed for the occasion', async () => {
    const { io, bodies } = hostOf({ access_token: 'x' });
    await apple({ ...appleSettings, privateKey: p8 }).validateRefreshToken(theirs, io);
    const { client_secret: secret = '' } = Object.fromEntries(new URLSearchParams(bodies[0]));
    expect(JSON.parse(atob(secret.split('.')[1] ?? ''))).toMatchObject({
      aud: baseUrl,
      sub: clientId,
      iat: 1_800_000_000,
    });
  });

  test('a publisher says it of a provider of their own', async () => {
    const provider = oauth2({
      ...plain,
      recheckInterval: 60,
      revokedErrors: ['expired'],
      singleUseRefreshTokens: false,
    });
    expect(provider).toMatchObject({
      recheckInterval: 60,
      revokedErrors: ['expired'],
      singleUseRefreshTokens: false,
    });
    expect(oauth2(plain).singleUseRefreshTokens).toBe(true);
    const word = (error: string) => provider.validateRefreshToken(theirs, hostOf({ error }, 400).io);
    expect(await word('expired')).toEqual({ kind: 'revoked' });
    expect(await word('invalid_grant')).toMatchObject({ kind: 'unknown' });
  });
});
