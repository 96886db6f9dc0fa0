import { describe, expect, it } from 'vitest';
import { staticClient } from '../../src/index.ts';
import { verifyRedirect } from '../../src/oauth/redirect-uri.ts';
import { clients, gptRedirect } from '../deployment.ts';

const [gpt, app, server, native] = clients;
const rejection = (reason: string) => expect.objectContaining({ reason });

describe('verifyRedirect', () => {
  it('gives the address as it was asked for', () => {
    for (const [client, uri] of [
      [gpt, gptRedirect],
      [app, 'https://app.example/callback'],
      [server, 'https://server.example/cb2?tenant=1'],
      [native, 'http://127.0.0.1:49152/callback'],
    ] as const)
      expect(verifyRedirect(client, uri)).toBe(uri);
  });

  it('gives the only address where none was asked for', () => {
    expect(verifyRedirect(app, undefined)).toBe('https://app.example/callback');
  });

  it('refuses to guess among several, or the open part of one', () => {
    for (const client of [gpt, server, native])
      expect(() => verifyRedirect(client, undefined)).toThrow(rejection('redirect.missing'));
  });

  it('takes an empty address for a wrong one', () => {
    for (const client of clients)
      expect(() => verifyRedirect(client, '')).toThrow(rejection('redirect.unregistered'));
  });

  it('takes a private-use scheme as it was registered', () => {
    const uri = 'com.example.app:/oauth?x=1';
    const mobile = staticClient({ id: 'm', name: 'M', redirectUris: [uri], scopes: ['words'] });
    expect(verifyRedirect(mobile, uri)).toBe(uri);
    for (const other of [
      'com.example.app:/oauth',
      'com.example.app://oauth?x=1',
      'COM.example.app:/oauth?x=1',
    ])
      expect(() => verifyRedirect(mobile, other)).toThrow(rejection('redirect.unregistered'));
  });
});
