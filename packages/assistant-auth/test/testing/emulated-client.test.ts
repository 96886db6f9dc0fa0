/** The emulated client and the fake provider together, with a broker between them. */
import { describe, expect, it } from 'vitest';
import { oauth2 } from '../../src/index.ts';
import {
  createEmulatedClient,
  emulateGptAction,
  type IssuedTokens,
  OAuthResponseError,
  type TokenResult,
} from '../../src/testing/index.ts';
import { acme, deploy, issuer, readForm } from './deployment.ts';

const buttons = ['Sign in with Acme', 'Ada Marlow'];
const api = `${issuer}/api/score`;

const expectTokens = (result: TokenResult): IssuedTokens => {
  if (result.kind === 'error') throw new Error(`${result.status} ${result.error}`);
  return result;
};
const invalidGrant = (status: number) => ({ kind: 'error', status, error: 'invalid_grant' });

describe('a sign-in', () => {
  it('issues tokens that the API accepts until they are revoked', async () => {
    const { createClient, advance, log } = deploy();
    const client = createClient();
    const tokens = await client.signIn(buttons);
    expect(tokens).toEqual({
      kind: 'tokens',
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresIn: 1800,
      scope: 'score offline_access',
    });
    const first = await client.call(api, tokens.accessToken);
    expect(first.status).toBe(200);
    const user: unknown = await first.json();
    expect(user).toEqual({ user: expect.any(String), client: 'server' });

    const refreshed = expectTokens(await client.refresh(tokens.refreshToken ?? ''));
    expect(refreshed.accessToken).not.toBe(tokens.accessToken);
    const second = await client.call(new Request(api, { method: 'POST' }), refreshed.accessToken);
    expect(await second.json()).toEqual(user);

    await client.revoke(refreshed.refreshToken ?? '');
    advance(10);
    for (const { accessToken } of [tokens, refreshed])
      expect((await client.call(api, accessToken)).status).toBe(401);
    expect(await client.refresh(refreshed.refreshToken ?? '')).toMatchObject(invalidGrant(400));
    expect(log.map(({ event }) => event).filter((event) => event !== 'refused')).toEqual([
      ...['unrestricted-gpt', 'signed-in', 'tokens-issued', 'tokens-issued', 'revoked'],
    ]);
  });

  it('sends the access token only to loopback, the issuer and the listed origins', async () => {
    const { createClient } = deploy();
    const client = createClient();
    const { accessToken } = await client.signIn(buttons);
    for (const url of [
      'https://api.evil.example/x',
      'http://words.example/x',
      'blob:https://words.example/x',
    ])
      await expect(client.call(url, accessToken)).rejects.toThrow('neither the issuer nor in origins');
    expect((await client.call(api, accessToken)).status).toBe(200);
  });

  it('fails with access_denied after Cancel, and with another error otherwise', async () => {
    const { createClient } = deploy();
    const canceled = createClient().signIn(['Sign in with Acme', 'Cancel']);
    await expect(canceled).rejects.toThrow(OAuthResponseError);
    await expect(canceled).rejects.toMatchObject({ code: 'access_denied', status: undefined });
    await expect(createClient({ scope: 'unknown' }).signIn([])).rejects.toMatchObject({
      code: 'invalid_scope',
    });
    // The broker redirects with the error before there is a page with a button.
    await expect(createClient({ scope: 'unknown' }).signIn(buttons)).rejects.toMatchObject({
      name: 'OAuthResponseError',
      code: 'invalid_scope',
    });
    const wrongSecret = createClient({ clientSecret: 'x'.repeat(40) }).signIn(buttons);
    await expect(wrongSecret).rejects.toMatchObject({ code: 'invalid_client', status: 401 });
    await expect(wrongSecret).rejects.toThrow(
      /^The token endpoint responded with invalid_client and status 401: /,
    );
  });

  it('fails at a provider that is not in origins, and at a page without the button', async () => {
    const { createClient } = deploy();
    await expect(createClient({ origins: [] }).signIn(buttons)).rejects.toThrow(
      'stopped at https://id.example before "Ada Marlow"',
    );
    await expect(createClient({ origins: [] }).signIn(['Sign in with Acme'])).rejects.toThrow(
      'stopped at https://id.example, which is neither the redirect URI nor in origins',
    );
    await expect(createClient().signIn(['Sign in with Acme', 'Nobody'])).rejects.toThrow(
      'No button "Nobody" on https://id.example/authorize (status 200). It has: "Ada Marlow ada.marlow@example.com", ',
    );
    await expect(createClient().signIn([])).rejects.toThrow('ended on /authorize with status 200');
  });

  it('fails with a NavigationError if the code arrives before all buttons were clicked', async () => {
    const { createClient } = deploy();
    const client = createClient({ origins: [acme.issuer] });
    await expect(client.signIn([...buttons, 'Next'])).rejects.toMatchObject({ name: 'NavigationError' });
  });

  it('without a refresh token cannot be refreshed', async () => {
    const { createClient } = deploy();
    const client = createClient({ scope: 'score' });
    const { refreshToken } = await client.signIn(buttons);
    expect(refreshToken).toBe(undefined);
    await expect(client.refresh(refreshToken)).rejects.toThrow('There is no refresh token.');
  });

  it('uses PKCE, and the resource that is configured', async () => {
    const { createClient, requests } = deploy();
    const { accessToken } = await createClient({ resource: `${issuer}/mcp` }).signIn(buttons);
    const authorization = new URL(requests[1]?.url ?? '').searchParams;
    expect(authorization.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(authorization.get('code_challenge_method')).toBe('S256');
    expect(authorization.get('resource')).toBe(`${issuer}/mcp`);
    const form = await readForm(requests.at(-1));
    expect(form.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect(form.get('resource')).toBe(`${issuer}/mcp`);
    expect((await createClient().call(api, accessToken)).status).toBe(401);
  });

  it.each([
    ['client_secret_post', true],
    ['client_secret_basic', false],
  ] as const)('authenticates with %s', async (tokenEndpointAuthMethod, isInForm) => {
    const { createClient, requests } = deploy();
    const { accessToken } = await createClient({ tokenEndpointAuthMethod }).signIn(buttons);
    expect(accessToken).toEqual(expect.any(String));
    expect((await readForm(requests.at(-1))).has('client_secret')).toBe(isInForm);
    expect(requests.at(-1)?.headers.has('authorization')).toBe(!isInForm);
  });

  it('of a public client sends no secret', async () => {
    const { fetch, requests } = deploy();
    const client = createEmulatedClient({
      ...{ issuer, clientId: 'app', redirectUri: 'https://app.example/callback' },
      ...{ origins: [acme.issuer], fetch },
    });
    const { accessToken, refreshToken } = await client.signIn(buttons);
    expect(refreshToken).toBeUndefined();
    expect((await client.call(api, accessToken)).status).toBe(200);
    const form = await readForm(requests.at(-2));
    expect([form.get('client_id'), form.has('client_secret')]).toEqual(['app', false]);
    expect(requests.at(-2)?.headers.has('authorization')).toBe(false);
  });

  it('rejects an authorization response with another state or issuer', async () => {
    const signIn = await deploy().createClient().startSignIn();
    const state = signIn.url.searchParams.get('state') ?? '';
    const respond = (query: Readonly<Record<string, string>>) => () =>
      signIn.readCallback(new URL(`https://app.example/callback?${new URLSearchParams(query)}`));
    expect(respond({ code: 'c', state, iss: issuer })()).toBe('c');
    expect(respond({ code: 'c', state })()).toBe('c');
    expect(respond({ code: 'c', state: 'other' })).toThrow('state');
    expect(respond({ code: 'c' })).toThrow('state');
    expect(respond({ code: 'c', state, iss: 'https://other.example' })).toThrow('another issuer');
    expect(respond({ state })).toThrow('The authorization endpoint responded with no error code');
    expect(respond({ state, code: 'c', error: 'server_error', error_description: 'Later' })).toThrow(
      'The authorization endpoint responded with server_error: Later',
    );
  });
});

describe('the emulated GPT Action', () => {
  it('sends five parameters and its credentials in the form, and needs no scope', async () => {
    const { gpt, requests } = deploy();
    const tokens = await gpt.signIn(buttons);
    expect(tokens.refreshToken).toEqual(expect.any(String));
    expect(Object.fromEntries(new URL(requests[1]?.url ?? '').searchParams)).toEqual({
      response_type: 'code',
      client_id: 'gpt',
      redirect_uri: 'https://chatgpt.com/aip/g-0123456789abcdef0123456789abcdef/oauth/callback',
      state: expect.stringMatching(/^[\w-]{43}$/),
      scope: '',
    });
    expect([...(await readForm(requests.at(-1))).keys()].toSorted()).toEqual([
      ...['client_id', 'client_secret', 'code', 'grant_type', 'redirect_uri'],
    ]);
    expect((await gpt.call(api, tokens.accessToken)).status).toBe(200);
    expectTokens(await gpt.refresh(tokens.refreshToken ?? ''));
  });

  it('gets the errors of the token endpoint as values', async () => {
    const { gpt } = deploy();
    expect(await gpt.redeemCode('unknown')).toEqual({
      ...invalidGrant(400),
      description: expect.any(String),
    });
    expect(await gpt.refresh('unknown')).toMatchObject(invalidGrant(401));
    const stranger = emulateGptAction({
      ...{ issuer, clientId: 'gpt', clientSecret: 'wrong', fetch: deploy().fetch },
    });
    await expect(stranger.revoke('token')).rejects.toMatchObject({ code: 'invalid_client', status: 401 });
  });
});

describe('an emulated client', () => {
  it('rejects options that are not valid', () => {
    const options = { issuer, clientId: 'app', redirectUri: 'https://app.example/callback' };
    expect(() => createEmulatedClient({ ...options, tokenEndpointAuthMethod: 'client_secret_post' })).toThrow(
      'tokenEndpointAuthMethod must be none without a clientSecret.',
    );
    const misspelled = { ...options, redirectURI: 'https://app.example/callback' };
    expect(() => createEmulatedClient(misspelled)).toThrow('redirectURI is not an option.');
  });

  it('rejects the metadata of another issuer, and responses without tokens', async () => {
    const respond = (body: object) =>
      createEmulatedClient({
        ...{ issuer, clientId: 'app', redirectUri: 'https://app.example/callback' },
        fetch: async () => Response.json(body),
      });
    await expect(respond({ issuer: 'https://other.example' }).startSignIn()).rejects.toThrow(
      'https://words.example/.well-known/oauth-authorization-server responded with status 200',
    );
    const withoutTokens = { issuer, token_endpoint: `${issuer}/token`, access_token: 'a' };
    await expect(respond(withoutTokens).refresh('r')).rejects.toThrow('has no Bearer token');
    const elsewhere = { issuer, token_endpoint: 'https://other.example/token' };
    await expect(respond(elsewhere).refresh('r')).rejects.toThrow(
      'The token_endpoint is at https://other.example, which is neither the issuer nor in origins.',
    );
  });
});

describe('a recheck at the fake provider', () => {
  it('revokes the grants of a user whose refresh token was revoked there, and of no other user', async () => {
    const { createClient, readFakeProvider, advance, log } = deploy();
    const client = createClient();
    const ada = await client.signIn(buttons);
    const bruno = await client.signIn(['Acme', 'Bruno']);
    await readFakeProvider().revoke('ada.marlow@example.com');
    advance(601);
    expect(await client.refresh(ada.refreshToken ?? '')).toMatchObject(invalidGrant(400));
    advance(10);
    expect((await client.call(api, ada.accessToken)).status).toBe(401);
    expect((await client.call(api, bruno.accessToken)).status).toBe(200);
    expectTokens(await client.refresh(bruno.refreshToken ?? ''));
    expect(log.filter(({ event }) => event.startsWith('recheck'))).toEqual([]);

    const again = await client.signIn(buttons);
    advance(601);
    expectTokens(await client.refresh(again.refreshToken ?? ''));
  });

  it('succeeds after a restart of the fake provider', async () => {
    const { createClient, restartFakeProvider, advance } = deploy();
    const client = createClient();
    const { refreshToken } = await client.signIn(buttons);
    restartFakeProvider();
    advance(601);
    const { accessToken } = expectTokens(await client.refresh(refreshToken ?? ''));
    expect((await client.call(api, accessToken)).status).toBe(200);
  });
});

it('a provider that is written with oauth2() can use the fake provider', async () => {
  const provider = oauth2({
    ...{ id: 'acme', displayName: 'Acme', ...acme, scopes: ['email', 'profile'] },
    authorizationUrl: `${acme.issuer}/authorize`,
    tokenUrl: `${acme.issuer}/token`,
    profileUrl: `${acme.issuer}/userinfo`,
    mapProfile: ({ sub, name, email }) =>
      typeof sub === 'string' ? { subject: sub, labels: [name, email], email } : undefined,
  });
  const { createClient } = deploy({ providers: [provider] });
  const { accessToken } = await createClient().signIn(buttons);
  expect((await createClient().call(api, accessToken)).status).toBe(200);
});
