/** Client ID metadata documents: what they contain, how they are cached, and sign-ins of their clients. */
import { describe, expect, it } from 'vitest';
import { createTestBrowser, expectTokens, requestTokens } from '../browser.ts';
import { type Deployment, issuer } from '../deployment.ts';
import { expectErrorPage, expectTokenError, invalidClientError } from '../expect-error.ts';
import { readLines } from '../ui/read-markup.ts';
import {
  buildDocument,
  buildRedemption,
  createWeb,
  deployWith,
  documentRequest,
  documentUrl,
  obtainCodeFor,
  obtainTokensFor,
  redirectUri,
  refreshFor,
} from './web.ts';

const publish = (changes: Parameters<typeof buildDocument>[0] = {}, headers = {}) => {
  const web = createWeb();
  web.publish(documentUrl, buildDocument(changes), headers);
  return web;
};

const open = (deployment: Deployment, request = documentRequest) =>
  createTestBrowser(deployment).openSignInPage(request);

describe('a client with a metadata document', () => {
  it('signs a user in, redeems the code and refreshes its tokens', async () => {
    const web = publish();
    const deployment = deployWith(web);
    const tokens = await obtainTokensFor(deployment, documentRequest);
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'words' });
    const refreshed = await refreshFor(deployment, documentRequest, tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(await deployment.storage.readClient(documentUrl)).toEqual({
      id: documentUrl,
      name: 'Example Client',
      metadata: JSON.stringify({
        redirectUris: [redirectUri],
        canBePublic: true,
        hasKeys: false,
        canRefresh: true,
      }),
      retainUntil: deployment.now() + 180 * 86_400,
    });
  });

  it('is shown with its name and the host of the redirect URI', async () => {
    const { response } = await open(deployWith(publish()));
    expect(response.status).toBe(200);
    const lines = await readLines(await response.text());
    expect(lines.join('\n')).toContain(
      'Example Client wants access to your words.example account. It will be able to:',
    );
    expect(lines.join('\n')).toContain('client.example');
  });

  it('stores nothing until the user has signed in', async () => {
    const deployment = deployWith(publish());
    await open(deployment);
    expect(await deployment.storage.readClient(documentUrl)).toBeUndefined();
  });

  it('gets no refresh token if its document does not name that grant type, unless it requests one', async () => {
    const deployment = deployWith(publish({ grant_types: undefined }));
    expect(await obtainTokensFor(deployment, documentRequest)).not.toHaveProperty('refresh_token');
    const request = { ...documentRequest, scope: 'words offline_access' };
    expect(await obtainTokensFor(deployment, request)).toHaveProperty('refresh_token');
  });

  it.each([
    ['uses refresh tokens', {}, true],
    ['does not use them', { grant_types: undefined }, false],
  ])('is shown as keeping access only if it uses refresh tokens: it %s', async (_, changes, isShown) => {
    const { response } = await open(deployWith(publish(changes)));
    expect((await response.text()).includes(', or until you disconnect it in ')).toBe(isShown);
  });

  it.each([
    [
      'ChatGPT',
      'https://chatgpt.com/oauth/IbUR3zxyNQ16/client.json',
      'https://chatgpt.com/connector/oauth/IbUR3zxyNQ16',
      {
        client_uri: 'https://chatgpt.com/',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        token_endpoint_auth_signing_alg: 'RS256',
        jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
      },
    ],
    [
      'Codex',
      'https://chatgpt.com/oauth/codex/client.json',
      'http://127.0.0.1:51234/callback',
      {
        redirect_uris: ['http://127.0.0.1/callback'],
      },
    ],
    [
      'Claude',
      'https://claude.ai/oauth/mcp-oauth-client-metadata',
      'https://claude.ai/api/mcp/auth_callback',
      {},
    ],
    [
      'Claude Code',
      'https://claude.ai/oauth/claude-code-client-metadata',
      'http://localhost:51234/callback',
      {
        redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      },
    ],
    [
      'VS Code',
      'https://vscode.dev/oauth/client-metadata.json',
      'http://127.0.0.1:33418/',
      {
        redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect', 'vscode://not.allowed/x#y'],
      },
    ],
    [
      'Slack',
      'https://slack.com/.well-known/oauth-client-metadata',
      'https://oauth2.slack.com/external/auth/callback',
      {},
    ],
    [
      'Goose',
      'https://goose-docs.ai/oauth/client-metadata.json',
      'http://localhost:9/oauth/callback',
      {
        redirect_uris: ['http://localhost/oauth/callback'],
      },
    ],
  ])('signs a user in with the document of %s', async (name, url, redirect, changes) => {
    const web = createWeb();
    web.publish(url, buildDocument({ client_id: url, redirect_uris: [redirect], ...changes }));
    const request = { ...documentRequest, client_id: url, redirect_uri: redirect };
    const deployment = deployWith(web);
    const tokens = await obtainTokensFor(deployment, request);
    expect(tokens).toHaveProperty('refresh_token');
    const refreshed = await expectTokens(await refreshFor(deployment, request, tokens.refresh_token));
    for (const { access_token } of [tokens, refreshed]) {
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await deployment.broker.protect(new Request(`${issuer}/api`, { headers }))).toMatchObject({
        ok: true,
        client: { id: url, isChatGptMcpClient: name === 'ChatGPT' },
      });
    }
  });

  it('accepts any port on loopback, and distinguishes localhost from 127.0.0.1', async () => {
    const deployment = deployWith(publish({ redirect_uris: ['http://localhost/callback'] }));
    for (const [redirect_uri, status] of [
      ['http://localhost:1/callback', 200],
      ['http://localhost:65535/callback', 200],
      ['http://127.0.0.1:1/callback', 400],
      ['http://localhost:1/callback2', 400],
    ] as const)
      expect((await open(deployment, { ...documentRequest, redirect_uri })).response.status).toBe(status);
  });
});

describe('a metadata document', () => {
  const invalid = (reason: string) => `The metadata document of the app is not valid. Reason: ${reason}.`;

  it.each([
    ['another client_id', { client_id: `${documentUrl}2` }, 'its client_id is not its own URL'],
    ['no client_id', { client_id: undefined }, 'its client_id is not its own URL'],
    ['a client secret', { client_secret: 'x' }, 'it contains a client_secret'],
    ['no redirect URIs', { redirect_uris: undefined }, 'it has no redirect URI that is allowed here'],
    [
      'redirect URIs that are text',
      { redirect_uris: redirectUri },
      'it has no redirect URI that is allowed here',
    ],
    [
      'unusable redirect URIs only',
      {
        redirect_uris: [
          'http://client.example/',
          'javascript:alert(1)',
          'app:x',
          'https://u@client.example/',
          7,
        ],
      },
      'it has no redirect URI that is allowed here',
    ],
    [
      'another grant type',
      { grant_types: ['client_credentials'] },
      'it does not allow the grant type authorization_code with the response type code',
    ],
    [
      'another response type',
      { response_types: ['token'] },
      'it does not allow the grant type authorization_code with the response type code',
    ],
    [
      'a method with a secret',
      { token_endpoint_auth_method: 'client_secret_basic' },
      'it allows neither the authentication method none nor private_key_jwt with keys',
    ],
    [
      'private_key_jwt without keys',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'it allows neither the authentication method none nor private_key_jwt with keys',
    ],
    [
      'a malformed key set',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: 'x' } },
      'its keys are not a JSON Web Key Set',
    ],
    [
      'a jwks_uri in a private network',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://10.0.0.1/keys.json' },
      'its jwks_uri is not an allowed URL',
    ],
    [
      'an algorithm with a shared secret',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [] },
        token_endpoint_auth_signing_alg: 'HS256',
      },
      'its signing algorithm is not supported',
    ],
    [
      'such an algorithm, although it also allows none',
      {
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        jwks: { keys: [] },
        token_endpoint_auth_signing_alg: 'HS256',
      },
      'its signing algorithm is not supported',
    ],
  ])('is not used with %s', async (_, changes, reason) => {
    const deployment = deployWith(publish(changes));
    const { response } = await open(deployment);
    await expectErrorPage(response, deployment, invalid(reason));
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'client-metadata.invalid', cause: reason });
  });

  it.each([
    ['a list', '[]', 'it is not a JSON object'],
    ['null', 'null', 'it is not a JSON object'],
    ['broken JSON', '{', 'it is not a JSON object'],
    ['nothing', '', 'it is not a JSON object'],
  ])('is refused if it is %s', async (_, body, reason) => {
    const web = createWeb();
    web.serve(documentUrl, () => new Response(body, { headers: { 'content-type': 'application/json' } }));
    const deployment = deployWith(web);
    await expectErrorPage((await open(deployment)).response, deployment, invalid(reason));
  });

  it('can have a content type with a suffix and parameters', async () => {
    const web = createWeb();
    const type = 'Application/client-metadata+JSON; charset=utf-8';
    web.publish(documentUrl, buildDocument(), { 'content-type': type });
    expect((await open(deployWith(web))).response.status).toBe(200);
  });

  it('that does not exist means that the client is unknown', async () => {
    const deployment = deployWith(createWeb());
    const { response } = await open(deployment);
    await expectErrorPage(response, deployment, 'The app that sent you here is not registered with us.');
  });

  it('that cannot be read causes a temporary error, which does not count as a failed authentication', async () => {
    const web = publish({}, { 'cache-control': 'no-store' });
    const deployment = deployWith(web);
    const code = await obtainCodeFor(deployment, documentRequest);
    await deployment.storage.deleteClient(documentUrl);
    deployment.advance(86_400);
    web.fail(documentUrl);
    await expectErrorPage(
      (await open(deployment)).response,
      deployment,
      'The metadata document of the app could not be read. Try again in a moment.',
      503,
    );
    for (let attempt = 0; attempt < 30; attempt++) {
      const response = await requestTokens(deployment, buildRedemption(documentRequest, code));
      expect(response.status).toBe(503);
    }
  });

  it('is not fetched for an invalid code or refresh token, for which the client gets invalid_grant', async () => {
    const web = publish();
    const deployment = deployWith(web);
    const forms = [
      buildRedemption(documentRequest, 'x'),
      { grant_type: 'refresh_token', client_id: documentUrl, refresh_token: 'x' },
      { grant_type: 'client_credentials', client_id: documentUrl },
    ];
    for (const form of forms)
      expect(await (await requestTokens(deployment, form)).json()).toMatchObject({ error: 'invalid_grant' });
    expect(web.requested).toEqual([]);
  });

  it('causes a temporary error if fetch fails', async () => {
    const deployment = deployWith({ fetch: () => Promise.reject(new TypeError('fetch failed')) });
    expect((await open(deployment)).response.status).toBe(503);
    expect(deployment.log.map(({ event }) => event)).toContain('document-failed');
  });
});

describe('a copy of a metadata document', () => {
  /** Returns how often the document was fetched when the page is opened again after some seconds. */
  const countFetches = async (headers: Record<string, string>, seconds: number) => {
    const web = publish({}, headers);
    const deployment = deployWith(web);
    await open(deployment);
    deployment.advance(seconds);
    await open(deployment);
    return web.requested.length;
  };

  it.each([
    ['for an hour without headers', {}, 3599, 3600],
    ['as long as max-age says', { 'cache-control': 'public, max-age=60' }, 59, 60],
    ['for a day at most', { 'cache-control': 'max-age=99999999' }, 86_399, 86_400],
    [
      'without the time that it has already been cached',
      { 'cache-control': 'max-age=60', age: '20' },
      39,
      40,
    ],
    [
      'until it expires',
      { date: 'Sun, 29 Nov 2026 12:00:00 GMT', expires: 'Sun, 29 Nov 2026 12:01:40 GMT' },
      99,
      100,
    ],
  ])('is used %s', async (_, headers, before, after) => {
    expect(await countFetches(headers, before)).toBe(1);
    expect(await countFetches(headers, after)).toBe(2);
  });

  it.each(['no-store', 'no-cache', 'max-age=0', 'max-age=5, no-cache'])(
    'is not used again with %s',
    async (value) => {
      expect(await countFetches({ 'cache-control': value }, 0)).toBe(2);
    },
  );

  it('is used for 24 hours if the document can no longer be read', async () => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    await open(deployment);
    web.fail(documentUrl);
    deployment.advance(86_399);
    expect((await open(deployment)).response.status).toBe(200);
    deployment.advance(20);
    expect((await open(deployment)).response.status).toBe(503);
  });

  it('that is stored is used for 180 days after the last sign-in', async () => {
    const web = publish();
    const first = deployWith(web);
    const { refresh_token: token } = await obtainTokensFor(first, documentRequest);
    web.fail(documentUrl);
    // Another process has no copy in memory.
    const other = deployWith(web, {}, { storage: first.storage });
    other.advance(30 * 86_400 - 1);
    const refreshed = await refreshFor(other, documentRequest, token);
    expect(refreshed.status).toBe(200);
    other.advance(150 * 86_400);
    expect((await open(other)).response.status).toBe(200);
    other.advance(1);
    expect((await open(other)).response.status).toBe(503);
  });

  it('that is stored is not extended by a sign-in that uses it', async () => {
    const web = publish();
    const first = deployWith(web);
    await obtainTokensFor(first, documentRequest);
    const before = await first.storage.readClient(documentUrl);
    web.fail(documentUrl);
    const other = deployWith(web, {}, { storage: first.storage });
    other.advance(86_400);
    await obtainTokensFor(other, documentRequest);
    expect(await first.storage.readClient(documentUrl)).toEqual(before);
  });

  it.each([
    ['lists no redirect URI', { redirect_uris: [] }],
    ['allows only an unsupported method', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['allows only keys, and has none', { token_endpoint_auth_method: 'private_key_jwt' }],
  ])('is no longer used when the document %s', async (_, changes) => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    const { refresh_token: token } = await obtainTokensFor(deployment, documentRequest);
    web.publish(documentUrl, buildDocument(changes));
    deployment.advance(60);
    expect((await open(deployment)).response.status).toBe(400);
    expect((await refreshFor(deployment, documentRequest, token)).status).toBe(400);
    expect(await deployment.storage.readClient(documentUrl)).toBeUndefined();
    web.fail(documentUrl);
    deployment.advance(10);
    expect((await open(deployment)).response.status).toBe(503);
  });

  it.each([
    ['another document', () => Response.json({ client_id: 'https://other.example/' })],
    ['a web page', () => new Response('<h1>', { headers: { 'content-type': 'text/html' } })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: '/' } })],
    ['a long document', () => Response.json({ padding: 'x'.repeat(6000) })],
  ])('is still used when the URL returns %s', async (_, respond) => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    await open(deployment);
    web.serve(documentUrl, respond);
    deployment.advance(60);
    expect((await open(deployment)).response.status).toBe(200);
  });

  it.each([404, 410])('is deleted, in memory and in storage, when the status is %i', async (status) => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    const { refresh_token: token } = await obtainTokensFor(deployment, documentRequest);
    web.fail(documentUrl, status);
    deployment.advance(60);
    await expectTokenError(await refreshFor(deployment, documentRequest, token), invalidClientError);
    expect(await deployment.storage.readClient(documentUrl)).toBeUndefined();
    web.fail(documentUrl, 503);
    deployment.advance(10);
    expect((await open(deployment)).response.status).toBe(503);
  });

  it('is replaced when it has expired: the new name and redirect URIs are used', async () => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    await open(deployment);
    const moved = 'https://client.example/new';
    web.publish(documentUrl, buildDocument({ client_name: 'Renamed', redirect_uris: [moved] }));
    deployment.advance(60);
    expect((await open(deployment)).response.status).toBe(400);
    const { response } = await open(deployment, { ...documentRequest, redirect_uri: moved });
    expect(await response.text()).toContain('Renamed');
  });

  it('is fetched once if many requests need it at the same time', async () => {
    const web = createWeb();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    web.serve(documentUrl, async () => {
      await released;
      return Response.json(buildDocument(), { headers: { 'cache-control': 'no-store' } });
    });
    const deployment = deployWith(web);
    const pages = Array.from({ length: 20 }, () => open(deployment));
    release();
    for (const { response } of await Promise.all(pages)) expect(response.status).toBe(200);
    expect(web.requested).toEqual([documentUrl]);
  });

  it('is not fetched again within ten seconds after a failure', async () => {
    const web = createWeb();
    web.fail(documentUrl);
    const deployment = deployWith(web);
    for (let attempt = 0; attempt < 5; attempt++) await open(deployment);
    expect(web.requested).toHaveLength(1);
    deployment.advance(10);
    await open(deployment);
    expect(web.requested).toHaveLength(2);
  });

  it('is not evicted by made-up URLs of its host, and their limit does not apply to it', async () => {
    const web = publish({}, { 'cache-control': 'max-age=60' });
    const deployment = deployWith(web);
    await obtainTokensFor(deployment, documentRequest);
    const { host } = new URL(documentUrl);
    for (let index = 0; index < 1100; index++)
      await open(deployment, { ...documentRequest, client_id: `https://${host}/${index}.json` });
    deployment.advance(60);
    web.requested.length = 0;
    expect((await open(deployment)).response.status).toBe(200);
    expect(web.requested).toEqual([documentUrl]);
    // Another process has no copy in memory, but storage knows the client.
    const other = deployWith(web, {}, { storage: deployment.storage });
    for (let index = 0; index < 1001; index++)
      await open(other, { ...documentRequest, client_id: `https://${host}/${index}.json` });
    expect((await open(other)).response.status).toBe(200);
    expect(web.requested.at(-1)).toBe(documentUrl);
  });

  it('is evicted when there are 500 newer ones', async () => {
    const web = createWeb();
    const urls = Array.from({ length: 501 }, (_, index) => `https://client.example/${index}.json`);
    for (const url of urls) web.publish(url, buildDocument({ client_id: url }));
    const deployment = deployWith(web);
    for (const client_id of urls) await open(deployment, { ...documentRequest, client_id });
    await open(deployment, { ...documentRequest, client_id: urls[500] ?? '' });
    expect(web.requested).toHaveLength(501);
    await open(deployment, { ...documentRequest, client_id: urls[0] ?? '' });
    expect(web.requested).toHaveLength(502);
  });

  it('is fetched at most 1,000 times a minute from one host', async () => {
    const web = createWeb();
    const deployment = deployWith(web);
    for (let index = 0; index < 1000; index++)
      await open(deployment, { ...documentRequest, client_id: `https://victim.example/${index}.json` });
    const { response } = await open(deployment, {
      ...documentRequest,
      client_id: 'https://victim.example/last.json',
    });
    expect(response.status).toBe(503);
    expect(web.requested).toHaveLength(1000);
    web.publish(documentUrl, buildDocument());
    expect((await open(deployment)).response.status).toBe(200);
  });
});

describe('documents on loopback', () => {
  const url = 'http://127.0.0.1:9123/client.json';
  const request = { ...documentRequest, client_id: url };

  it('are read with the fetch of the broker if the issuer is on loopback', async () => {
    const local = createWeb();
    local.publish(url, buildDocument({ client_id: url }));
    const web = createWeb();
    const changes = {
      issuer: 'http://localhost:8787',
      resources: ['http://localhost:8787'],
      fetch: local.fetch,
    } as const;
    const deployment = deployWith(web, {}, changes);
    expect((await open(deployment, request)).response.status).toBe(200);
    expect([local.requested, web.requested]).toEqual([[url], []]);
  });

  it('are refused if the issuer is not on loopback', async () => {
    const local = createWeb();
    local.publish(url, buildDocument({ client_id: url }));
    const deployment = deployWith(local, {}, { fetch: local.fetch });
    await expectErrorPage(
      (await open(deployment, request)).response,
      deployment,
      'The client ID is not an allowed URL for a metadata document.',
    );
    expect(local.requested).toEqual([]);
  });
});

describe('a code', () => {
  it('of one client cannot be redeemed by another', async () => {
    const web = publish();
    const other = 'https://other.example/client.json';
    web.publish(other, buildDocument({ client_id: other }));
    const deployment = deployWith(web);
    const code = await obtainCodeFor(deployment, documentRequest);
    const form = buildRedemption({ ...documentRequest, client_id: other }, code);
    await expectTokenError(await requestTokens(deployment, form), {
      status: 400,
      error: 'invalid_grant',
      error_description: 'The authorization code is not valid.',
    });
  });
});
