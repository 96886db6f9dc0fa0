/** Tokens of an issuer that goes by several names: each speaks for its own tenant alone. */

import { describe, expect, test } from 'vitest';
import { createIssuer as makeIssuer } from '../../../src/providers/issuer.ts';
import { type OidcSettings, oidc } from '../../../src/providers/oidc.ts';
import { verifySecurityEventToken } from '../../../src/providers/security-events/verify.ts';
import { clientId, clientSecret, createIssuer } from '../hostile-issuer.ts';
import { type Claims, generateKey, type SigningKey, sign } from '../signing.ts';

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
  test('is read under the name of its tenant', async () => {
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

  test('is not read under another', async () => {
    for (const [key, iss, fault] of [
      [keyOfOne, nameOf('two'), 'key'],
      [keyOfAll, nameOf('three'), 'key'],
      [keyOfAll, nameOf('{tenantid}'), 'key'],
      [keyOfAll, undefined, 'key'],
    ] as const)
      await expect(read(key, { iss })).rejects.toMatchObject({ name: 'SecurityEventError', fault });
  });
});

test('security events come from issuers that send them', () => {
  expect(oidc(settings).readLogoutToken).toBeTypeOf('function');
  expect(oidc(settings)).not.toHaveProperty('securityEvents');
});
