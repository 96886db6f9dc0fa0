/** An OpenID Connect issuer: its metadata, its signing keys and its ID tokens. */
import { describe, expect, it } from 'vitest';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createFakeIssuer,
  createOidcProvider,
  type FakeIssuer,
  type IssuerOverrides,
  issuerKey,
  upstreamRequest,
} from './fake-issuer.ts';
import {
  type Claims,
  createUnsignedToken,
  generateKey,
  replaceClaims,
  type SigningKey,
  sign,
  signWithPublicKey,
  signWithSecret,
} from './signing.ts';

describe('discovery', () => {
  const invalid = (reason: string) => ({ kind: 'invalid', reason });

  const refuseMetadata = async (metadata: Claims) => {
    const issuer = createFakeIssuer();
    issuer.override({ metadata });
    const error = await captureProviderError(
      createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io),
    );
    expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
    return error;
  };

  describe('metadata', () => {
    it.each(['https://evil.example', 'https://id.example/other', 'http://id.example'])(
      'with the issuer %s is refused for https://id.example',
      async (issuer) => {
        expect(await refuseMetadata({ issuer })).toEqual(
          invalid('the metadata of id.example names another issuer'),
        );
      },
    );

    it.each([[undefined], [7], ['']])('with %j as issuer is refused', async (issuer) => {
      expect(await refuseMetadata({ issuer })).toMatchObject({ kind: 'invalid' });
    });

    const addresses = [
      undefined,
      7,
      '',
      '/relative',
      'http://id.example/plain',
      'http://127.0.0.1/plain',
      'javascript:alert(1)',
      'data:application/json,{}',
      'https://user@id.example/',
      'https://:password@id.example/',
      'https://id.example/#fragment',
    ];
    const endpointNames = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];
    it.each(endpointNames.flatMap((name) => addresses.map((address) => [name, address] as const)))(
      'of an https issuer with %s %j is refused',
      async (name, address) => {
        expect(await refuseMetadata({ [name]: address })).toEqual(
          invalid(`the ${name} of id.example is not an allowed URL`),
        );
      },
    );

    it.each([
      ['a list', '[]'],
      ['null', 'null'],
      ['a number', '7'],
      ['truncated', '{"issuer":'],
    ])('that is %s is refused', async (_, body) => {
      const issuer = createFakeIssuer();
      const headers = { 'content-type': 'application/json' };
      issuer.override({ endpointOverrides: { discovery: () => new Response(body, { headers }) } });
      expect(
        await captureProviderError(createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io)),
      ).toEqual(invalid('id.example responded with status 200, without metadata'));
    });

    it.each([{}, { issuer: null }, { issuer: ['https://id.example'] }, { issuer: 'id.example' }])(
      'without a usable issuer is refused: %j',
      async (metadata) => {
        const issuer = createFakeIssuer();
        issuer.override({ endpointOverrides: { discovery: () => Response.json(metadata) } });
        expect(
          await captureProviderError(createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io)),
        ).toEqual(invalid('the metadata of id.example names another issuer'));
      },
    );

    it.each<Claims>([
      { scopes_supported: 'openid offline_access' },
      { scopes_supported: { openid: true } },
      { scopes_supported: 7 },
      { claims_supported: 7, claim_types_supported: 'normal' },
      { response_types_supported: 'code', response_modes_supported: null, grant_types_supported: {} },
      { id_token_signing_alg_values_supported: null },
      { id_token_encryption_alg_values_supported: 'RSA-OAEP', userinfo_signing_alg_values_supported: 7 },
      { code_challenge_methods_supported: 'S256', mtls_endpoint_aliases: null },
      { userinfo_endpoint: 7, end_session_endpoint: {}, introspection_endpoint: [] },
      { revocation_endpoint: null, registration_endpoint: false, service_documentation: 7 },
      { token_endpoint_auth_methods_supported: null },
      { token_endpoint_auth_signing_alg_values_supported: 'RS256', request_parameter_supported: 'no' },
    ])('with unused or optional members of the wrong type lets users sign in: %j', async (metadata) => {
      const issuer = createFakeIssuer();
      issuer.override({ metadata });
      const provider = createOidcProvider(issuer);
      await provider.authorizationUrl(upstreamRequest, issuer.io);
      expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
        subject: 'person-1',
      });
      expect(await provider.validateRefreshToken('their-refresh-token', issuer.io)).toMatchObject({
        kind: 'active',
      });
    });

    it('is fetched again after an hour and not before', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer);
      await provider.authorizationUrl(upstreamRequest, issuer.io);
      issuer.override({ metadata: { authorization_endpoint: 'https://id.example/moved' } });
      issuer.advance(3599);
      expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/authorize');
      issuer.advance(1);
      expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/moved');
      expect(issuer.takeRequestedEndpoints()).toEqual(['discovery', 'discovery']);
    });

    it('that was refused is fetched again at the next sign-in', async () => {
      const issuer = createFakeIssuer();
      const provider = createOidcProvider(issuer);
      issuer.override({ metadata: { issuer: 'https://evil.example' } });
      await captureProviderError(provider.authorizationUrl(upstreamRequest, issuer.io));
      issuer.override({});
      expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).pathname).toBe('/authorize');
    });

    it('is fetched below the path of an issuer', async () => {
      const issuer = createFakeIssuer('https://id.example/realms/words');
      await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
      expect(issuer.requests[0]?.url).toBe(
        'https://id.example/realms/words/.well-known/openid-configuration',
      );
    });
  });

  describe('a plain http URL or a private address', () => {
    const loopbacks = ['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'];

    it.each(loopbacks)('is allowed as the issuer if the broker is on loopback too: %s', async (url) => {
      const issuer = createFakeIssuer(url);
      const io = { ...issuer.io, allowLoopbackHttp: true };
      expect(await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, io)).toMatchObject({
        subject: 'person-1',
      });
    });

    it.each(loopbacks)('is refused as the issuer if the broker is not on loopback: %s', async (url) => {
      const issuer = createFakeIssuer(url);
      expect(
        await captureProviderError(
          createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
        ),
      ).toEqual(invalid(`the metadata URL of ${new URL(url).host} is not an allowed URL`));
      expect(issuer.takeRequestedEndpoints()).toEqual([]);
    });

    it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])(
      'is refused as the %s of a loopback issuer if it is on another host',
      async (name) => {
        const issuer = createFakeIssuer('http://127.0.0.1:4001');
        issuer.override({ metadata: { [name]: 'http://id.example/away' } });
        const io = { ...issuer.io, allowLoopbackHttp: true };
        expect(
          await captureProviderError(createOidcProvider(issuer).authorizationUrl(upstreamRequest, io)),
        ).toEqual(invalid(`the ${name} of 127.0.0.1:4001 is not an allowed URL`));
      },
    );

    it.each([
      ...['https://127.0.0.1:8443/x', 'https://10.0.0.5/x', 'https://169.254.169.254/x', 'https://[::1]/x'],
      ...['https://2130706433/x', 'https://0x7f.1/x', 'https://localhost/x', 'https://a.localhost./x'],
    ])('is refused in the metadata of a public issuer: %s', async (address) => {
      for (const name of ['token_endpoint', 'jwks_uri']) {
        const issuer = createFakeIssuer();
        issuer.override({ metadata: { [name]: address } });
        expect(
          await captureProviderError(
            createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
          ),
        ).toEqual(invalid(`the ${name} of id.example is not an allowed URL`));
        expect(issuer.takeRequestedEndpoints()).toEqual(['discovery']);
      }
    });

    it('is allowed in the metadata if the configured issuer is on a private address', async () => {
      const issuer = createFakeIssuer('https://10.0.0.5');
      expect(
        await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
      ).toMatchObject({ subject: 'person-1' });
    });

    it('is refused in the metadata of an https issuer, even if the broker is on loopback', async () => {
      const issuer = createFakeIssuer();
      issuer.override({ metadata: { token_endpoint: 'http://127.0.0.1:4001/token' } });
      const io = { ...issuer.io, allowLoopbackHttp: true };
      expect(
        await captureProviderError(
          createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, io),
        ),
      ).toEqual(invalid('the token_endpoint of id.example is not an allowed URL'));
    });
  });
});

/** The reason if `jose` cannot verify the signature. */
const unverified = (code: string): string => `the signature of the ID token could not be verified: ${code}`;

describe('signing keys', async () => {
  const badSignature = { kind: 'invalid', reason: unverified('ERR_JWS_SIGNATURE_VERIFICATION_FAILED') };
  const noKey = {
    kind: 'invalid',
    reason: unverified('ERR_JWKS_NO_MATCHING_KEY'),
  };
  const unreadable = { kind: 'invalid', reason: 'the signing keys could not be read' };

  const keyWithSameId = await generateKey('key-1');
  const keyWithNewId = await generateKey('key-2');

  const setUp = () => {
    const issuer = createFakeIssuer();
    const provider = createOidcProvider(issuer);
    return {
      issuer,
      signIn: () => provider.handleCallback(callback(), upstreamRequest, issuer.io),
      keyRequests: () => issuer.takeRequestedEndpoints().filter((endpoint) => endpoint === 'keys').length,
    };
  };

  /** Signs with `key`, and publishes it unless another key is passed as `published`. */
  const signWith = (issuer: FakeIssuer, key: SigningKey, published = key) =>
    issuer.override({ makeIdToken: (claims) => sign(claims, key), keys: { keys: [published.published] } });

  it('B8.8 unknown kid: the keys are fetched at most once in ten seconds', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    expect(keyRequests()).toBe(1);
    signWith(issuer, keyWithNewId, issuerKey);
    issuer.advance(9);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    for (let attempt = 0; attempt < 5; attempt++) expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
    issuer.advance(9);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
  });

  it('B8.8 unknown kid: keys that were fetched for the same token are not fetched twice', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    signWith(issuer, keyWithNewId, issuerKey);
    expect(await captureProviderError(signIn())).toEqual(noKey);
    expect(keyRequests()).toBe(1);
  });

  it.each([
    ['with a new kid', keyWithNewId],
    ['with the same kid', keyWithSameId],
  ])('that change %s are fetched again once, and the sign-in succeeds', async (_, key) => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, key);
    keyRequests();
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
    expect(keyRequests()).toBe(1);
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
    expect(keyRequests()).toBe(0);
  });

  it('that changed let all concurrent sign-ins succeed', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, keyWithSameId);
    const all = await Promise.all([signIn(), signIn(), signIn()]);
    expect(all.map(({ subject }) => subject)).toEqual(['person-1', 'person-1', 'person-1']);
  });

  it('are fetched once for a forged token, which is refused', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    signWith(issuer, keyWithSameId, issuerKey);
    keyRequests();
    expect(await captureProviderError(signIn())).toEqual(badSignature);
    expect(keyRequests()).toBe(1);
  });

  it.each([
    ['at the same moment', () => Response.json({ keys: [issuerKey.published] })],
    ['while the issuer returns no keys', () => new Response(null, { status: 429 })],
  ])('B8.8 unknown kid: of fifty invalid tokens %s, five fetch the keys', async (_, keys) => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    issuer.advance(10);
    issuer.override({ makeIdToken: (claims) => sign(claims, keyWithNewId), endpointOverrides: { keys } });
    keyRequests();
    await Promise.all(Array.from({ length: 50 }, () => captureProviderError(signIn())));
    expect(keyRequests()).toBe(5);
    issuer.advance(9);
    await captureProviderError(signIn());
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    issuer.override({
      makeIdToken: (claims) => sign(claims, keyWithNewId),
      keys: { keys: [keyWithNewId.published] },
    });
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
  });

  it('that cannot be fetched again stay in use', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.advance(10);
    issuer.override({
      makeIdToken: (claims) => sign(claims, keyWithNewId),
      endpointOverrides: { keys: () => new Response(null, { status: 503 }) },
    });
    expect(await captureProviderError(signIn())).toEqual({
      kind: 'unavailable',
      reason: 'id.example responded with status 503',
    });
    issuer.override({ endpointOverrides: { keys: () => new Response(null, { status: 503 }) } });
    expect(await signIn()).toMatchObject({ subject: 'person-1' });
  });

  it('are fetched again after five minutes and not before', async () => {
    const { issuer, signIn, keyRequests } = setUp();
    await signIn();
    keyRequests();
    issuer.advance(299);
    await signIn();
    expect(keyRequests()).toBe(0);
    issuer.advance(1);
    await signIn();
    expect(keyRequests()).toBe(1);
  });

  it('that were withdrawn are refused after five minutes', async () => {
    const { issuer, signIn } = setUp();
    await signIn();
    issuer.override({ keys: { keys: [keyWithNewId.published] } });
    issuer.advance(300);
    expect(await captureProviderError(signIn())).toEqual(noKey);
  });

  it('are fetched from the URL in the newest metadata', async () => {
    const { issuer, signIn } = setUp();
    issuer.advance(0);
    await signIn();
    issuer.advance(3500);
    await signIn();
    issuer.override({ metadata: { jwks_uri: 'https://id.example/other-keys' } });
    issuer.advance(100);
    issuer.requests.length = 0;
    await signIn();
    expect(issuer.requests.map(({ url }) => url)).toEqual([
      'https://id.example/.well-known/openid-configuration',
      'https://id.example/token',
      'https://id.example/other-keys',
    ]);
  });

  it.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'of the algorithm %s are accepted',
    async (alg) => {
      const { issuer, signIn } = setUp();
      const key = await generateKey('key-1', alg);
      issuer.override({
        metadata: { id_token_signing_alg_values_supported: ['RS256', alg] },
        makeIdToken: (claims) => sign(claims, key),
        keys: { keys: [key.published] },
      });
      expect(await signIn()).toMatchObject({ subject: 'person-1' });
    },
  );

  it.each([
    ['that the issuer does not list', ['RS256']],
    ['when the issuer lists none', undefined],
    ['when the issuer’s list is unreadable', 'ES256'],
  ])('of an algorithm %s are refused', async (_, algorithms) => {
    const { issuer, signIn, keyRequests } = setUp();
    const key = await generateKey('key-1', 'ES256');
    issuer.override({
      metadata: { id_token_signing_alg_values_supported: algorithms },
      makeIdToken: (claims) => sign(claims, key),
      keys: { keys: [key.published] },
    });
    expect(await captureProviderError(signIn())).toEqual({
      kind: 'invalid',
      reason: unverified('ERR_JOSE_ALG_NOT_ALLOWED'),
    });
    expect(keyRequests()).toBe(1);
  });

  it.each([
    ['not an object', [], unreadable],
    ['not a list', { keys: {} }, unreadable],
    ['a list of strings', { keys: ['key-1'] }, unreadable],
    ['a list of lists', { keys: [[]] }, unreadable],
    ['an empty list', { keys: [] }, noKey],
    ['a key for encryption', { keys: [{ ...issuerKey.published, use: 'enc' }] }, noKey],
    ['a key of another type', { keys: [{ kty: 'oct', kid: 'key-1', k: 'AAAA' }] }, noKey],
    [
      'an incomplete key',
      { keys: [{ kty: 'RSA', kid: 'key-1', alg: 'RS256' }] },
      { kind: 'invalid', reason: unverified('a key cannot be used') },
    ],
    [
      'two keys with the same kid',
      { keys: [issuerKey.published, keyWithSameId.published] },
      { kind: 'invalid', reason: unverified('ERR_JWKS_MULTIPLE_MATCHING_KEYS') },
    ],
  ])('that are %s are refused', async (_, keys, error) => {
    const { issuer, signIn } = setUp();
    issuer.override({ keys });
    expect(await captureProviderError(signIn())).toEqual(error);
  });
});

describe('ID tokens (OpenID Connect Core §3.1.3.7)', async () => {
  const now = 1_800_000_000;
  const forger = await generateKey('key-1');
  /** The metadata of an issuer that announces insecure algorithms. */
  const anyAlgorithm = { id_token_signing_alg_values_supported: ['none', 'None', 'HS256', 'RS256'] };

  const badAlgorithm = unverified('ERR_JOSE_ALG_NOT_ALLOWED');
  const badIssuer = 'the ID token is from another issuer';
  const badAudience = 'the ID token is for another client';
  const issuedToOtherParty = 'the ID token was issued to another party';
  const badNonce = 'the ID token is for another sign-in';
  const badTime = 'a time in the ID token is missing or not a number';
  const badSignature = unverified('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  const noToken = 'the token response has no ID token';
  const unreadableToken = 'the ID token could not be read';
  const badSubject = 'the subject is not a string, is empty, or is too long';

  const forgeries: readonly (readonly [name: string, overrides: IssuerOverrides, reason: string])[] = [
    [
      'B8.1 alg none',
      { metadata: anyAlgorithm, makeIdToken: (claims) => createUnsignedToken(claims, 'none') },
      badAlgorithm,
    ],
    [
      'B8.1 alg None',
      { metadata: anyAlgorithm, makeIdToken: (claims) => createUnsignedToken(claims, 'None') },
      badAlgorithm,
    ],
    [
      'B8.2 HS256 with the public key',
      { metadata: anyAlgorithm, makeIdToken: (claims) => signWithPublicKey(claims, issuerKey) },
      badAlgorithm,
    ],
    [
      'B8.2 HS256 with the client secret',
      { metadata: anyAlgorithm, makeIdToken: (claims) => signWithSecret(claims, clientSecret, 'key-1') },
      badAlgorithm,
    ],
    ['B8.3 wrong iss', { claims: { iss: 'https://evil.example' } }, badIssuer],
    ['B8.3 iss with a slash', { claims: { iss: 'https://id.example/' } }, badIssuer],
    ['B8.3 iss in a list', { claims: { iss: ['https://id.example'] } }, badIssuer],
    ['B8.3 missing iss', { claims: { iss: undefined } }, badIssuer],
    ['B8.4 wrong aud', { claims: { aud: 'another-client' } }, badAudience],
    ['B8.4 several aud without ours', { claims: { aud: ['another-client', 'a-third'] } }, badAudience],
    ['B8.4 no aud in a list', { claims: { aud: [] } }, badAudience],
    ['B8.4 aud within a nested list', { claims: { aud: [[clientId]] } }, badAudience],
    ['B8.4 missing aud', { claims: { aud: undefined } }, badAudience],
    ['B8.5 wrong azp', { claims: { azp: 'another-client' } }, issuedToOtherParty],
    ['B8.5 azp that is null', { claims: { azp: null } }, issuedToOtherParty],
    [
      'B8.5 wrong azp of several aud',
      { claims: { aud: [clientId, 'another'], azp: 'another' } },
      issuedToOtherParty,
    ],
    ['B8.5 several aud without azp', { claims: { aud: [clientId, 'another'] } }, issuedToOtherParty],
    ['B8.6 wrong nonce', { claims: { nonce: 'nonce-of-another-transaction' } }, badNonce],
    ['B8.6 missing nonce', { claims: { nonce: undefined } }, badNonce],
    ['B8.7 exp 30 s ago', { claims: { exp: now - 30 } }, 'the ID token has expired'],
    ['B8.7 missing exp', { claims: { exp: undefined } }, badTime],
    ['B8.7 exp as text', { claims: { exp: '1800003600' } }, badTime],
  ];

  const otherInvalidTokens: readonly (readonly [name: string, overrides: IssuerOverrides, reason: string])[] =
    [
      ['iat 31 s ahead', { claims: { iat: now + 31 } }, 'the ID token is not valid yet'],
      ['nbf 31 s ahead', { claims: { nbf: now + 31 } }, 'the ID token is not valid yet'],
      ['no iat', { claims: { iat: undefined } }, badTime],
      ['nbf as text', { claims: { nbf: '0' } }, badTime],
      ['an nbf that is null', { claims: { nbf: null } }, badTime],
      ['no sub', { claims: { sub: undefined } }, badSubject],
      ['a number as sub', { claims: { sub: 7 } }, badSubject],
      ['an empty sub', { claims: { sub: '' } }, badSubject],
      ['a sub of 256 characters', { claims: { sub: 'x'.repeat(256) } }, badSubject],
      [
        'the signature of another key with a known kid',
        { makeIdToken: (claims) => sign(claims, forger) },
        badSignature,
      ],
      [
        'other claims with a genuine signature',
        {
          makeIdToken: async (claims) =>
            replaceClaims(await sign(claims, issuerKey), { ...claims, sub: 'person-2' }),
        },
        badSignature,
      ],
      [
        'no signature after a genuine header',
        { makeIdToken: async (claims) => (await sign(claims, issuerKey)).replace(/[^.]+$/, '') },
        badSignature,
      ],
      [
        'a critical header extension',
        { makeIdToken: (claims) => sign(claims, issuerKey, { crit: ['b64'], b64: true }) },
        'the ID token has a critical header extension',
      ],
      [
        'a token without its signature',
        { makeIdToken: async (claims) => (await sign(claims, issuerKey)).replace(/\.[^.]+$/, '') },
        unverified('ERR_JWS_INVALID'),
      ],
      [
        'a token with a fourth part',
        { makeIdToken: async (claims) => `${await sign(claims, issuerKey)}.e30` },
        unverified('ERR_JWS_INVALID'),
      ],
      [
        'a token whose header is not JSON',
        { makeIdToken: async (claims) => (await sign(claims, issuerKey)).replace(/^[^.]+/, '!') },
        unverified('ERR_JWS_INVALID'),
      ],
      ['an encrypted token', { tokens: { id_token: 'a.b.c.d.e' } }, unreadableToken],
      ['no token at all', { tokens: { id_token: undefined } }, noToken],
      ['a number as token', { tokens: { id_token: 7 } }, noToken],
      ['a token whose claims are a list', { tokens: { id_token: 'e30.W10.' } }, badIssuer],
      ['a token whose claims are null', { tokens: { id_token: 'e30.bnVsbA.' } }, badIssuer],
      ['a token that is not JSON', { tokens: { id_token: '!.!.!' } }, unreadableToken],
    ];

  it.each([...forgeries, ...otherInvalidTokens])('%s is refused', async (_, overrides, reason) => {
    const issuer = createFakeIssuer();
    issuer.override(overrides);
    expect(
      await captureProviderError(
        createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
      ),
    ).toEqual({
      kind: 'invalid',
      reason,
    });
  });

  it.each([
    ['exp 29 s ago', { exp: now - 29 }],
    ['iat 30 s ahead', { iat: now + 30 }],
    ['nbf 30 s ahead', { nbf: now + 30 }],
    ['our own azp', { azp: clientId }],
    ['several aud and our own azp', { aud: ['another', clientId], azp: clientId }],
    ['a list of one aud', { aud: [clientId] }],
    ['a sub of 255 characters', { sub: 'x'.repeat(255) }],
  ])('with %s is accepted', async (_, claims) => {
    const issuer = createFakeIssuer();
    issuer.override({ claims });
    const identity = await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    expect(identity.claims).toMatchObject(claims);
  });

  it('expires by the clock that is passed in', async () => {
    const issuer = createFakeIssuer();
    issuer.override({ claims: { exp: now + 60 } });
    const provider = createOidcProvider(issuer);
    await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    issuer.advance(90);
    issuer.override({ claims: { exp: now + 60, iat: now } });
    expect(
      await captureProviderError(provider.handleCallback(callback(), upstreamRequest, issuer.io)),
    ).toEqual({
      kind: 'invalid',
      reason: 'the ID token has expired',
    });
  });
});
