import { describe, expect, it } from 'vitest';
import { corsHeaders } from '../src/index.ts';
import { clients, deploy, issuer } from './deployment.ts';

const path = '/.well-known/oauth-authorization-server';

describe('the metadata', () => {
  it('says all that the deployment does, and may be cached for an hour', async () => {
    const response = await deploy().fetch(new Request(issuer + path));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'public, max-age=3600',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual({
      issuer: 'https://words.example',
      authorization_endpoint: 'https://words.example/authorize',
      token_endpoint: 'https://words.example/token',
      revocation_endpoint: 'https://words.example/revoke',
      introspection_endpoint: 'https://words.example/introspect',
      scopes_supported: ['offline_access', 'words', 'score'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
      revocation_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
      introspection_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  it('follows the issuer, port included', async () => {
    const local = 'http://localhost:8787';
    const response = await deploy({ issuer: local, clients: [clients[0]] }).fetch(new Request(local + path));
    expect(await response.json()).toMatchObject({
      issuer: local,
      authorization_endpoint: `${local}/authorize`,
      token_endpoint: `${local}/token`,
      scopes_supported: ['offline_access', 'words', 'score'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    });
  });

  it('answers HEAD like GET, without the document', async () => {
    const response = await deploy().fetch(new Request(issuer + path, { method: 'HEAD' }));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'OPTIONS'])('is not there for %s', async (method) => {
    const response = await deploy().fetch(new Request(issuer + path, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('is not there for another host', async () => {
    const response = await deploy().fetch(new Request(`https://evil.example${path}`));
    expect(response.status).toBe(421);
    expect(await response.text()).not.toContain('words.example');
  });
});
