/** The namespace that the subjects of each kind of provider belong to. */
import { exportPKCS8 } from 'jose';
import { expect, it } from 'vitest';
import { apple, github, google, type IdentityProvider, microsoft, oauth2, oidc } from '../../src/index.ts';
import { createProvider } from '../fake-provider.ts';
import { generateKey } from './signing.ts';

const credentials = { clientId: 'broker', clientSecret: 'secret' };
const fake = 'http://127.0.0.1:4001';
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
const appleOptions = { clientId: 'broker', teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey };

const acme = (issuer: string): IdentityProvider =>
  oidc({ id: 'acme', displayName: 'Acme', issuer, ...credentials });

const oauthServer = (issuer: string): IdentityProvider =>
  oauth2({
    ...{ id: 'acme', displayName: 'Acme', issuer, ...credentials, scopes: [] },
    authorizationUrl: 'https://login.example/authorize',
    tokenUrl: 'https://login.example/token',
    ...{ profileUrl: 'https://api.example/v1/me', mapProfile: () => undefined },
  });

it.each([
  ['Google', google(credentials), 'https://accounts.google.com'],
  ['a fake Google', google({ ...credentials, baseUrl: fake }), 'https://accounts.google.com'],
  ['Microsoft', microsoft(credentials), 'https://login.microsoftonline.com'],
  ['one tenant of Microsoft', microsoft({ ...credentials, tenant }), 'https://login.microsoftonline.com'],
  ['a fake Microsoft', microsoft({ ...credentials, baseUrl: fake }), 'https://login.microsoftonline.com'],
  ['GitHub', github(credentials), 'https://github.com'],
  ['a fake GitHub', github({ ...credentials, baseUrl: fake }), 'https://github.com'],
  ['Apple', apple(appleOptions), 'https://appleid.apple.com'],
  ['a fake Apple', apple({ ...appleOptions, baseUrl: fake }), 'https://appleid.apple.com'],
  ['an issuer', acme('https://id.example'), 'https://id.example'],
  ['an issuer with a path', acme('https://id.example/realms/words'), 'https://id.example/realms/words'],
  ['an issuer with a slash', acme('https://id.example/'), 'https://id.example/'],
  ['an issuer with a port', acme('https://id.example:8443'), 'https://id.example:8443'],
  ['an issuer on loopback', acme('http://127.0.0.1:4001'), 'http://127.0.0.1/'],
  ['the same on another port', acme('http://127.0.0.1:52100'), 'http://127.0.0.1/'],
  ['a realm on loopback', acme('http://localhost:4001/realms/words'), 'http://localhost/realms/words'],
  ['an OAuth server', oauthServer('https://login.example/realms/a'), 'https://login.example/realms/a'],
  ['an OAuth server on loopback', oauthServer('http://[::1]:4001'), 'http://[::1]/'],
] as const)('of %s', (_, { subjectNamespace }, expected) => {
  expect(subjectNamespace).toBe(expected);
});

it('is chosen by a provider of the publisher', () => {
  expect(createProvider('acme', 'Acme').subjectNamespace).toBe('https://acme.example');
});
