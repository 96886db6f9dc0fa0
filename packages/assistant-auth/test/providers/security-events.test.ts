/** Security events of providers: token identifiers and verification. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { google } from '../../src/index.ts';
import { googleSecurityEvents } from '../../src/providers/google-events.ts';
import { createIssuer as makeIssuer } from '../../src/providers/issuer.ts';
import { type OidcOptions, oidc } from '../../src/providers/oidc.ts';
import { parseOidcOptions } from '../../src/providers/option-rules.ts';
import {
  computeGoogleTokenIdentifiers,
  parseGoogleTokenIdentifier,
} from '../../src/providers/security-events/google.ts';
import { verifySecurityEventToken } from '../../src/providers/security-events/verify.ts';
import { callback, clientId, clientSecret, createFakeIssuer, upstreamRequest } from './fake-issuer.ts';
import { doubleHash } from './security-events/double-hash.ts';
import { type Claims, generateKey, type SigningKey, sign } from './signing.ts';

describe('token identifiers', () => {
  const refreshToken = '1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789';

  it('a token is found by its first 16 characters, and by its double hash in any variant of base64', async () => {
    const [prefixIdentifier, hashIdentifier] = await computeGoogleTokenIdentifiers(refreshToken);
    expect(await parseGoogleTokenIdentifier('prefix', refreshToken.slice(0, 16))).toBe(prefixIdentifier);
    const hash = await doubleHash(refreshToken);
    for (const encodedHash of [
      hash,
      hash.replaceAll('=', ''),
      hash.replaceAll('+', '-').replaceAll('/', '_'),
      hash.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
    ])
      expect(await parseGoogleTokenIdentifier('hash_base64_sha512_sha512', encodedHash)).toBe(hashIdentifier);
  });

  it('an invalid identifier finds no token', async () => {
    for (const [algorithm, value] of [
      ['prefix', undefined],
      ['prefix', 7],
      ['hash_base64_sha256', 'x'],
      [undefined, refreshToken],
    ])
      expect(await parseGoogleTokenIdentifier(algorithm, value)).toBeUndefined();
  });

  it('identifiers have 43 characters, and are equal only for equal prefixes or tokens', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ minLength: 20 }), fc.string({ minLength: 20 }), async (one, other) => {
        const [identifiers, otherIdentifiers] = [
          await computeGoogleTokenIdentifiers(one),
          await computeGoogleTokenIdentifiers(other),
        ];
        for (const identifier of identifiers) expect(identifier).toMatch(/^[\w-]{43}$/);
        expect(identifiers[0] === otherIdentifiers[0]).toBe(one.slice(0, 16) === other.slice(0, 16));
        expect(identifiers[1] === otherIdentifiers[1]).toBe(one === other);
        expect(identifiers[0]).not.toBe(identifiers[1]);
      }),
      { numRuns: 50 },
    ));

  it('every refresh token from Google has identifiers', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret, securityEvents: googleSecurityEvents() });
    const identity = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    expect(identity.tokenIdentifiers).toEqual(await computeGoogleTokenIdentifiers('their-refresh-token'));
    issuer.override({ tokens: { refresh_token: 'their-next' } });
    const rotated = {
      refreshToken: 'their-next',
      tokenIdentifiers: await computeGoogleTokenIdentifiers('their-next'),
    };
    expect(await provider.validateRefreshToken(refreshToken, issuer.io)).toEqual({
      kind: 'active',
      ...rotated,
    });
    issuer.override({ tokens: { refresh_token: undefined } });
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).not.toHaveProperty(
      'tokenIdentifiers',
    );
    expect(await provider.validateRefreshToken(refreshToken, issuer.io)).toEqual({ kind: 'active' });
  });

  it('without the option securityEvents, no refresh token from Google has identifiers', async () => {
    const issuer = createFakeIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const identity = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    expect(identity.refreshToken).toBe('their-refresh-token');
    expect(identity).not.toHaveProperty('tokenIdentifiers');
    issuer.override({ tokens: { refresh_token: 'their-next' } });
    expect(await provider.validateRefreshToken(refreshToken, issuer.io)).toEqual({
      kind: 'active',
      refreshToken: 'their-next',
    });
    expect(provider).not.toHaveProperty('securityEvents');
  });
});

describe('verification', async () => {
  const now = 1_800_000_000;
  const buildIssuerUrl = (tenant: string) => `https://id.example/${tenant}`;
  const issuerNames = {
    metadataIssuer: buildIssuerUrl('{tenantid}'),
    isIssuerName: (issuerUrl: string) => /\/(one|two)$/.test(issuerUrl),
  };
  const settings: OidcOptions = {
    id: 'acme',
    displayName: 'Acme',
    issuer: buildIssuerUrl('all'),
    clientId,
    clientSecret,
  };
  const rules = { type: 'logout+jwt', maxAge: 3600, expiry: 'enforced' } as const;

  const [tenantKey, sharedKey] = [await generateKey('key-1'), await generateKey('key-2')];
  const keys = {
    keys: [
      { ...tenantKey.published, issuer: buildIssuerUrl('one') },
      { ...sharedKey.published, issuer: buildIssuerUrl('{tenantid}') },
    ],
  };

  const verify = async (key: SigningKey, claims: Claims) => {
    const issuer = createFakeIssuer(buildIssuerUrl('all'));
    issuer.override({ metadata: { issuer: buildIssuerUrl('{tenantid}') }, keys });
    const token = await sign({ aud: clientId, iat: now, jti: 'token-1', ...claims }, key);
    return verifySecurityEventToken(
      token,
      makeIssuer(parseOidcOptions(settings), issuerNames),
      rules,
      issuer.io,
    );
  };

  describe('a token of an issuer with tenants', () => {
    it('is accepted with the issuer of its tenant', async () => {
      for (const [key, tenant] of [
        [tenantKey, 'one'],
        [sharedKey, 'one'],
        [sharedKey, 'two'],
      ] as const)
        expect(await verify(key, { iss: buildIssuerUrl(tenant) })).toEqual({
          ...{ jti: 'token-1', signedInBefore: now + 30, retainUntil: now + 3631 },
          claims: { aud: clientId, iat: now, jti: 'token-1', iss: buildIssuerUrl(tenant) },
        });
    });

    it('is refused with another issuer', async () => {
      for (const [key, iss, fault] of [
        [tenantKey, buildIssuerUrl('two'), 'key'],
        [sharedKey, buildIssuerUrl('three'), 'key'],
        [sharedKey, buildIssuerUrl('{tenantid}'), 'key'],
        [sharedKey, undefined, 'key'],
      ] as const)
        await expect(verify(key, { iss })).rejects.toMatchObject({ name: 'SecurityEventError', fault });
    });
  });

  it('only issuers that send security events have an endpoint', () => {
    expect(oidc(settings).readLogoutToken).toBeTypeOf('function');
    expect(oidc(settings)).not.toHaveProperty('securityEvents');
  });
});
