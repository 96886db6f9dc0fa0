/** The whole exchange with a well-behaved issuer: what is asked, what is sent, and what comes of it. */
import { describe, expect, test } from 'vitest';
import {
  callback,
  challenge,
  clientId,
  clientSecret,
  code,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';

const userAgent = expect.stringMatching(/^oauth4webapi\//);

describe('the way to the provider', () => {
  test('sends the person to the discovered endpoint with state, nonce and PKCE', async () => {
    const issuer = createIssuer();
    const url = await createOidcProvider(issuer).authorizationUrl(upstreamRequest, issuer.io);
    expect(url.origin + url.pathname).toBe('https://id.example/authorize');
    expect([...url.searchParams]).toEqual([
      ['client_id', clientId],
      ['response_type', 'code'],
      ['redirect_uri', upstreamRequest.redirectUri],
      ['scope', 'openid email profile offline_access'],
      ['state', upstreamRequest.state],
      ['nonce', upstreamRequest.nonce],
      ['code_challenge', challenge],
      ['code_challenge_method', 'S256'],
    ]);
  });

  test('keeps the query of the endpoint and adds the publisher’s own parameters and scopes', async () => {
    const issuer = createIssuer();
    issuer.override({ metadata: { authorization_endpoint: 'https://id.example/authorize?tenant=7' } });
    const authorizationParameters = { prompt: 'login', hd: 'example.com' };
    const provider = createOidcProvider(issuer, {
      scopes: ['openid', 'offline_access'],
      authorizationParameters,
    });
    const { searchParams } = await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      tenant: '7',
      scope: 'openid offline_access',
      ...authorizationParameters,
    });
  });

  test('tells its id, its display name and its configured URL, and asks nothing before a person comes', () => {
    const issuer = createIssuer();
    expect(createOidcProvider(issuer)).toMatchObject({
      id: 'acme',
      displayName: 'Acme',
      configuredUrls: ['https://id.example'],
    });
    expect(issuer.asked()).toEqual([]);
  });
});

describe('the way back', () => {
  test('makes an identity of the verified claims', async () => {
    const issuer = createIssuer();
    expect(await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io)).toEqual({
      provider: 'acme',
      subject: 'person-1',
      label: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
      refreshToken: 'their-refresh-token',
      claims: {
        iss: 'https://id.example',
        aud: clientId,
        sub: 'person-1',
        nonce: upstreamRequest.nonce,
        iat: 1_800_000_000,
        exp: 1_800_003_600,
        email: 'ada@example.com',
        email_verified: true,
        name: 'Ada Marlow',
      },
    });
  });

  test('asks for metadata, tokens and keys, once each, follows no redirect and can give up on each', async () => {
    const issuer = createIssuer();
    await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    const always = { redirect: 'manual', canTimeOut: true };
    expect(issuer.requests).toEqual([
      {
        ...always,
        endpoint: 'discovery',
        method: 'GET',
        url: 'https://id.example/.well-known/openid-configuration',
        headers: { accept: 'application/json', 'user-agent': userAgent },
        body: '',
      },
      {
        ...always,
        endpoint: 'token',
        method: 'POST',
        url: 'https://id.example/token',
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          'user-agent': userAgent,
        },
        body: new URLSearchParams({
          redirect_uri: upstreamRequest.redirectUri,
          code,
          code_verifier: upstreamRequest.codeVerifier,
          grant_type: 'authorization_code',
          client_id: clientId,
          client_secret: clientSecret,
        }).toString(),
      },
      {
        ...always,
        endpoint: 'keys',
        method: 'GET',
        url: 'https://id.example/keys',
        headers: { accept: 'application/json, application/jwk-set+json' },
        body: '',
      },
    ]);
  });

  test('needs only the token endpoint for the next person', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer);
    await provider.authorizationUrl(upstreamRequest, issuer.io);
    await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    expect(issuer.asked()).toEqual(['discovery', 'token', 'keys']);
    await provider.authorizationUrl(upstreamRequest, issuer.io);
    await provider.handleCallback(callback(), upstreamRequest, issuer.io);
    expect(issuer.asked()).toEqual(['token']);
  });

  test('lets two persons at once each read for themselves', async () => {
    const issuer = createIssuer();
    const provider = createOidcProvider(issuer);
    const both = [
      provider.handleCallback(callback(), upstreamRequest, issuer.io),
      provider.handleCallback(callback(), upstreamRequest, issuer.io),
    ];
    expect((await Promise.all(both)).map(({ subject }) => subject)).toEqual(['person-1', 'person-1']);
    expect(issuer.asked().filter((endpoint) => endpoint === 'discovery')).toHaveLength(2);
  });
});
