/**
 * Tests clients that authenticate with `private_key_jwt` (RFC 7523 §3), with keys that their metadata document
 * names: `openid-client`, and the client of the MCP SDK.
 */
import { createPrivateKeyJwtAuth } from '@modelcontextprotocol/client';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import {
  type Configuration,
  customFetch,
  None,
  PrivateKeyJwt,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildClientDocument, type DocumentServer, startDocumentServer } from '../document-server.ts';
import { addPoint, discover, readScore, signInWithPkce } from '../openid-client.ts';
import { scoreWithoutRounds } from '../scores.ts';
import { testUser } from '../test-users.ts';
import { createMcpApp, eras } from './sdk-client.ts';

const { origin } = inject('system');

let documents: DocumentServer;

beforeAll(async () => {
  documents = await startDocumentServer();
});

afterAll(() => documents.close());

interface KeyedClient {
  readonly clientId: string;
  readonly privateKey: CryptoKey;
  /** The private key, as a JSON Web Key. */
  readonly privateJwk: JWK;
  readonly keyId: string;
}

/** Publishes the metadata document of a client, and its keys at another URL. */
const publishClient = async (
  algorithm: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<KeyedClient> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const keyId = crypto.randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId, use: 'sig' };
  const keys = documents.serve(`/${keyId}/keys.json`, () => Response.json({ keys: [jwk] }));
  const clientId = documents.serve(`/${keyId}/client.json`, (url) =>
    Response.json(
      buildClientDocument(url, {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: algorithm,
        jwks_uri: keys,
        ...changes,
      }),
    ),
  );
  return { clientId, privateKey, privateJwk: await exportJWK(privateKey), keyId };
};

/** Creates the client, and records the bodies of its requests. */
const createClient = async ({ clientId, privateKey, keyId }: KeyedClient) => {
  const config = await discover(clientId, PrivateKeyJwt({ key: privateKey, kid: keyId }));
  const bodies: URLSearchParams[] = [];
  config[customFetch] = (url, { body, ...options }) => {
    const form = body instanceof URLSearchParams ? body : null;
    if (form !== null) bodies.push(form);
    return fetch(url, { ...options, body: form });
  };
  return { config, bodies };
};

const signIn = (config: Configuration) =>
  signInWithPkce(config, 'mcp-private-key-jwt', 'score offline_access');

const post = async (path: string, body: URLSearchParams) => {
  const response = await fetch(origin + path, { method: 'POST', body });
  return { status: response.status, body: await response.json() };
};

const refused = {
  status: 401,
  body: { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
};

describe.each(['RS256', 'PS256', 'ES256', 'Ed25519'])('openid-client with %s', (algorithm) => {
  it('signs in, plays, and refreshes, with another assertion each time', async () => {
    const { config, bodies } = await createClient(await publishClient(algorithm));
    const first = await signIn(config);
    const score = await readScore(config, first.access_token);
    expect(score).toEqual(scoreWithoutRounds(expect.any(Number)));
    const second = await refreshTokenGrant(config, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await readScore(config, second.access_token)).toEqual(score);
    const assertions = bodies.map((body) => body.get('client_assertion')).filter(Boolean);
    expect(assertions).toHaveLength(2);
    expect(new Set(assertions).size).toBe(2);
  });
});

describe('an assertion', () => {
  it('works only once, and the refused request changes nothing', async () => {
    const { config, bodies } = await createClient(await publishClient('ES256'));
    const first = await signIn(config);
    const second = await refreshTokenGrant(config, first.refresh_token ?? '');
    const [redemption, refresh] = bodies.filter((body) => body.has('client_assertion'));
    if (redemption === undefined || refresh === undefined) throw new Error('no requests');

    // The same request again; the next refresh token with each used assertion; and without an assertion.
    expect(await post('/token', refresh)).toEqual(refused);
    for (const used of [redemption, refresh]) {
      const replay = new URLSearchParams(refresh);
      replay.set('refresh_token', second.refresh_token ?? '');
      replay.set('client_assertion', used.get('client_assertion') ?? '');
      expect(await post('/token', replay)).toEqual(refused);
    }
    const unauthenticated = new URLSearchParams(refresh);
    unauthenticated.set('refresh_token', second.refresh_token ?? '');
    for (const name of ['client_assertion', 'client_assertion_type']) unauthenticated.delete(name);
    expect(await post('/token', unauthenticated)).toEqual(refused);

    const third = await refreshTokenGrant(config, second.refresh_token ?? '');
    expect(await readScore(config, third.access_token)).toEqual(scoreWithoutRounds(expect.any(Number)));
  });

  it('revokes a token', async () => {
    const { config } = await createClient(await publishClient('ES256'));
    const { refresh_token: token = '' } = await signIn(config);
    await tokenRevocation(config, token);
    await expect(refreshTokenGrant(config, token)).rejects.toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
  });

  it('of another key, or of another client, is refused', async () => {
    const [client, other] = [await publishClient('ES256'), await publishClient('ES256')];
    const { config } = await createClient(client);
    const { refresh_token: token = '' } = await signIn(config);
    const { config: withOtherKey } = await createClient({ ...client, privateKey: other.privateKey });
    await expect(refreshTokenGrant(withOtherKey, token)).rejects.toMatchObject({ status: 401 });
    const { config: otherClient } = await createClient(other);
    await expect(refreshTokenGrant(otherClient, token)).rejects.toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    const { access_token } = await refreshTokenGrant(config, token);
    expect(await readScore(config, access_token)).toEqual(scoreWithoutRounds(expect.any(Number)));
  });

  it('is required for a refresh if the code was redeemed with one, even if the client can also be public', async () => {
    const client = await publishClient('RS256', {
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    });
    const withoutAssertion = await discover(client.clientId, None());
    const publicTokens = await signIn(withoutAssertion);
    expect(await refreshTokenGrant(withoutAssertion, publicTokens.refresh_token ?? '')).toMatchObject({
      scope: 'score offline_access',
    });

    const { config } = await createClient(client);
    const { refresh_token: token = '' } = await signIn(config);
    await expect(refreshTokenGrant(withoutAssertion, token)).rejects.toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    const { access_token } = await refreshTokenGrant(config, token);
    expect(await addPoint(config, access_token)).toEqual({ score: expect.any(Number) });
  });
});

describe('the client of the MCP SDK', () => {
  it.each(eras)('signs in, and refreshes: $revision', async ({ mode, revision }) => {
    const { clientId, privateJwk } = await publishClient('ES256');
    const authenticate = createPrivateKeyJwtAuth({
      ...{ issuer: clientId, subject: clientId, alg: 'ES256' },
      privateKey: { ...privateJwk },
    });
    const user = testUser('mcp-private-key-jwt');
    const app = createMcpApp({ registration: { clientMetadataUrl: clientId, authenticate }, mode, user });
    const client = await app.connect();
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    const { tokens } = app;
    if (tokens === undefined) throw new Error('The client has no tokens.');
    app.tokens = { ...tokens, access_token: `${tokens.access_token}x` };
    expect(await app.use(async (connected) => (await connected.listTools()).tools.length)).toBe(9);
    expect(app.tokens?.refresh_token).not.toBe(tokens.refresh_token);
    expect(app.authorizationRequests).toHaveLength(1);
  });
});
