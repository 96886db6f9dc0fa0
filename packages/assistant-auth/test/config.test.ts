import { describe, expect, test } from 'vitest';
import { parseAuditRetention, parseProviders, parseScopes } from '../src/config.ts';
import { type IdentityProvider, staticClient } from '../src/index.ts';
import { parseIssuer, parseResources } from '../src/oauth/resource.ts';
import { clients, issuer } from './deployment.ts';
import { createProvider } from './fake-provider.ts';

const deployed = parseIssuer(issuer);
const local = parseIssuer('http://localhost:8787');

const always = staticClient({
  id: 'always',
  name: 'Always connected',
  redirectUris: ['https://always.example/'],
  offlineAccess: 'always',
  scopes: ['words'],
});

describe('scopes', () => {
  const described = { words: 'read the words', score: 'see your score' };

  test('are those described, in their order, if no client can get refresh tokens', () => {
    const online = { ...always, offlineAccess: 'on-request', scopes: ['words'] } as const;
    for (const none of [[], [online]])
      expect([...parseScopes(described, none)]).toEqual(Object.entries(described));
  });

  test('are completed by offline_access if a client can get refresh tokens, always or on request', () => {
    const asks = clients.filter(({ offlineAccess }) => offlineAccess === 'on-request');
    for (const some of [asks, [always], [{ ...always, scopes: ['words'] }]])
      expect(parseScopes(described, some).get('offline_access')).toBe('stay connected until you end it');
  });

  test('keep a description of offline_access that the publisher wrote', () => {
    const offline_access = 'bleiben, bis du gehst';
    expect(parseScopes({ ...described, offline_access }, clients).get('offline_access')).toBe(offline_access);
  });

  test.each([
    [
      'a blank',
      { 'read words': 'x' },
      'scopes must not contain space, comma, quote or backslash: read words',
    ],
    ['a comma', { 'a,b': 'x' }, 'scopes must not contain space, comma, quote or backslash: a,b'],
    ['a quote', { 'a"': 'x' }, 'scopes must not contain space, comma, quote or backslash: a"'],
    ['no name', { '': 'x' }, 'scopes must not contain space, comma, quote or backslash: '],
    ['openid', { openid: 'x' }, 'scopes must not contain openid.'],
    ['no sentence', { words: ' ' }, 'scopes must have a sentence for each scope: words'],
  ])('with %s stop the start', (_, wrong, message) => {
    expect(() => parseScopes(wrong, [])).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'scopes', message }),
    );
  });

  test('of a client must exist', () => {
    expect(() => parseScopes({ score: 'see your score' }, [always])).toThrow(
      expect.objectContaining({
        option: 'clients.always.scopes',
        message: 'clients.always.scopes must be declared in scopes: words',
      }),
    );
  });
});

describe('resources', () => {
  test('are the issuer itself when none is given', () => {
    expect(parseResources(undefined, deployed)).toEqual([issuer]);
  });

  test.each([[`${issuer}/api`], ['https://api.example/v1?tenant=1'], ['http://localhost:8787/api']])(
    'may be %s',
    (resource) => {
      expect(parseResources([resource], deployed)).toEqual([resource]);
    },
  );

  test.each([
    [`${issuer}/`, issuer],
    ['HTTPS://Words.Example:443', issuer],
    ['https://API.example/V1', 'https://api.example/V1'],
    ['http://LOCALHOST:80/', 'http://localhost'],
  ])('are written in their canonical form: %s', (resource, canonical) => {
    expect(parseResources([resource], deployed)).toEqual([canonical]);
  });

  test.each([
    ...['', 'api', '/api', 'http://api.example', 'urn:example:api', `${issuer}/api#`, `${issuer}/#top`],
    ...['https://user@words.example/api', 'https://user:password@words.example', 'https://@words.example'],
    ...['https://words.example/a/../api', 'https://words.example/./api', 'https://words.example/%2e/api'],
    ...['https://words.example/a b', 'https://words.example/wörter', 'https://words.example\\api'],
    ...[
      'https://wörds.example',
      'https://%77ords.example',
      'https://words.example:0443',
      'https://2130706433',
    ],
    ...['https://words.example:99999', 'https://[0:0:0:0:0:0:0:1]/api', ' https://words.example'],
  ])('may not be %j', (resource) => {
    expect(() => parseResources([`${issuer}/api`, resource], deployed)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        option: 'resources',
        message: `resources must be absolute, normalized https URLs without user information or a fragment: ${resource}`,
      }),
    );
  });
});

describe('providers', () => {
  const at = (...configuredUrls: readonly string[]) => ({
    ...createProvider('google', 'Google'),
    configuredUrls,
  });

  test('are found by id, in the order of their buttons', () => {
    const given = [createProvider('b', 'B'), createProvider('a', 'A')];
    expect([...parseProviders(given, deployed)]).toEqual([
      ['b', given[0]],
      ['a', given[1]],
    ]);
  });

  type Row = readonly [name: string, given: readonly IdentityProvider[], option: string, message: string];

  test.each<Row>([
    ['none', [], 'providers', 'providers must hold at least one.'],
    [
      'two of one id',
      [createProvider('google', 'Google'), createProvider('google', 'Work')],
      'providers',
      'providers must have different ids.',
    ],
    ...['', 'Google', 'a/b', 'a b', '../a', 'é', 'continue', 'x'.repeat(33)].map(
      (id): Row => [
        `an id such as ${JSON.stringify(id)}`,
        [createProvider(id, 'Google')],
        'providers',
        `providers must have ids of a-z, 0-9 and hyphen, not continue: ${id}`,
      ],
    ),
    ...['http://google.example', 'http://localhost:4000', 'ftp://google.example', 'google.example', ''].map(
      (url): Row => [
        `the address ${JSON.stringify(url)}`,
        [at('https://google.example', url)],
        'providers.google',
        `providers.google must use https: ${url}`,
      ],
    ),
  ])('must not be %s', (_, given, option, message) => {
    expect(() => parseProviders(given, deployed)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option, message }),
    );
  });

  test('may be fake providers over http when the broker itself is on loopback, and they are, too', () => {
    expect(parseProviders([at('http://127.0.0.1:4000')], local).size).toBe(1);
    expect(() => parseProviders([at('http://google.example')], local)).toThrow(
      'providers.google must use https: http://google.example',
    );
  });
});

describe('auditRetention', () => {
  test('is 90 days when it is left out', () => {
    expect(parseAuditRetention(undefined)).toBe(7_776_000);
  });

  test('is a day at least and 400 days at most', () => {
    expect([86_400, 34_560_000].map((given) => parseAuditRetention(given))).toEqual([86_400, 34_560_000]);
  });

  test.each([0, 86_399, 34_560_001, 100_000.5, Number.NaN, -86_400])('of %s stops the start', (given) => {
    expect(() => parseAuditRetention(given)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: 'auditRetention must be a whole number of seconds from 86400 to 34560000.',
      }),
    );
  });
});
