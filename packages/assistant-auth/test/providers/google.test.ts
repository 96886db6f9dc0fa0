/** What makes Google Google. */
import { describe, expect, test } from 'vitest';
import { google } from '../../src/providers/google.ts';
import {
  callback,
  challenge,
  clientId,
  clientSecret,
  createIssuer,
  upstreamRequest,
} from './hostile-issuer.ts';

describe('google', () => {
  test('asks at Google for a refresh token and lets the person choose the account', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const url = await provider.authorizationUrl(upstreamRequest, issuer.io);
    expect(issuer.requests.map((request) => request.url)).toEqual([
      'https://accounts.google.com/.well-known/openid-configuration',
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      access_type: 'offline',
      prompt: 'select_account',
      client_id: clientId,
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      scope: 'openid email profile',
      state: upstreamRequest.state,
      nonce: upstreamRequest.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  test('is called google and relies on nobody else’s tokens', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    expect(provider).toMatchObject({
      id: 'google',
      displayName: 'Google',
      configuredUrls: ['https://accounts.google.com'],
    });
    expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).toMatchObject({
      provider: 'google',
      subject: 'person-1',
    });
  });

  test('takes a sign-in without a refresh token as it is', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    issuer.override({ tokens: { refresh_token: undefined } });
    const identity = await google({ clientId, clientSecret }).handleCallback(
      callback(),
      upstreamRequest,
      issuer.io,
    );
    expect(identity).not.toHaveProperty('refreshToken');
  });

  test('asks somebody again who brought no refresh token: by consent, without a choice of account', async () => {
    const issuer = createIssuer('https://accounts.google.com');
    const provider = google({ clientId, clientSecret });
    const [first, again] = [
      await provider.authorizationUrl(upstreamRequest, issuer.io),
      await provider.reconsentUrl?.('person-1', upstreamRequest, issuer.io),
    ];
    expect(Object.fromEntries(again?.searchParams ?? [])).toEqual({
      ...Object.fromEntries(first.searchParams),
      prompt: 'consent',
      login_hint: 'person-1',
    });
  });

  test('goes to a fake provider on loopback when it is given one', async () => {
    const issuer = createIssuer('http://127.0.0.1:4001');
    const provider = google({ clientId, clientSecret, baseUrl: issuer.issuer });
    const url = await provider.authorizationUrl(upstreamRequest, { ...issuer.io, allowLoopbackHttp: true });
    expect(url.origin).toBe('http://127.0.0.1:4001');
    expect(provider.configuredUrls).toEqual(['http://127.0.0.1:4001']);
  });
});
