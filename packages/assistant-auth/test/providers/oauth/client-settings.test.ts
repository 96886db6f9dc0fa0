/** Which settings may be asked for, and at which addresses. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../../src/oauth/errors.ts';
import {
  type ClientSettings,
  clientDemands,
  demand,
  isAddress,
  siteOf,
} from '../../../src/providers/config.ts';

const good: Required<ClientSettings> = {
  id: 'acme',
  label: 'Acme',
  clientId: 'id',
  clientSecret: 'secret',
  scopes: [],
  authorizationParameters: {},
  reauthentication: {},
  gone: ['invalid_grant'],
  singleUseRefreshTokens: true,
  checkEvery: 600,
  offlineAccess: 'by-scope',
};

const check = (changes: Readonly<Record<string, unknown>>) => demand({ ...good, ...changes }, clientDemands);

describe('a stand-in', () => {
  const vendor = 'https://vendor.example';

  test('takes the vendor’s place on loopback, and only there', () => {
    expect(siteOf('acme', vendor, undefined)).toBe(vendor);
    for (const origin of ['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'])
      expect(siteOf('acme', vendor, origin)).toBe(origin);
  });

  test.each([
    ...['https://evil.example', 'http://evil.example', 'https://127.0.0.1:4001', 'x', ''],
    ...['http://127.0.0.1:4001/', 'http://127.0.0.1.evil.example', 'http://127.0.0.1:4001@evil.example'],
  ])('is refused at %j', (standIn) => {
    expect(() => siteOf('acme', vendor, standIn)).toThrow(
      new ConfigurationError('providers.acme.standIn', 'must be an http origin on loopback.'),
    );
  });
});

describe('settings of a client', () => {
  test('come back as they were given', () => {
    expect(check({})).toEqual(good);
  });

  test('may have a secret that is made for each exchange', () => {
    expect(() => check({ clientSecret: async () => 'fresh' })).not.toThrow();
  });

  test.each([
    ['id', 'Acme'],
    ['id', undefined],
    ['label', '\t'],
    ['clientId', undefined],
    ['clientSecret', undefined],
    ['clientSecret', 7],
    ['scopes', ['a"b']],
    ['scopes', ['a\\b']],
    ['authorizationParameters', { response_mode: 'fragment' }],
    ['reauthentication', { nonce: 'n' }],
    ['gone', ['quote"']],
    ['gone', ['']],
    ['checkEvery', 59],
    ['checkEvery', 86_401],
    ['checkEvery', 60.5],
    ['offlineAccess', undefined],
    ['offlineAccess', 'sometimes'],
  ])('stop the start with %s = %j', (option, value) => {
    const id = option === 'id' ? value : 'acme';
    expect(() => check({ [option]: value })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: `providers.${id}.${option}` }),
    );
  });

  test('name the first that is wrong, and no value that may be secret', () => {
    const wrong = () => check({ clientId: '', clientSecret: 'a secret' });
    expect(wrong).toThrow(
      new ConfigurationError('providers.acme.clientId', 'must be given, as printable ASCII without spaces.'),
    );
    expect(() => check({ clientSecret: 'hunter 2' })).toThrow(/^(?!.*hunter)/);
  });
});

describe('an address', () => {
  test.each([
    'https://id.example',
    'https://id.example/x?y=z',
    'http://127.0.0.1:1',
    'http://[::1]:1',
    'http://localhost',
  ])('may be %s', (text) => {
    expect(isAddress(text)).toBe(true);
  });

  test.each([
    '',
    'id.example',
    'http://id.example',
    'http://127.0.0.1.id.example',
    'http://localhost.example',
    'ftp://id.example',
    'javascript:alert(1)',
    'https://user@id.example',
    'https://:password@id.example',
    'https://id.example#x',
    ' https://id.example',
    'https://id.exam\tple',
  ])('may not be %j', (text) => {
    expect(isAddress(text)).toBe(false);
  });
});
