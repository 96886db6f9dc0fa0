/**
 * Tests clients that are not in the configuration over HTTP: registration (RFC 7591), and metadata documents
 * (draft-ietf-oauth-client-id-metadata-document), which the app reads with the `fetch` of its runtime.
 */
import { gzipSync } from 'node:zlib';
import { ClientSecretBasic, ClientSecretPost, None, refreshTokenGrant } from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildClientDocument, type DocumentServer, startDocumentServer } from '../document-server.ts';
import { discover, readScore, registerClient, signInWithPkce } from '../openid-client.ts';
import { scoreWithoutRounds } from '../scores.ts';
import { createFetch } from '../sign-in.ts';
import { registrations } from './registrations.ts';

const { origin } = inject('system');
const redirectUri = 'http://127.0.0.1:51234/callback';

const send = (body: BodyInit, contentType = 'application/json'): Promise<Response> =>
  fetch(`${origin}/register`, { method: 'POST', headers: { 'content-type': contentType }, body });

const register = (metadata: object): Promise<Response> => send(JSON.stringify(metadata));

/** Sends an authorization request, and returns what the user sees. */
const openAuthorization = async (clientId: string, redirect = redirectUri) => {
  const url = new URL('/authorize', origin);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirect,
    scope: 'score',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }).toString();
  const response = await createFetch()(new Request(url, { redirect: 'manual' }));
  const html = await response.text();
  const [, title] = /<h1>(.*?)<\/h1>/.exec(html) ?? [];
  const [, shown] = /<\/h1>\s*<p>(.*?)<\/p>/s.exec(html) ?? [];
  // For a mistake of the client, the message is in the note for developers.
  const [, message = shown] = /<p class="note" lang="en" dir="ltr">(.*?)<\/p>/s.exec(html) ?? [];
  return { status: response.status, location: response.headers.get('location'), title, message };
};

/** Sends a request to the token endpoint, without client authentication. */
const requestToken = async (parameters: Readonly<Record<string, string>>) => {
  const response = await fetch(`${origin}/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  return { status: response.status, body: await response.json() };
};

const refresh = (clientId: string, token: string) =>
  requestToken({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token });

describe('a registration', () => {
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };

  const invalidUri = {
    error: 'invalid_redirect_uri',
    error_description: 'The redirect_uris must be https URIs that this server allows, or http on loopback.',
  };
  const notAnObject = {
    error: 'invalid_client_metadata',
    error_description: 'The body must be a JSON object.',
  };

  it.each<[string, () => Promise<Response>, number, object]>([
    ['without a body', () => send(''), 400, notAnObject],
    ['that is not JSON', () => send('{"redirect_uris":'), 400, notAnObject],
    ['that is a list', () => send('[]'), 400, notAnObject],
    [
      'that is not text',
      () => send(new Uint8Array([0xff, 0xfe])),
      400,
      { error: 'invalid_request', error_description: 'The request body could not be read.' },
    ],
    [
      'of more than 16 kB',
      () => register({ ...metadata, client_name: 'x'.repeat(17_000) }),
      413,
      { error: 'invalid_request', error_description: 'The request is too large.' },
    ],
    [
      'as a form',
      () => send('redirect_uris=https%3A%2F%2Fclaude.ai', 'application/x-www-form-urlencoded'),
      400,
      { error: 'invalid_client_metadata', error_description: 'The Content-Type must be application/json.' },
    ],
    [
      'without redirect URIs',
      () => register({ client_name: 'App' }),
      400,
      {
        error: 'invalid_redirect_uri',
        error_description: `${invalidUri.error_description} They must be a list of 1 to 10.`,
      },
    ],
    ...[
      'https://client.example/callback',
      'https://claude.ai.client.example/api/mcp/auth_callback',
      'https://claude.ai@client.example/api/mcp/auth_callback',
      'http://client.example/callback',
      'http://127.0.0.1.client.example/callback',
      'com.example.client:/callback',
      'javascript:alert(1)',
    ].map((uri): [string, () => Promise<Response>, number, object] => [
      `with the redirect URI ${uri}`,
      () => register({ ...metadata, redirect_uris: [redirectUri, uri] }),
      400,
      invalidUri,
    ]),
    [
      'for another method of authentication',
      () => register({ ...metadata, token_endpoint_auth_method: 'private_key_jwt' }),
      400,
      {
        error: 'invalid_client_metadata',
        error_description:
          'The client metadata is not supported. The token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.',
      },
    ],
  ])('%s is refused', async (_, sendRegistration, status, body) => {
    const response = await sendRegistration();
    expect([response.status, await response.json()]).toEqual([status, body]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('with GET is refused', async () => {
    const response = await fetch(`${origin}/register`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await response.json()).toEqual({
      error: 'invalid_request',
      error_description: 'Method not allowed.',
    });
  });

  it('gets a client ID, and the response contains its metadata', async () => {
    const before = Math.floor(Date.now() / 1000);
    const response = await register({ ...metadata, client_name: 'App', application_type: 'native' });
    const body = await response.json();
    expect([response.status, body]).toEqual([
      201,
      {
        client_id: expect.stringMatching(/^[\w-]{90,}$/),
        client_id_issued_at: expect.any(Number),
        client_name: 'App',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        scope: 'offline_access words score',
      },
    ]);
    expect(body.client_id_issued_at).toBeGreaterThanOrEqual(before);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('a client that registers itself', () => {
  it.each([
    { method: 'client_secret_basic', authenticate: ClientSecretBasic },
    { method: 'client_secret_post', authenticate: ClientSecretPost },
  ])('can request a secret, and must then use it: $method', async ({ method, authenticate }) => {
    const config = await registerClient({ token_endpoint_auth_method: method }, authenticate());
    const { client_id: clientId, client_secret: secret } = config.clientMetadata();
    expect(secret).toMatch(/^[\w-]{43}$/);
    const first = await signInWithPkce(config, 'mcp-registration', 'score offline_access');
    const { refresh_token: token = '' } = first;
    expect(await refresh(clientId, token)).toEqual({ status: 401, body: authenticationFailed });
    const second = await refreshTokenGrant(config, token);
    expect(await readScore(config, second.access_token)).toEqual(scoreWithoutRounds(0));
  });

  it.each([
    'http://127.0.0.1:51234/callback/',
    'http://127.0.0.1:51234/other',
    'http://localhost:51234/callback',
    'https://127.0.0.1:51234/callback',
    'https://client.example/callback',
  ])('cannot use another redirect URI: %s', async (other) => {
    const { client_id: clientId } = await (await register({ redirect_uris: [redirectUri] })).json();
    expect(await openAuthorization(clientId, 'http://127.0.0.1:9/callback')).toMatchObject({ status: 200 });
    expect(await openAuthorization(clientId, other)).toEqual({
      status: 400,
      location: null,
      title: 'We couldn’t sign you in',
      message: 'The redirect URI is not registered for this app.',
    });
  });

  it('is unknown if a character of its ID differs', async () => {
    const { client_id: clientId } = await (await register({ redirect_uris: [redirectUri] })).json();
    const changed = clientId.replace(/.$/, (last: string) => (last === 'A' ? 'Q' : 'A'));
    expect(await openAuthorization(changed)).toEqual({
      status: 400,
      location: null,
      title: 'We couldn’t sign you in',
      message: 'The app that sent you here is not registered with us.',
    });
  });
});

const authenticationFailed = {
  error: 'invalid_client',
  error_description: 'The client could not be authenticated.',
};

describe('a refresh token', () => {
  it.each(registrations)('works only for its own client: $name', async (registration) => {
    const config = await registration.configure();
    const { refresh_token: token = '' } = await signInWithPkce(
      config,
      'mcp-registration',
      'score offline_access',
    );
    for (const other of registrations)
      if (other !== registration)
        await expect(refreshTokenGrant(await other.configure(), token)).rejects.toMatchObject({
          status: 400,
          error: 'invalid_grant',
        });
    const { access_token } = await refreshTokenGrant(config, token);
    expect(await readScore(config, access_token)).toEqual(scoreWithoutRounds(0));
  });
});

describe('a metadata document', () => {
  let documents: DocumentServer;

  beforeAll(async () => {
    documents = await startDocumentServer();
    documents.serve('/valid.json', (url) => Response.json(buildClientDocument(url)));
  });

  afterAll(() => documents.close());

  const title = 'We couldn’t sign you in';
  const temporarily = 'The metadata document of the app could not be read. Try again in a moment.';
  const invalid = (reason: string) => `The metadata document of the app is not valid. Reason: ${reason}.`;
  /** A document with 6,000 bytes, most of which compression removes. */
  const buildLongDocument = (url: string) =>
    JSON.stringify(buildClientDocument(url, { padding: ' '.repeat(6000) }));
  const json = { 'content-type': 'application/json' };

  it('is read once, and then used for a while', async () => {
    const clientId = documents.serve('/once.json', (url) => Response.json(buildClientDocument(url)));
    for (let i = 0; i < 3; i++) expect(await openAuthorization(clientId)).toMatchObject({ status: 200 });
    expect(documents.requests.filter((path) => path === '/once.json')).toEqual(['/once.json']);
  });

  it.each<[string, (url: string) => Response, string]>([
    [
      'redirects to another',
      (url) => Response.redirect(new URL('/valid.json', url), 302),
      'it is a redirect, and redirects are not followed',
    ],
    [
      'is moved permanently',
      (url) => Response.redirect(new URL('/valid.json', url), 308),
      'it is a redirect, and redirects are not followed',
    ],
    [
      'is too long',
      (url) => new Response(buildLongDocument(url), { headers: json }),
      'it has more than 5120 bytes',
    ],
    [
      'is too long when it is decompressed',
      (url) =>
        new Response(gzipSync(buildLongDocument(url)), { headers: { ...json, 'content-encoding': 'gzip' } }),
      'it has more than 5120 bytes',
    ],
    [
      'is a page',
      (url) =>
        new Response(JSON.stringify(buildClientDocument(url)), { headers: { 'content-type': 'text/html' } }),
      'its content type is not JSON',
    ],
    ['is not JSON', () => new Response('{"client_id":', { headers: json }), 'it is not a JSON object'],
    ['is a list', (url) => Response.json([buildClientDocument(url)]), 'it is not a JSON object'],
    [
      'describes another client',
      (url) => Response.json(buildClientDocument(new URL('/valid.json', url).href)),
      'its client_id is not its own URL',
    ],
    [
      'contains a secret',
      (url) => Response.json(buildClientDocument(url, { client_secret: 'x' })),
      'it contains a client_secret',
    ],
    [
      'has no redirect URI that is allowed',
      (url) => Response.json(buildClientDocument(url, { redirect_uris: ['http://client.example/callback'] })),
      'it has no redirect URI that is allowed here',
    ],
    [
      'requires a secret',
      (url) => Response.json(buildClientDocument(url, { token_endpoint_auth_method: 'client_secret_basic' })),
      'it allows neither the authentication method none nor private_key_jwt with keys',
    ],
  ])('that %s is refused', async (name, respond, reason) => {
    const clientId = documents.serve(`/${name.replaceAll(' ', '-')}.json`, respond);
    const message = invalid(reason);
    expect(await openAuthorization(clientId)).toEqual({ status: 400, location: null, title, message });
    expect(documents.requests).not.toContain('/valid.json');
  });

  it.each([404, 410])('that does not exist means that its client is unknown: status %i', async (status) => {
    const clientId = documents.serve(`/${status}.json`, () => new Response(null, { status }));
    expect(await openAuthorization(clientId)).toEqual({
      ...{ status: 400, location: null, title },
      message: 'The app that sent you here is not registered with us.',
    });
  });

  it.each<[string, () => Response]>([
    ['has status 500', () => new Response('{}', { status: 500, headers: json })],
    ['never ends', () => new Response(new ReadableStream({}), { headers: json })],
  ])('that %s causes a temporary error', async (name, respond) => {
    const clientId = documents.serve(`/${name.replaceAll(' ', '-')}.json`, respond);
    expect(await openAuthorization(clientId)).toEqual({
      ...{ status: 503, location: null, title: 'Something went wrong' },
      message: temporarily,
    });
  });

  it.each([
    '/client.json?version=1',
    '/client.json#app',
    '/a/../client.json',
    '/',
    'http://user@127.0.0.1/client.json',
    'http://client.example/client.json',
    'https://client.example:8443/client.json',
    'https://192.0.2.1/client.json',
    'https://[2001:db8::1]/client.json',
    'https://metadata.google.internal/client.json',
    'file:///etc/passwd',
  ])('is not read from %s', async (url) => {
    const start = documents.requests.length;
    const clientId = url.replace(/^\//, `${documents.origin}/`);
    const message = 'The client ID is not an allowed URL for a metadata document.';
    expect(await openAuthorization(clientId)).toEqual({ status: 400, location: null, title, message });
    expect(documents.requests.slice(start)).toEqual([]);
  });

  it('is not read for a code or token that was not issued to its client', async () => {
    const clientId = `${documents.origin}/unread.json`;
    const config = await registerClient({ token_endpoint_auth_method: 'none' }, None());
    const other = await signInWithPkce(config, 'mcp-registration', 'score offline_access');
    const code = {
      ...{ grant_type: 'authorization_code', code: 'x', client_id: clientId },
      ...{ redirect_uri: redirectUri, code_verifier: 'x'.repeat(43) },
    };
    expect(await requestToken(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    for (const token of ['x', other.refresh_token ?? ''])
      expect(await refresh(clientId, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await fetch(`${origin}/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, token: 'x' }),
    });
    expect(documents.requests).not.toContain('/unread.json');
  });

  it.each<[string, (url: string) => Response, object | undefined]>([
    ['cannot be read', () => new Response(null, { status: 500 }), undefined],
    ['redirects', (url) => Response.redirect(new URL('/valid.json', url), 302), undefined],
    [
      'is a page',
      () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
      undefined,
    ],
    ['is gone', () => new Response(null, { status: 404 }), { status: 401, body: authenticationFailed }],
    [
      'has no redirect URIs any longer',
      (url) => Response.json(buildClientDocument(url, { redirect_uris: [] })),
      {
        status: 400,
        body: {
          error: 'invalid_client',
          error_description: invalid('it has no redirect URI that is allowed here'),
        },
      },
    ],
  ])('that %s after a sign-in', async (name, respond, refusal) => {
    const path = `/later-${name.replaceAll(' ', '-')}.json`;
    const headers = { 'cache-control': 'no-store' };
    const clientId = documents.serve(path, (url) => Response.json(buildClientDocument(url), { headers }));
    const config = await discover(clientId, None());
    const { refresh_token: token = '' } = await signInWithPkce(
      config,
      'mcp-registration',
      'score offline_access',
    );
    documents.serve(path, respond);
    expect(await refresh(clientId, token)).toEqual(
      refusal ?? { status: 200, body: expect.objectContaining({ refresh_token: expect.any(String) }) },
    );
    expect(documents.requests.filter((requested) => requested === path).length).toBeGreaterThan(1);
  });
});
