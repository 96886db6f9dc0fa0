/** Dynamic client registration (RFC 7591), and sign-ins of clients that registered themselves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callApi, createTestBrowser, expectTokens, requestTokens } from '../browser.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import { expectErrorPage, expectTokenError, invalidClientError } from '../expect-error.ts';
import { buildCookieHeader } from '../flows.ts';
import { postForm } from '../token-requests.ts';
import {
  buildRedemption,
  createWeb,
  deployWith,
  documentRequest,
  obtainCodeFor,
  obtainTokensFor,
  refreshFor,
  register,
} from './web.ts';

const claude = 'https://claude.ai/api/mcp/auth_callback';

interface RegisteredClient {
  readonly client_id: string;
  readonly client_secret: string;
}

/** Registers a public client, and returns its ID and an authorization request. */
const registerClient = async (deployment: Deployment, changes: Record<string, unknown> = {}) => {
  const metadata = {
    client_name: 'Claude',
    redirect_uris: [claude],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    ...changes,
  };
  const response = await register(deployment, metadata);
  expect(response.status).toBe(201);
  const client: RegisteredClient = await response.json();
  const request = { ...documentRequest, client_id: client.client_id, redirect_uri: claude };
  return { client, request };
};

const createDeployment = (
  ...[options, changes]: [Parameters<typeof deployWith>[1]?, Parameters<typeof deployWith>[2]?]
) => deployWith(createWeb(), options, changes);

describe('the registration endpoint', () => {
  it('registers a public client, and returns what it registered', async () => {
    const deployment = createDeployment();
    const response = await register(deployment, {
      client_name: ' Claude\n Code\u202E ',
      redirect_uris: ['http://localhost:51234/callback', claude],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code', 'token'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      scope: 'words',
      client_uri: 'https://claude.ai',
    });
    expect(response.status).toBe(201);
    expect(Object.fromEntries(response.headers)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
      'cache-control': 'no-store',
      'content-type': 'application/json',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual({
      client_id: expect.stringMatching(/^[\w-]{100,300}$/),
      client_id_issued_at: deployment.now(),
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost:51234/callback', claude],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'offline_access words score',
    });
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'client-registered',
      endpoint: 'register',
      redirectUri: 'http://localhost:51234/callback',
    });
  });

  it.each([undefined, 'client_secret_basic', 'client_secret_post'])(
    'returns a secret if the method is %s',
    async (token_endpoint_auth_method) => {
      const response = await register(createDeployment(), {
        redirect_uris: [claude],
        token_endpoint_auth_method,
      });
      expect(await response.json()).toMatchObject({
        client_name: 'claude.ai',
        client_secret: expect.stringMatching(/^[\w-]{43}$/),
        client_secret_expires_at: 0,
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: token_endpoint_auth_method ?? 'client_secret_basic',
      });
    },
  );

  const uriError = 'The redirect_uris must be https URIs that this server allows, or http on loopback.';
  const listError = `${uriError} They must be a list of 1 to 10.`;
  const typesError =
    'The client metadata is not supported. The grant_types must contain authorization_code, and the response_types code.';
  const methodError =
    'The client metadata is not supported. The token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.';

  it.each<[string, unknown, string, string]>([
    ['no redirect URIs', {}, 'invalid_redirect_uri', listError],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri', listError],
    ['a text', { redirect_uris: claude }, 'invalid_redirect_uri', listError],
    ['a number', { redirect_uris: [claude, 1] }, 'invalid_redirect_uri', listError],
    ['eleven URIs', { redirect_uris: Array(11).fill(claude) }, 'invalid_redirect_uri', listError],
    [
      'a host that is not allowed',
      { redirect_uris: ['https://evil.example/'] },
      'invalid_redirect_uri',
      uriError,
    ],
    [
      'one such host besides others',
      { redirect_uris: [claude, 'https://evil.example/'] },
      'invalid_redirect_uri',
      uriError,
    ],
    ['another path', { redirect_uris: [`${claude}/x`] }, 'invalid_redirect_uri', uriError],
    ['http', { redirect_uris: ['http://claude.ai/api/mcp/auth_callback'] }, 'invalid_redirect_uri', uriError],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri', uriError],
    ['a fragment', { redirect_uris: [`${claude}#x`] }, 'invalid_redirect_uri', uriError],
    [
      'a private-use scheme',
      { redirect_uris: ['com.example.app:/callback'] },
      'invalid_redirect_uri',
      uriError,
    ],
    [
      '513 characters',
      { redirect_uris: [`http://localhost/${'x'.repeat(496)}`] },
      'invalid_redirect_uri',
      `${uriError} They must have at most 512 characters in total.`,
    ],
    [
      'another grant type',
      { redirect_uris: [claude], grant_types: ['implicit'] },
      'invalid_client_metadata',
      typesError,
    ],
    [
      'a text as grant types',
      { redirect_uris: [claude], grant_types: 'authorization_code' },
      'invalid_client_metadata',
      typesError,
    ],
    [
      'another response type',
      { redirect_uris: [claude], response_types: [] },
      'invalid_client_metadata',
      typesError,
    ],
    [
      'private_key_jwt',
      { redirect_uris: [claude], token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
      methodError,
    ],
    ['a list', [], 'invalid_client_metadata', 'The body must be a JSON object.'],
    ['null', 'null', 'invalid_client_metadata', 'The body must be a JSON object.'],
    ['nothing', '', 'invalid_client_metadata', 'The body must be a JSON object.'],
    ['broken JSON', '{', 'invalid_client_metadata', 'The body must be a JSON object.'],
  ])('refuses metadata with %s', async (_, metadata, error, error_description) => {
    const response = await register(createDeployment(), metadata);
    await expectTokenError(response, { status: 400, error, error_description });
  });

  it('refuses other content types and methods', async () => {
    const deployment = createDeployment();
    await expectTokenError(await register(deployment, '{}', { 'content-type': 'text/plain' }), {
      status: 400,
      error: 'invalid_client_metadata',
      error_description: 'The Content-Type must be application/json.',
    });
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
      const response = await deployment.fetch(new Request(`${issuer}/register`, { method }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  it('responds to any JSON with 201 or 400', async () => {
    const deployment = createDeployment();
    const names = [
      'redirect_uris',
      'client_name',
      'grant_types',
      'response_types',
      'token_endpoint_auth_method',
    ];
    const member = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom([claude], ['authorization_code'], 'none', ['code']),
    );
    const metadata = fc.dictionary(fc.constantFrom(...names), member);
    await fc.assert(
      fc.asyncProperty(fc.oneof(metadata, fc.jsonValue()), async (value) => {
        expect([201, 400]).toContain((await register(deployment, value ?? 'null')).status);
      }),
    );
  });

  it('responds to a preflight of any page', async () => {
    const response = await createDeployment().fetch(
      new Request(`${issuer}/register`, {
        method: 'OPTIONS',
        headers: { origin: 'https://inspector.example', 'access-control-request-method': 'POST' },
      }),
    );
    expect([response.status, response.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
  });
});

describe('a client that registered itself', () => {
  it('signs a user in, redeems the code and refreshes', async () => {
    const deployment = createDeployment();
    const { client, request } = await registerClient(deployment);
    const tokens = await obtainTokensFor(deployment, request);
    expect((await refreshFor(deployment, request, tokens.refresh_token)).status).toBe(200);
    expect(await deployment.storage.readClient(client.client_id)).toMatchObject({
      id: client.client_id,
      name: 'Claude',
      retainUntil: deployment.now() + 400 * 86_400,
    });
  });

  it('can have a secret, which it must then send, in the form or as Basic', async () => {
    const deployment = createDeployment();
    const { client, request } = await registerClient(deployment, { token_endpoint_auth_method: undefined });
    const { client_id, client_secret } = client;
    await obtainTokensFor(deployment, request, { client_secret });
    const form = buildRedemption(request, await obtainCodeFor(deployment, request));
    for (const wrong of [{}, { client_secret: 'wrong' }, { client_secret: `${client_secret}x` }])
      await expectTokenError(await requestTokens(deployment, { ...form, ...wrong }), invalidClientError);
    const authorization = `Basic ${btoa(`${client_id}:${client_secret}`)}`;
    await expectTokens(await requestTokens(deployment, form, { authorization }));
    const stored = await deployment.storage.readClient(client_id);
    expect(stored?.metadata).not.toContain(client_secret);
  });

  it('is not refused after others have sent many wrong secrets', async () => {
    const deployment = createDeployment();
    const { client, request } = await registerClient(deployment, { token_endpoint_auth_method: undefined });
    const form = buildRedemption(request, await obtainCodeFor(deployment, request));
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 25; attempt++)
      statuses.push((await requestTokens(deployment, { ...form, client_secret: 'wrong' })).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    const { client_secret } = client;
    expect((await requestTokens(deployment, { ...form, client_secret })).status).toBe(200);
  });

  it('can use any port on loopback, and another one for each sign-in', async () => {
    const deployment = createDeployment();
    const { request } = await registerClient(deployment, {
      redirect_uris: ['http://127.0.0.1:1234/callback'],
    });
    for (const redirect_uri of ['http://127.0.0.1:1234/callback', 'http://127.0.0.1:4321/callback'])
      await obtainTokensFor(deployment, { ...request, redirect_uri });
    const { response } = await createTestBrowser(deployment).openSignInPage({
      ...request,
      redirect_uri: 'http://localhost:1234/callback',
    });
    await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
  });

  it.each([
    'https://chatgpt.com/connector/oauth/IbUR3zxyNQ16',
    'https://chatgpt.com/connector_platform_oauth_redirect',
    'https://vscode.dev/redirect',
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'http://localhost:7777/oauth/callback',
    'https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect',
    'https://global.consent.azure-apim.net/redirect/my-connector-5f1a',
    'http://[::1]:9/cb',
  ])('can have the redirect URI %s', async (redirect_uri) => {
    const deployment = createDeployment();
    const { request } = await registerClient(deployment, { redirect_uris: [redirect_uri] });
    await obtainTokensFor(deployment, { ...request, redirect_uri });
  });

  it.each([
    'https://chatgpt.com/connector/oauth/',
    'https://chatgpt.com/connector/oauth/a?b',
    'https://chatgpt.com/connector/oauth/%2e%2e/x',
    'https://chatgpt.com/connector/oauth/..;/x',
    'https://chatgpt.com/aip/g-1234567890abcdef/oauth/callback',
    'https://chatgpt.com.evil.example/connector/oauth/x',
    'https://chatgpt.com:8443/connector/oauth/x',
    'cursor://anysphere.cursor-mcp/oauth/callback2',
    'http://localhost.evil.example/callback',
    'http://127.0.0.2/callback',
  ])('cannot have the redirect URI %s', async (redirect_uri) => {
    const response = await register(createDeployment(), { redirect_uris: [redirect_uri] });
    expect(response.status).toBe(400);
  });

  it.each([
    ['Cla\u0323\u0302ude', 'Clậude'],
    [`Claude${'\u0323\u0489\u0336'.repeat(20)}!`, 'Claude\u0323\u0489\u0336!'],
    ['हिन्दी བསྒྲུབས ที่นี่', 'हिन्दी བསྒྲུབས ที่นี่'],
  ])('L7.1 has no marks in its name that cover the lines below it: %s', async (client_name, expected) => {
    const response = await register(createDeployment(), { client_name, redirect_uris: [claude] });
    const { client_name: name } = await response.json<{ client_name: string }>();
    expect(name.normalize('NFC')).toBe(expected.normalize('NFC'));
  });

  it('keeps the cookies of a browser below 6 kB, even with the longest client ID', async () => {
    const deployment = createDeployment();
    const longestUri = `http://localhost/${'x'.repeat(495)}`;
    const { client, request } = await registerClient(deployment, {
      client_name: '字'.repeat(100),
      redirect_uris: [longestUri],
      token_endpoint_auth_method: undefined,
    });
    expect(client.client_id.length).toBeGreaterThan(900);
    const browser = createTestBrowser(deployment);
    for (let count = 0; count < 10; count++) {
      const { consent } = await browser.openSignInPage({ ...request, redirect_uri: longestUri });
      const response = await browser.submitConsent(consent, { choice: 'google' });
      expect(response.status).toBe(303);
      expect(buildCookieHeader(browser.cookies).length).toBeLessThan(6_000);
    }
  });

  it('revokes: a token that is not ours needs no client, but another client’s token does', async () => {
    const deployment = createDeployment();
    const { request } = await registerClient(deployment);
    const tokens = await obtainTokensFor(deployment, request);
    const client_id = request.client_id;
    const revoked = await postForm(deployment, '/revoke', { client_id, token: 'x' });
    expect([revoked.status, await revoked.text()]).toEqual([200, '{}']);
    const other = (await registerClient(deployment)).request.client_id;
    await expectTokenError(
      await postForm(deployment, '/revoke', { client_id: other, token: tokens.access_token }),
      invalidClientError,
    );
    expect((await callApi(deployment, tokens.access_token)).ok).toBe(true);
  });

  it('can no longer use a redirect URI that was removed from the list', async () => {
    const storage = deploy().storage;
    const { request } = await registerClient(createDeployment({}, { storage }));
    const later = createDeployment({ redirectUris: [] }, { storage });
    const { response } = await createTestBrowser(later).openSignInPage(request);
    await expectErrorPage(response, later, 'The redirect URI is not registered for this app.');
  });

  const otherKeys = 'test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';

  it('stays registered, with its secret, after the key that sealed its ID was removed', async () => {
    const deployment = createDeployment();
    const { client, request } = await registerClient(deployment, { token_endpoint_auth_method: undefined });
    const { client_secret } = client;
    await obtainTokensFor(deployment, request, { client_secret });
    const later = createDeployment({}, { storage: deployment.storage, sealingKeys: otherKeys });
    await obtainTokensFor(later, request, { client_secret });
    const form = buildRedemption(request, await obtainCodeFor(later, request));
    await expectTokenError(
      await requestTokens(later, { ...form, client_secret: 'wrong' }),
      invalidClientError,
    );
  });

  it('is unknown after the key that sealed its ID was removed, if no user has signed in to it', async () => {
    const deployment = createDeployment();
    const { request } = await registerClient(deployment);
    const later = createDeployment({}, { storage: deployment.storage, sealingKeys: otherKeys });
    const { response } = await createTestBrowser(later).openSignInPage(request);
    await expectErrorPage(response, later, 'The app that sent you here is not registered with us.');
  });

  it('is unknown to another deployment with the same keys', async () => {
    const { client } = await registerClient(createDeployment());
    const other = createDeployment(
      {},
      { issuer: 'https://other.example', resources: ['https://other.example'] },
    );
    const { response } = await createTestBrowser(other).openSignInPage({
      ...documentRequest,
      client_id: client.client_id,
      redirect_uri: claude,
    });
    expect(response.status).toBe(400);
    expect(other.log.at(-1)).toMatchObject({ reason: 'client.unknown' });
  });
});
