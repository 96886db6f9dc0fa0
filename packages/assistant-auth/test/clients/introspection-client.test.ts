import { describe, expect, it } from 'vitest';
import type { IntrospectionClientOptions } from '../../src/clients/introspection-client.ts';
import { introspectionClient } from '../../src/index.ts';
import { deploy, issuer } from '../deployment.ts';

const options: IntrospectionClientOptions = {
  id: 'api',
  secrets: ['s'.repeat(43)],
  resource: `${issuer}/api`,
};

describe('introspectionClient', () => {
  it('is somebody who proves itself with a secret and serves one resource', () => {
    expect(introspectionClient(options)).toEqual({
      ...options,
      kind: 'introspection-client',
      authentication: 'client_secret',
    });
  });

  it.each<[string, Partial<IntrospectionClientOptions>, string]>([
    ['an empty id', { id: '' }, 'introspectionClients..id'],
    ['a colon in its id', { id: 'a:b' }, 'introspectionClients.a:b.id'],
    ['no secret', { secrets: [] }, 'introspectionClients.api.secrets'],
    ['a short secret', { secrets: ['s'.repeat(31)] }, 'introspectionClients.api.secrets'],
  ])('is refused with %s', (_, changes, option) => {
    expect(() => introspectionClient({ ...options, ...changes })).toThrow(
      expect.objectContaining({ option }),
    );
  });
});

describe('the resource servers together', () => {
  const start =
    (...servers: readonly Partial<IntrospectionClientOptions>[]) =>
    () =>
      deploy({
        introspectionClients: servers.map((changes) => introspectionClient({ ...options, ...changes })),
      });

  it('start with different ids and resources that exist', () => {
    expect(start({}, { id: 'other', resource: `${issuer}/other` })).not.toThrow();
  });

  it.each([
    ['one id twice', start({}, { resource: `${issuer}/other` }), 'introspectionClients'],
    ['a client’s id', start({ id: 'gpt' }), 'introspectionClients'],
    ['an unknown resource', start({ resource: `${issuer}/nowhere` }), 'introspectionClients.api.resource'],
  ])('are refused with %s', (_, wrong, option) => {
    expect(wrong).toThrow(expect.objectContaining({ option }));
  });
});
