/** Security events of providers: token identifiers and verification. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { google } from '../../src/index.ts';
import { createIssuer as makeIssuer } from '../../src/providers/issuer.ts';
import { type OidcSettings, oidc } from '../../src/providers/oidc.ts';
import {
  computeGoogleTokenIdentifiers,
  parseGoogleTokenIdentifier,
} from '../../src/providers/security-events/google.ts';
import { verifySecurityEventToken } from '../../src/providers/security-events/verify.ts';
import { callback, clientId, clientSecret, createIssuer, upstreamRequest } from './hostile-issuer.ts';
import { doubleHash } from './security-events/double-hash.ts';
import { type Claims, generateKey, type SigningKey, sign } from './signing.ts';

describe('token identifiers', () => {
  const theirs = '1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789';

  it('a token is found by its first 16 characters, and by its double hash in any variant of base64', async () => {
    const [start, digest] = await computeGoogleTokenIdentifiers(theirs);
    expect(await parseGoogleTokenIdentifier('prefix', theirs.slice(0, 16))).toBe(start);
    const hash = await doubleHash(theirs);
    for (const spelling of [
      hash,
      hash.replaceAll('=', ''),
      hash.replaceAll('+', '-').replaceAll('/', '_'),
      hash.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
    ])
      expect(await parseGoogleTokenIdentifier('hash_base64_sha512_sha512', spelling)).toBe(digest);
  });

  it('an invalid identifier finds no token', async () => {
    for (const [algorithm, named] of [
      ['prefix', undefined],
      ['prefix', 7],
      ['hash_base64_sha256', 'x'],
      [undefined, theirs],
    ])
      expect(await parseGoogleTokenIdentifier(algorithm, named)).toBeUndefined();
  });

  it('identifiers have 43 characters, and are equal only for equal prefixes or tokens', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ minLength: 20 }), fc.string({ minLength: 20 }), async (one, other) => {
        const [names, others] = [
          await computeGoogleTokenIdentifiers(one),
          await computeGoogleTokenIdentifiers(other),
        ];
        for (const name of names) expect(name).toMatch(/^[\w-]{43}$/);
        expect(names[0] === others[0]).toBe(one.slice(0, 16) === other.slice(0, 16));
        expect(names[1] === others[1]).toBe(one === other);
        expect(names[0]).not.toBe(names[1]);
      }),
      { numRuns: 50 },
    ));

  it('every refresh token from Google has identifiers', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const identity = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    expect(identity.tokenIdentifiers).toEqual(await computeGoogleTokenIdentifiers('their-refresh-token'));
    issuer.override({ tokens: { refresh_token: 'their-next' } });
    const rotated = {
      refreshToken: 'their-next',
      tokenIdentifiers: await computeGoogleTokenIdentifiers('their-next'),
    };
    expect(await provider.validateRefreshToken(theirs, issuer.io)).toEqual({ kind: 'active', ...rotated });
    issuer.override({ tokens: { refresh_token: undefined } });
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).not.toHaveProperty(
      'tokenIdentifiers',
    );
    expect(await provider.validateRefreshToken(theirs, issuer.io)).toEqual({ kind: 'active' });
  });
});

describe('verification', async () => {
  const now = 1_800_000_000;
  const nameOf = (tenant: string) => `https://id.example/${tenant}`;
  const names = {
    metadataIssuer: nameOf('{tenantid}'),
    isTenantIssuer: (name: string) => /\/(one|two)$/.test(name),
  };
  const settings: OidcSettings = {
    id: 'acme',
    displayName: 'Acme',
    issuer: nameOf('all'),
    clientId,
    clientSecret,
  };
  const rules = { type: 'logout+jwt', maxAge: 3600, expiry: 'enforced' } as const;

  const [keyOfOne, keyOfAll] = [await generateKey('key-1'), await generateKey('key-2')];
  const keys = {
    keys: [
      { ...keyOfOne.published, issuer: nameOf('one') },
      { ...keyOfAll.published, issuer: nameOf('{tenantid}') },
    ],
  };

  const read = async (key: SigningKey, claims: Claims) => {
    const server = createIssuer(nameOf('all'));
    server.override({ metadata: { issuer: nameOf('{tenantid}') }, keys });
    const token = await sign({ aud: clientId, iat: now, jti: 'token-1', ...claims }, key);
    return verifySecurityEventToken(token, makeIssuer(settings, names), rules, server.io);
  };

  describe('a token of an issuer with tenants', () => {
    it('is accepted with the issuer of its tenant', async () => {
      for (const [key, tenant] of [
        [keyOfOne, 'one'],
        [keyOfAll, 'one'],
        [keyOfAll, 'two'],
      ] as const)
        expect(await read(key, { iss: nameOf(tenant) })).toEqual({
          ...{ jti: 'token-1', signedInBefore: now + 30, retainUntil: now + 3631 },
          claims: { aud: clientId, iat: now, jti: 'token-1', iss: nameOf(tenant) },
        });
    });

    it('is refused with another issuer', async () => {
      for (const [key, iss, fault] of [
        [keyOfOne, nameOf('two'), 'key'],
        [keyOfAll, nameOf('three'), 'key'],
        [keyOfAll, nameOf('{tenantid}'), 'key'],
        [keyOfAll, undefined, 'key'],
      ] as const)
        await expect(read(key, { iss })).rejects.toMatchObject({ name: 'SecurityEventError', fault });
    });
  });

  it('only issuers that send security events have an endpoint', () => {
    expect(oidc(settings).readLogoutToken).toBeTypeOf('function');
    expect(oidc(settings)).not.toHaveProperty('securityEvents');
  });
});
