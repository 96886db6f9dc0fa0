/** What makes GitHub GitHub: no ID token, errors with status 200, and a person who is known by a number. */
import { describe, expect, test } from 'vitest';
import { github } from '../../src/providers/github.ts';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createServer } from './hostile-server.ts';

const addresses = {
  token: 'https://github.com/login/oauth/access_token',
  profile: 'https://api.github.com/user',
};
const ada = { id: 583_231, login: 'ada', name: 'Ada Marlow', email: 'ada@example.com' };

const setUp = () => {
  const server = createServer(addresses, ada);
  const provider = github({ clientId, clientSecret });
  return {
    server,
    provider,
    handleCallback: (answer = callback()) => provider.handleCallback(answer, upstreamRequest, server.io),
  };
};

const noUserId = { kind: 'invalid', reason: 'the profile response has no user ID' };

describe('the way to GitHub', () => {
  test('asks for no scope, lets the person choose the account, and carries PKCE', async () => {
    const { provider, server } = setUp();
    const url = await provider.authorizationUrl(upstreamRequest, server.io);
    expect(url.origin + url.pathname).toBe('https://github.com/login/oauth/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      prompt: 'select_account',
      client_id: clientId,
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      state: upstreamRequest.state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  test('is called github, and lists the errors that mean revoked', () => {
    expect(setUp().provider).toMatchObject({
      id: 'github',
      displayName: 'GitHub',
      responseMode: 'query',
      revokedErrors: ['bad_refresh_token'],
      configuredUrls: ['https://github.com/login/oauth/authorize', addresses.token, addresses.profile],
    });
  });

  test('leads to a fake provider on loopback when it is given one', async () => {
    const baseUrl = 'http://127.0.0.1:4001';
    const provider = github({ clientId, clientSecret, baseUrl });
    expect(provider.configuredUrls).toEqual([
      `${baseUrl}/login/oauth/authorize`,
      `${baseUrl}/login/oauth/access_token`,
      `${baseUrl}/user`,
    ]);
  });
});

describe('a person at GitHub', () => {
  test('B11.1 numeric id: is known by it, as text', async () => {
    const { handleCallback } = setUp();
    expect(await handleCallback()).toEqual({
      provider: 'github',
      subject: '583231',
      label: 'ada',
      email: 'ada@example.com',
      emailVerified: false,
      claims: ada,
    });
  });

  test('B11.1 numeric id: stays the same person under another login, name and address', async () => {
    const { server, handleCallback } = setUp();
    server.overrideProfile({ login: 'ada-marlow', name: null, email: 'marlow@example.com' });
    expect(await handleCallback()).toMatchObject({ subject: '583231', label: 'ada-marlow' });
  });

  test('B11.1 numeric id: who took over a login is another person', async () => {
    const { server, handleCallback } = setUp();
    server.overrideProfile({ id: 999_999 });
    expect(await handleCallback()).toMatchObject({ subject: '999999', label: 'ada' });
  });

  test.each([
    ['missing', undefined],
    ['null', null],
    ['a text', '583231'],
    ['a login', 'ada'],
    ['a fraction', 1.5],
    ['too large to be exact', 2 ** 53],
    ['a list', [583_231]],
  ])('B11.1 numeric id: rejects a profile with the ID %s', async (_, id) => {
    const { server, handleCallback } = setUp();
    server.overrideProfile({ id });
    expect(await captureProviderError(handleCallback())).toEqual(noUserId);
  });

  test('B10.1 proves no address, whatever the profile says', async () => {
    const { server, handleCallback } = setUp();
    server.overrideProfile({ email: 'ceo@fabrikam.example', verified: true, email_verified: true });
    expect(await handleCallback()).toMatchObject({ email: 'ceo@fabrikam.example', emailVerified: false });
  });

  test('may have neither a public address nor a name', async () => {
    const { server, handleCallback } = setUp();
    server.overrideProfile({ name: null, email: null });
    const identity = await handleCallback();
    expect(identity).toMatchObject({ subject: '583231', label: 'ada' });
    expect(identity).not.toHaveProperty('email');
  });

  test('brings a refresh token where the app’s tokens expire', async () => {
    const { server, handleCallback } = setUp();
    server.overrideTokens({ refresh_token: 'their-refresh-token', expires_in: 28_800, scope: '' });
    expect(await handleCallback()).toMatchObject({ refreshToken: 'their-refresh-token' });
  });
});

describe('GitHub’s errors', () => {
  test.each([
    ['bad_verification_code', 'invalid'],
    ['incorrect_client_credentials', 'invalid'],
    ['redirect_uri_mismatch', 'invalid'],
    // The person has first to prove their address to GitHub: they can, we cannot.
    ['unverified_user_email', 'denied'],
  ])('B12.1 %s comes with status 200 and ends the sign-in as %s', async (error, kind) => {
    const { server, handleCallback } = setUp();
    server.overrideEndpoints({ token: () => Response.json({ error, error_description: 'their-text' }) });
    expect(await captureProviderError(handleCallback())).toEqual({
      kind,
      reason: `the token endpoint answered ${error}`,
    });
    expect(server.asked()).toEqual(['token']);
  });

  test('B5.1 an answer that names another issuer is refused', async () => {
    const { server, handleCallback } = setUp();
    expect(await captureProviderError(handleCallback(callback({ iss: 'https://github.com' })))).toMatchObject(
      {
        kind: 'invalid',
      },
    );
    expect(server.asked()).toEqual([]);
    expect(await handleCallback(callback({ iss: 'https://github.com/login/oauth' }))).toMatchObject({
      subject: '583231',
    });
  });
});
