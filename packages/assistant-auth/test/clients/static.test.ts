import { describe, expect, it } from 'vitest';
import { type StaticClientOptions, staticClient } from '../../src/index.ts';

const secret = 's'.repeat(43);
const options: StaticClientOptions = {
  id: 'app',
  name: 'An app',
  redirectUris: ['https://app.example/cb', 'http://127.0.0.1/cb'],
  scopes: ['words', 'score'],
};

describe('staticClient', () => {
  it('is public without a secret, and stays connected where it asks for that', () => {
    expect(staticClient(options)).toEqual({
      id: 'app',
      kind: 'static',
      name: 'An app',
      authentication: 'none',
      redirects: [
        { kind: 'exact', uri: 'https://app.example/cb' },
        { kind: 'loopback', host: '127.0.0.1', path: '/cb' },
      ],
      pkce: 'required',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words', 'score'],
      unknownScopes: 'refused',
      refresh: 'rotating',
      offlineAccess: 'on-request',
      refreshFailureStatus: 400,
    });
  });

  it('is confidential with one, and needs PKCE all the same', () => {
    expect(staticClient({ ...options, secrets: [secret] })).toMatchObject({
      authentication: 'client_secret',
      secrets: [secret],
      pkce: 'required',
    });
  });

  it('stays connected unasked where the publisher says so', () => {
    expect(staticClient({ ...options, offlineAccess: 'always', defaultScopes: ['words'] })).toMatchObject({
      offlineAccess: 'always',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words'],
    });
  });

  it.each<[string, Partial<StaticClientOptions>, string]>([
    ['no redirect', { redirectUris: [] }, 'clients.app.redirectUris'],
    [
      'a bad redirect',
      { redirectUris: ['https://app.example/cb', 'http://app.example/cb'] },
      'clients.app.redirectUris',
    ],
    ['no secret in its list', { secrets: [] }, 'clients.app.secrets'],
  ])('refuses %s', (_, changes, option) => {
    expect(() => staticClient({ ...options, ...changes })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });
});
