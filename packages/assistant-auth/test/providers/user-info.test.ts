/** Claims from the UserInfo endpoint (OpenID Connect Core §5.3). */
import fc from 'fast-check';
import { exportPKCS8 } from 'jose';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { apple } from '../../src/providers/apple.ts';
import { google } from '../../src/providers/google.ts';
import { microsoft } from '../../src/providers/microsoft.ts';
import type { OidcOptions } from '../../src/providers/oidc.ts';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createFakeIssuer,
  createOidcProvider,
  type IssuerOverrides,
  invisibleTexts,
  issuerKey,
  upstreamRequest,
} from './fake-issuer.ts';
import { type Claims, generateKey, sign } from './signing.ts';

const endpoint = 'https://id.example/userinfo';
/** The claims of an ID token that has only the subject. */
const bare: Claims = { email: undefined, email_verified: undefined, name: undefined };
const ada: Claims = { email: 'ada@example.com', email_verified: true, name: 'Ada Marlow' };
const invalid = (reason: string) => ({ kind: 'invalid', reason });

const setUp = (overrides: IssuerOverrides = {}, settings: Partial<OidcOptions> = {}) => {
  const issuer = createFakeIssuer();
  issuer.override({
    userInfo: ada,
    ...overrides,
    claims: { ...bare, ...overrides.claims },
    metadata: { userinfo_endpoint: endpoint, ...overrides.metadata },
  });
  const provider = createOidcProvider(issuer, settings);
  return { issuer, handleCallback: () => provider.handleCallback(callback(), upstreamRequest, issuer.io) };
};

const handleCallback = (overrides?: IssuerOverrides, settings?: Partial<OidcOptions>) =>
  setUp(overrides, settings).handleCallback();

describe('an ID token with only the subject', () => {
  it('is completed with the claims of UserInfo', async () => {
    const identity = await handleCallback({ userInfo: { ...ada, locale: 'en', groups: ['a', 'b'] } });
    expect(identity).toMatchObject({
      subject: 'person-1',
      label: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
    });
    expect(identity.claims).toEqual({
      iss: 'https://id.example',
      aud: clientId,
      sub: 'person-1',
      nonce: upstreamRequest.nonce,
      iat: 1_800_000_000,
      exp: 1_800_003_600,
      ...ada,
      locale: 'en',
      groups: ['a', 'b'],
    });
  });

  it('causes one more request, with the access token and without following redirects, after the signature is checked', async () => {
    const { issuer, handleCallback } = setUp();
    await handleCallback();
    expect(issuer.requests.map(({ endpoint }) => endpoint)).toEqual([
      'discovery',
      'token',
      'keys',
      'userinfo',
    ]);
    const { method, url, headers, body, redirect, canTimeOut } = issuer.requests[3] ?? {};
    expect({ method, url, body, redirect, canTimeOut }).toEqual({
      method: 'GET',
      url: endpoint,
      body: '',
      redirect: 'manual',
      canTimeOut: true,
    });
    expect(headers).toMatchObject({ authorization: 'Bearer their-access-token' });
  });

  it('that is not verified is refused before UserInfo is read', async () => {
    const forger = await generateKey('key-1');
    const { issuer, handleCallback } = setUp({ makeIdToken: (claims) => sign(claims, forger) });
    expect(await captureProviderError(handleCallback())).toMatchObject({ kind: 'invalid' });
    expect(issuer.takeRequestedEndpoints()).not.toContain('userinfo');
  });
});

describe('UserInfo is read', () => {
  const full = { ...ada };
  it.each<[string, Claims, readonly string[]]>([
    ['for the scope email without an email', { ...full, email: undefined }, ['openid', 'email']],
    ['for the scope profile without a name', { ...full, name: undefined }, ['openid', 'profile']],
    ['for the scope phone without a phone_number', full, ['openid', 'phone']],
    ['for the scope address without an address', full, ['openid', 'address']],
    ['for a claim that is null', { ...full, email: null }, ['openid', 'email']],
    ['for a claim that is empty', { ...full, email: '' }, ['openid', 'email']],
    ['for a claim of another type', { ...full, name: { given: 'Ada' } }, ['openid', 'profile']],
  ])('%s', async (_, claims, scopes) => {
    const { issuer, handleCallback } = setUp({ claims }, { scopes });
    await handleCallback();
    expect(issuer.takeRequestedEndpoints()).toContain('userinfo');
  });

  it.each<[string, IssuerOverrides, Partial<OidcOptions>]>([
    ['for an ID token with all requested claims', { claims: full }, {}],
    ['for claims that no scope requested', {}, { scopes: ['openid', 'groups'] }],
    ['from an issuer that has no endpoint', { metadata: { userinfo_endpoint: undefined } }, {}],
    ['from an issuer whose endpoint is null', { metadata: { userinfo_endpoint: null } }, {}],
    ['from an issuer whose endpoint is empty', { metadata: { userinfo_endpoint: '' } }, {}],
    ['if the option says never', {}, { userInfo: 'never' }],
  ])('never %s', async (_, overrides, settings) => {
    const { issuer, handleCallback } = setUp(overrides, settings);
    expect(await handleCallback()).toMatchObject({ subject: 'person-1' });
    expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'token', 'keys']);
  });

  it('never from Google, Microsoft or Apple', async () => {
    const tid = '9188040d-6c67-4c5b-b112-36a304b66dad';
    const oid = '00000000-0000-0000-66f3-3332eca7ea81';
    const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
    const settings = { clientId, clientSecret };
    const builtInProviders = [
      ['https://accounts.google.com', google(settings)],
      [`https://login.microsoftonline.com/${tid}/v2.0`, microsoft({ ...settings, tenant: tid })],
      [
        'https://appleid.apple.com',
        apple({ clientId, teamId: 'ABCDE12345', keyId: 'FGHIJ67890', privateKey }),
      ],
    ] as const;
    for (const [issuerUrl, provider] of builtInProviders) {
      const issuer = createFakeIssuer(issuerUrl);
      issuer.override({ claims: { ...bare, tid, oid }, metadata: { userinfo_endpoint: endpoint } });
      const identity = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
      expect(identity).not.toHaveProperty('email');
      expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'token', 'keys']);
    }
  });

  it.each(['', 'Never', 'always', true, null])('fails at startup for an invalid option: %j', (value) => {
    const settings: object = { userInfo: value };
    expect(() => createOidcProvider(createFakeIssuer(), settings)).toThrow(
      new ConfigurationError('providers.acme.userInfo', 'must be if-claims-missing or never.'),
    );
  });
});

describe('UserInfo of another subject', () => {
  const otherSubject = 'the UserInfo response is about another user';
  it.each([
    ['B19.3 another subject', 'person-2', otherSubject],
    ['B19.3 the same in another case', 'PERSON-1', otherSubject],
    ['B19.3 the same with a space', 'person-1 ', otherSubject],
    ['B19.3 no subject', undefined, 'the UserInfo response has no claims'],
    ['B19.3 an empty subject', '', otherSubject],
    ['B19.3 a list', ['person-1'], otherSubject],
  ])('%s: the sign-in is refused', async (_, sub, reason) => {
    expect(await captureProviderError(handleCallback({ userInfo: { ...ada, sub } }))).toEqual(
      invalid(reason),
    );
  });
});

describe('UserInfo never supplies', () => {
  it.each([
    ...['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'sid'],
    ...['at_hash', 'c_hash', 'events', 'cnf', '_claim_names', '_claim_sources'],
  ])('B19.4 %s', async (claim) => {
    const { claims, ...identity } = await handleCallback({ userInfo: { ...ada, [claim]: 'forged' } });
    expect(identity).not.toHaveProperty('sid');
    expect(identity).toMatchObject({ subject: 'person-1', email: 'ada@example.com' });
    expect(claims[claim]).not.toBe('forged');
  });

  it('B19.4 proof of a new sign-in', async () => {
    const { issuer } = setUp({ userInfo: { ...ada, auth_time: 1_800_000_000 } });
    const reauthentication = { ...upstreamRequest, reauthenticate: { since: 1_799_999_900 } };
    expect(
      await captureProviderError(
        createOidcProvider(issuer).handleCallback(callback(), reauthentication, issuer.io),
      ),
    ).toEqual(invalid('the ID token has no auth_time'));
  });

  it('B19.4 another value for a claim of the ID token', async () => {
    const claims = { email: 'ada@example.com', hd: 'example.com', groups: ['a'], admin: false };
    const forged = {
      email: 'eve@evil.example',
      email_verified: true,
      hd: 'evil.example',
      groups: ['b'],
      admin: true,
      name: 'Ada',
    };
    const identity = await handleCallback({ claims, userInfo: forged });
    expect(identity).toMatchObject({ email: 'ada@example.com', emailVerified: false });
    expect(identity.claims).toMatchObject({ ...claims, name: 'Ada' });
    expect(identity.claims).not.toHaveProperty('email_verified');
  });
});

it('B19.4 whatever UserInfo contains, no claim of the ID token changes', async () => {
  const idTokenClaims = {
    email: 'ada@example.com',
    email_verified: false,
    hd: 'example.com',
    sid: 'session-1',
  };
  const claimName = fc.constantFrom(
    'iss',
    'exp',
    'sid',
    'auth_time',
    'hd',
    'email',
    'email_verified',
    'locale',
    '__proto__',
  );
  const { issuer } = setUp();
  const provider = createOidcProvider(issuer);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(claimName, fc.jsonValue()), async (userInfo) => {
      issuer.override({
        claims: { ...bare, ...idTokenClaims },
        userInfo,
        metadata: { userinfo_endpoint: endpoint },
      });
      const { claims, ...identity } = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
      const { locale: _, ...otherClaims } = claims;
      const issued = {
        iss: 'https://id.example',
        aud: clientId,
        sub: 'person-1',
        nonce: upstreamRequest.nonce,
      };
      expect(otherClaims).toEqual({ ...issued, iat: 1_800_000_000, exp: 1_800_003_600, ...idTokenClaims });
      expect(identity).toMatchObject({ subject: 'person-1', emailVerified: false, sid: 'session-1' });
    }),
    { numRuns: 50 },
  );
});

describe('an email address is verified only by the source that it comes from:', () => {
  it.each<[string, Claims, Claims, boolean, unknown]>([
    [
      'B19.5 the ID token verifies none, UserInfo has an unverified one',
      { email_verified: true },
      { email: 'ada@example.com' },
      false,
      undefined,
    ],
    [
      'B19.5 the ID token has email_verified without an address',
      { email_verified: true },
      { email: 'ada@example.com', email_verified: false },
      false,
      false,
    ],
    [
      'B19.5 the ID token has an unverified one, UserInfo verifies it',
      { email: 'ada@example.com' },
      { email: 'ada@example.com', email_verified: true },
      false,
      undefined,
    ],
    [
      'B19.5 the ID token has an unverified one, UserInfo verifies another',
      { email: 'ada@example.com', email_verified: false },
      { email: 'eve@evil.example', email_verified: true },
      false,
      false,
    ],
    [
      'B19.5 UserInfo verifies its own',
      { email_verified: false },
      { email: 'ada@example.com', email_verified: true },
      true,
      true,
    ],
    [
      'B19.5 UserInfo verifies its own with the string "true"',
      {},
      { email: 'ada@example.com', email_verified: 'true' },
      true,
      'true',
    ],
    [
      'B19.5 UserInfo verifies none',
      { email_verified: true },
      { email: null, email_verified: true },
      false,
      true,
    ],
  ])('%s', async (_, claims, userInfo, emailVerified, expectedClaim) => {
    const identity = await handleCallback({ claims, userInfo });
    const { email_verified: emailVerifiedClaim } = identity.claims;
    expect([identity.emailVerified, emailVerifiedClaim]).toEqual([emailVerified, expectedClaim]);
  });

  it('B19.5 the same applies to a phone number', async () => {
    const scopes = ['openid', 'phone'];
    const claims = { phone_number_verified: true };
    const identity = await handleCallback({ claims, userInfo: { phone_number: '+1 555 0100' } }, { scopes });
    expect(identity.claims).toMatchObject({ phone_number: '+1 555 0100' });
    expect(identity.claims).not.toHaveProperty('phone_number_verified');
  });
});

describe('a claim of UserInfo', () => {
  it.each([
    ['email', 7],
    ['email', ['ada@example.com']],
    ['email', null],
    ['email', ''],
    ['name', { first: 'Ada' }],
    ['name', false],
    ['locale', 7],
    ['picture', ['https://id.example/ada.png']],
    ['updated_at', 'yesterday'],
    ['email_verified', 'yes'],
    ['email_verified', 1],
    ['address', 'Main Street'],
    ['groups', null],
  ])('that is %s = %j is ignored', async (claim, value) => {
    const { claims, ...identity } = await handleCallback({ userInfo: { [claim]: value, nickname: 'ada' } });
    expect(identity).toMatchObject({ subject: 'person-1', emailVerified: false });
    expect(claims).not.toHaveProperty(claim);
    expect(claims).toMatchObject({ nickname: 'ada' });
  });

  it('that replaces an invalid one is used', async () => {
    const identity = await handleCallback({ claims: { email: 7, email_verified: true } });
    expect(identity).toMatchObject({ email: 'ada@example.com', emailVerified: true });
    expect(identity.claims).toMatchObject(ada);
  });

  it('with the name of an object property has no effect', async () => {
    const body = `{"sub":"person-1","name":"Ada","__proto__":{"admin":true},"constructor":"x","toString":"y"}`;
    const { claims } = await handleCallback({ endpointOverrides: { userinfo: () => new Response(body) } });
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
    expect(claims).toMatchObject({ name: 'Ada', constructor: 'x' });
    const { admin } = claims;
    expect(admin).toBeUndefined();
  });
});

describe('UserInfo as a JWT is not verified, so none of it is used:', () => {
  it.each([
    ['B19.6 signed by the issuer', 'application/jwt', () => sign({ sub: 'person-1', ...ada }, issuerKey)],
    ['B19.6 unsigned', 'application/jwt; charset=utf-8', async () => 'eyJhbGciOiJub25lIn0.e30.'],
    ['B19.6 of another issuer', 'Application/JWT', () => sign({ sub: 'person-2', ...ada }, issuerKey)],
    ['B19.6 encrypted', 'application/jwt', async () => 'a.b.c.d.e'],
  ])('%s', async (_, type, makeBody) => {
    const body = await makeBody();
    const headers = { 'content-type': type };
    const identity = await handleCallback({
      endpointOverrides: { userinfo: () => new Response(body, { headers }) },
    });
    expect(identity).toMatchObject({ subject: 'person-1', emailVerified: false });
    expect(identity).not.toHaveProperty('email');
  });

  it('B19.6 with another type', async () => {
    const body = await sign({ sub: 'person-1', ...ada }, issuerKey);
    for (const type of ['application/json', 'text/plain']) {
      const headers = { 'content-type': type };
      const signIn = handleCallback({
        endpointOverrides: { userinfo: () => new Response(body, { headers }) },
      });
      expect(await captureProviderError(signIn)).toMatchObject({ kind: 'invalid' });
    }
  });
});

describe('UserInfo that cannot be read', () => {
  const rejectWithTimeout = () => Promise.reject(new DOMException('too slow', 'TimeoutError'));
  const json = (status: number) => () => Response.json({ error: 'invalid_token' }, { status });

  it.each<[string, () => Response | Promise<Response>, string]>([
    ['B19.7 500', json(500), 'id.example responded with status 500'],
    ['B19.7 503', json(503), 'id.example responded with status 503'],
    ['B19.7 429', json(429), 'id.example responded with status 429'],
    [
      'B24.1 403 and a rate limit',
      () => new Response(null, { status: 403, headers: { 'retry-after': '60' } }),
      'id.example responded with status 403',
    ],
    ['B19.7 no response in time', rejectWithTimeout, 'id.example took too long'],
    [
      'B19.7 no connection',
      () => Promise.reject(new TypeError('their-network')),
      'id.example could not be reached',
    ],
  ])(
    '%s: means that the provider is unavailable, not that the claims are absent',
    async (_, respond, reason) => {
      const error = await captureProviderError(handleCallback({ endpointOverrides: { userinfo: respond } }));
      expect(error).toEqual({ kind: 'unavailable', reason });
    },
  );

  const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };
  const redirect = { location: 'https://evil.example/' };
  it.each<[string, () => Response, string]>([
    ['B19.7 401', json(401), 'the UserInfo endpoint responded with status 401'],
    [
      'B19.7 401 with a challenge',
      () => new Response(null, { status: 401, headers: challenge }),
      'the UserInfo endpoint responded with status 401',
    ],
    ['B19.7 403', json(403), 'the UserInfo endpoint responded with status 403'],
    ['B24.2 403', json(403), 'the UserInfo endpoint responded with status 403'],
    ['B19.7 404', json(404), 'the UserInfo endpoint responded with status 404'],
    [
      'B19.7 a redirect',
      () => new Response(null, { status: 302, headers: redirect }),
      'id.example responded with status 302',
    ],
    ['B19.7 no content', () => new Response(null, { status: 204 }), 'id.example responded with status 204'],
    [
      'B19.7 an endless body',
      () => new Response('x'.repeat(262_145)),
      'id.example sent more than 262144 bytes',
    ],
    ['B19.7 a list', () => Response.json([]), 'the UserInfo response has no claims'],
    ['B19.7 an HTML page', () => new Response('<p>their-page</p>'), 'the UserInfo response has no claims'],
  ])('%s: the sign-in is refused', async (_, respond, reason) => {
    const { issuer, handleCallback } = setUp({ endpointOverrides: { userinfo: respond } });
    expect(await captureProviderError(handleCallback())).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining(reason),
    });
    expect(issuer.takeRequestedEndpoints()).not.toContain('unknown');
  });

  it('B19.7 a long challenge is ignored: a library would take seconds to parse it', async () => {
    const headers = { 'www-authenticate': 'a '.repeat(65_000) };
    const body = { sub: 'person-1', email: 'a@b.example', email_verified: true, name: 'Ada' };
    const { handleCallback } = setUp({
      claims: { email: undefined, email_verified: undefined, name: undefined },
      endpointOverrides: { userinfo: () => Response.json(body, { headers }) },
    });
    expect(await handleCallback()).toMatchObject({ email: 'a@b.example' });
  });

  it.each([
    ['B19.7 no access token', { access_token: undefined }, 'the token response has no access token'],
    [
      'B19.7 an access token of another type',
      { token_type: 'DPoP' },
      'the access token is not a Bearer token',
    ],
    [
      'B19.7 an access token that is not allowed in a header',
      { access_token: 'their\ntoken' },
      'the access token has invalid characters',
    ],
  ])('%s: the sign-in is refused', async (_, tokens, reason) => {
    const { issuer, handleCallback } = setUp({ tokens });
    expect(await captureProviderError(handleCallback())).toEqual(invalid(reason));
    expect(issuer.takeRequestedEndpoints()).not.toContain('userinfo');
  });
});

describe('the URL of UserInfo', () => {
  it.each([
    ...[
      'http://id.example/userinfo',
      'https://10.0.0.5/userinfo',
      'https://169.254.169.254/',
      'https://[::1]/',
    ],
    ...[
      'https://localhost/userinfo',
      'https://user@id.example/userinfo',
      'https://id.example/#x',
      '/userinfo',
    ],
    ...['javascript:alert(1)', 7, { url: endpoint }],
  ])('B19.8 %j gets no access token', async (userinfo_endpoint) => {
    const { issuer, handleCallback } = setUp({ metadata: { userinfo_endpoint } });
    expect(await captureProviderError(handleCallback())).toEqual(
      invalid('the userinfo_endpoint of id.example is not an allowed URL'),
    );
    expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'token', 'keys']);
  });

  it('B19.8 does not matter if the sign-in does not need it', async () => {
    const metadata = { userinfo_endpoint: 'http://10.0.0.5/' };
    expect(await handleCallback({ claims: ada, metadata })).toMatchObject({ email: 'ada@example.com' });
  });

  it('may be on another host, and on loopback if the issuer is on loopback', async () => {
    const externalEndpoint = { userinfo_endpoint: 'https://graph.example/oidc/userinfo' };
    expect(await handleCallback({ metadata: externalEndpoint })).toMatchObject({ email: 'ada@example.com' });
    const issuer = createFakeIssuer('http://127.0.0.1:4001');
    const loopbackEndpoint = { userinfo_endpoint: 'http://127.0.0.1:4002/userinfo' };
    issuer.override({ claims: bare, userInfo: ada, metadata: loopbackEndpoint });
    const io = { ...issuer.io, allowLoopbackHttp: true };
    expect(await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, io)).toMatchObject({
      email: 'ada@example.com',
    });
  });
});

describe('a claim of the ID token with only invisible text', () => {
  it.each(invisibleTexts)('counts as missing, and UserInfo completes it: %s', async (_, text) => {
    const { issuer, handleCallback } = setUp({ claims: { email: text, email_verified: true, name: text } });
    expect(await handleCallback()).toMatchObject({
      label: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
      claims: ada,
    });
    expect(issuer.takeRequestedEndpoints()).toContain('userinfo');
  });

  it.each(invisibleTexts)('is not replaced by UserInfo with only invisible text: %s', async (_, text) => {
    const userInfo = { email: text, email_verified: true, name: text };
    const identity = await handleCallback({ claims: { name: 'Ada' }, userInfo });
    expect(identity).toMatchObject({ label: 'Ada', emailVerified: false });
    expect(identity).not.toHaveProperty('email');
  });
});
