/** Which settings may be asked for, and at which addresses. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import {
  type ClientSettings,
  clientRules,
  isAllowedUrl,
  resolveBaseUrl,
  validate,
} from '../../src/providers/config.ts';

const good: Required<ClientSettings> = {
  id: 'acme',
  displayName: 'Acme',
  clientId: 'id',
  clientSecret: 'secret',
  scopes: [],
  authorizationParameters: {},
  reauthentication: {},
  revokedErrors: ['invalid_grant'],
  singleUseRefreshTokens: true,
  recheckInterval: 600,
  offlineAccess: 'by-scope',
};

const check = (changes: Readonly<Record<string, unknown>>) => validate({ ...good, ...changes }, clientRules);

describe('a fake provider', () => {
  const vendor = 'https://vendor.example';

  test('takes the vendor’s place on loopback, and only there', () => {
    expect(resolveBaseUrl('acme', vendor, undefined)).toBe(vendor);
    for (const origin of ['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'])
      expect(resolveBaseUrl('acme', vendor, origin)).toBe(origin);
  });

  test.each([
    ...['https://evil.example', 'http://evil.example', 'https://127.0.0.1:4001', 'x', ''],
    ...['http://127.0.0.1:4001/', 'http://127.0.0.1.evil.example', 'http://127.0.0.1:4001@evil.example'],
  ])('is refused at %j', (baseUrl) => {
    expect(() => resolveBaseUrl('acme', vendor, baseUrl)).toThrow(
      new ConfigurationError('providers.acme.baseUrl', 'must be an http origin on loopback.'),
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
    ['displayName', '\t'],
    ['clientId', undefined],
    ['clientSecret', undefined],
    ['clientSecret', 7],
    ['scopes', ['a"b']],
    ['scopes', ['a\\b']],
    ['authorizationParameters', { response_mode: 'fragment' }],
    ['reauthentication', { nonce: 'n' }],
    ['revokedErrors', ['quote"']],
    ['revokedErrors', ['']],
    ['recheckInterval', 59],
    ['recheckInterval', 86_401],
    ['recheckInterval', 60.5],
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
    expect(isAllowedUrl(text)).toBe(true);
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
    expect(isAllowedUrl(text)).toBe(false);
  });
});
