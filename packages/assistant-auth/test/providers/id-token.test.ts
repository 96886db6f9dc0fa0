/** ID tokens that a forger, a neighbour or a broken issuer would send (OpenID Connect Core §3.1.3.7). */
import { describe, expect, test } from 'vitest';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createIssuer,
  createOidcProvider,
  type IssuerOverrides,
  issuerKey,
  upstreamRequest,
} from './hostile-issuer.ts';
import {
  createUnsignedToken,
  generateKey,
  replaceClaims,
  sign,
  signWithPublicKey,
  signWithSecret,
} from './signing.ts';

const now = 1_800_000_000;
const forger = await generateKey('key-1');
/** An issuer that would even announce it. */
const anyAlgorithm = { id_token_signing_alg_values_supported: ['none', 'None', 'HS256', 'RS256'] };

const badAlgorithm = 'unexpected JWT "alg" header parameter';
const badAudience = 'unexpected JWT "aud" (audience) claim value';
const otherParty = 'the ID token was issued to another party';
const badNonce = 'unexpected ID Token "nonce" claim value';
const badSignature = 'JWT signature verification failed';
const badSubject = 'the subject is not a string, empty or too long';
const missing = (claim: string) => `JWT ${claim} claim missing`;

const forgeries: readonly (readonly [name: string, bends: IssuerOverrides, reason: string])[] = [
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
  [
    'B8.3 wrong iss',
    { claims: { iss: 'https://evil.example' } },
    'unexpected JWT "iss" (issuer) claim value',
  ],
  [
    'B8.3 iss with a slash',
    { claims: { iss: 'https://id.example/' } },
    'unexpected JWT "iss" (issuer) claim value',
  ],
  ['B8.3 missing iss', { claims: { iss: undefined } }, missing('"iss" (issuer)')],
  ['B8.4 wrong aud', { claims: { aud: 'another-client' } }, badAudience],
  ['B8.4 aud of others', { claims: { aud: ['another-client', 'a-third'] } }, badAudience],
  ['B8.4 missing aud', { claims: { aud: undefined } }, missing('"aud" (audience)')],
  ['B8.5 wrong azp', { claims: { azp: 'another-client' } }, otherParty],
  [
    'B8.5 wrong azp of several aud',
    { claims: { aud: [clientId, 'another'], azp: 'another' } },
    'unexpected ID Token "azp" (authorized party) claim value',
  ],
  [
    'B8.5 several aud without azp',
    { claims: { aud: [clientId, 'another'] } },
    'ID Token "aud" (audience) claim includes additional untrusted audiences',
  ],
  ['B8.6 wrong nonce', { claims: { nonce: 'nonce-of-another-transaction' } }, badNonce],
  ['B8.6 missing nonce', { claims: { nonce: undefined } }, missing('"nonce" (nonce)')],
  ['B8.7 exp 30 s ago', { claims: { exp: now - 30 } }, 'the ID token has expired'],
  ['B8.7 missing exp', { claims: { exp: undefined } }, missing('"exp" (expiration time)')],
  [
    'B8.7 exp as text',
    { claims: { exp: '1800003600' } },
    'unexpected JWT "exp" (expiration time) claim type',
  ],
];

const oddities: readonly (readonly [name: string, bends: IssuerOverrides, reason: string])[] = [
  ['iat 31 s ahead', { claims: { iat: now + 31 } }, 'the ID token is not valid yet'],
  ['nbf 31 s ahead', { claims: { nbf: now + 31 } }, 'the ID token is not valid yet'],
  ['no iat', { claims: { iat: undefined } }, missing('"iat" (issued at)')],
  ['no sub', { claims: { sub: undefined } }, missing('"sub" (subject)')],
  ['a number as sub', { claims: { sub: 7 } }, 'unexpected JWT "sub" (subject) claim type'],
  ['an empty sub', { claims: { sub: '' } }, badSubject],
  ['a sub of 256 characters', { claims: { sub: 'x'.repeat(256) } }, badSubject],
  [
    'a stranger’s signature under a known kid',
    { makeIdToken: (claims) => sign(claims, forger) },
    badSignature,
  ],
  [
    'other claims under a genuine signature',
    {
      makeIdToken: async (claims) =>
        replaceClaims(await sign(claims, issuerKey), { ...claims, sub: 'person-2' }),
    },
    badSignature,
  ],
  [
    'no signature under a genuine header',
    { makeIdToken: async (claims) => (await sign(claims, issuerKey)).replace(/[^.]+$/, '') },
    badSignature,
  ],
  [
    'an extension that must be understood',
    { makeIdToken: (claims) => sign(claims, issuerKey, { crit: ['b64'], b64: true }) },
    'no JWT "crit" header parameter extensions are supported',
  ],
  ['an encrypted token', { tokens: { id_token: 'a.b.c.d.e' } }, 'JWE decryption is not configured'],
  [
    'no token at all',
    { tokens: { id_token: undefined } },
    '"response" body "id_token" property must be a string',
  ],
  ['a number as token', { tokens: { id_token: 7 } }, '"response" body "id_token" property must be a string'],
  ['half a token', { tokens: { id_token: 'e30.e30' } }, 'Invalid JWT'],
  [
    'a token that is no JSON',
    { tokens: { id_token: '!.!.!' } },
    'failed to parse JWT Header body as base64url encoded JSON',
  ],
];

describe('an ID token', () => {
  test.each([...forgeries, ...oddities])('%s is refused', async (_, bends, reason) => {
    const issuer = createIssuer();
    issuer.override(bends);
    expect(
      await captureProviderError(
        createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
      ),
    ).toEqual({
      kind: 'invalid',
      reason,
    });
  });

  test.each([
    ['exp 29 s ago', { exp: now - 29 }],
    ['iat 30 s ahead', { iat: now + 30 }],
    ['nbf 30 s ahead', { nbf: now + 30 }],
    ['our own azp', { azp: clientId }],
    ['several aud and our own azp', { aud: ['another', clientId], azp: clientId }],
    ['a list of one aud', { aud: [clientId] }],
    ['a sub of 255 characters', { sub: 'x'.repeat(255) }],
  ])('with %s is accepted', async (_, claims) => {
    const issuer = createIssuer();
    issuer.override({ claims });
    const identity = await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    expect(identity.claims).toMatchObject(claims);
  });

  test('expires by the clock that is passed in', async () => {
    const issuer = createIssuer();
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
