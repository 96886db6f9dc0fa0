/**
 * Tests what the MCP endpoint responds to each kind of token (RFC 6750 §3, RFC 9728 §5.1), by method, by
 * revision of the protocol, and by the way in which the client of the token got its client ID.
 */
import { tokenRevocation } from 'openid-client';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { signInWithPkce } from '../openid-client.ts';
import { scoreWithoutRounds } from '../scores.ts';
import { preRegistered, type Registration, registrations } from './registrations.ts';

const { origin } = inject('system');
const mcpUrl = `${origin}/mcp`;

interface Outcome {
  readonly status: number;
  /** What follows `Bearer realm="…"`. Default: there is no challenge. */
  readonly challenge?: string;
  readonly body: unknown;
}

const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;

const createProblem = (status: number, title: string, detail: string): object => ({
  type: 'about:blank',
  title,
  status,
  detail,
});

const unauthenticated: Outcome = {
  status: 401,
  challenge: `, scope="words score", ${metadata}`,
  body: createProblem(401, 'Unauthorized', 'Sign in to use this API.'),
};

const invalidToken: Outcome = {
  status: 401,
  challenge: `, error="invalid_token", error_description="The access token is not valid.", scope="words score", ${metadata}`,
  body: createProblem(401, 'Unauthorized', 'The access token is not valid.'),
};

const insufficientScope: Outcome = {
  status: 403,
  challenge: `, error="insufficient_scope", error_description="The access token does not have the required scope.", scope="score", ${metadata}`,
  body: createProblem(403, 'Forbidden', 'The access token does not have the required scope.'),
};

const methodNotAllowed: Outcome = {
  status: 405,
  body: { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Method not allowed.' } },
};

const calledTool: Outcome = {
  status: 200,
  body: {
    jsonrpc: '2.0',
    id: 1,
    result: expect.objectContaining({ structuredContent: scoreWithoutRounds(expect.any(Number)) }),
  },
};

type TokenName = 'valid' | 'revoked' | 'for the API' | 'without the scope' | 'refresh token' | 'client ID';

type Tokens = Readonly<Record<TokenName, string>>;

/** How a request carries a token. */
interface Credentials {
  readonly authorization?: string;
  readonly query?: string;
}

type Row<Given> = readonly [
  name: string,
  carry: (given: Given) => Credentials,
  onPost: Outcome,
  onGetAndDelete: Outcome,
];

const bearer = (token: string): Credentials => ({ authorization: `Bearer ${token}` });

/** The POST request calls a tool that requires the scope `score`. */
const rowsWithoutToken: readonly Row<void>[] = [
  ['no token', () => ({}), unauthenticated, unauthenticated],
  ['no token after the scheme', () => ({ authorization: 'Bearer' }), invalidToken, invalidToken],
  ['another scheme', () => ({ authorization: 'Basic YTpi' }), invalidToken, invalidToken],
  ['a token that was never issued', () => bearer('x'.repeat(200)), invalidToken, invalidToken],
];

const rowsWithToken: readonly Row<Tokens>[] = [
  ['a token followed by another', (tokens) => bearer(`${tokens.valid} x`), invalidToken, invalidToken],
  ['a revoked token', (tokens) => bearer(tokens.revoked), invalidToken, invalidToken],
  ['a token for the API', (tokens) => bearer(tokens['for the API']), invalidToken, invalidToken],
  ['a refresh token', (tokens) => bearer(tokens['refresh token']), invalidToken, invalidToken],
  ['the client ID', (tokens) => bearer(tokens['client ID']), invalidToken, invalidToken],
  [
    'a valid token in the query string',
    ({ valid }) => ({ query: `?access_token=${valid}` }),
    unauthenticated,
    unauthenticated,
  ],
  [
    'a token without the scope of the tool',
    (tokens) => bearer(tokens['without the scope']),
    insufficientScope,
    methodNotAllowed,
  ],
  ['a valid token', (tokens) => bearer(tokens.valid), calledTool, methodNotAllowed],
];

describe.each(['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const)(
  'revision %s',
  (revision) => {
    const expectOutcomes = async (
      credentials: Credentials,
      onPost: Outcome,
      onGetAndDelete: Outcome,
    ): Promise<void> => {
      await expectOutcome(await send(credentials, buildCall(revision)), onPost);
      for (const method of ['GET', 'DELETE'])
        await expectOutcome(
          await send(credentials, { ...buildCall(revision), method, body: null }),
          onGetAndDelete,
        );
    };

    it.each(rowsWithoutToken)('%s', async (_, carry, onPost, onGetAndDelete) => {
      await expectOutcomes(carry(), onPost, onGetAndDelete);
    });

    describe.each(registrations)('$name', (registration) => {
      it.each(rowsWithToken)('%s', async (_, carry, onPost, onGetAndDelete) => {
        await expectOutcomes(carry(findTokens(registration)), onPost, onGetAndDelete);
      });
    });

    it('discovery, with the revision in a header', async () => {
      const headers = { 'mcp-protocol-version': revision };
      const [resource, server] = await Promise.all(
        metadataPaths.map(async (path) => (await fetch(origin + path, { headers })).json()),
      );
      expect(resource).toMatchObject({ resource: mcpUrl, authorization_servers: [origin] });
      expect(server).toMatchObject({
        issuer: origin,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
        registration_endpoint: `${origin}/register`,
        token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
        scopes_supported: expect.arrayContaining(['words', 'score', 'offline_access']),
      });
    });

    it('a preflight, whatever the token', async () => {
      const given = findTokens(preRegistered);
      const credentials = [
        ...rowsWithoutToken.map(([, carry]) => carry()),
        ...rowsWithToken.map(([, carry]) => carry(given)),
      ];
      for (const carried of credentials)
        for (const method of ['POST', 'GET', 'DELETE']) {
          const { headers } = buildCall(revision);
          const response = await send(carried, {
            method: 'OPTIONS',
            headers: {
              origin: 'http://localhost:6274',
              'access-control-request-method': method,
              'access-control-request-headers': ['authorization', ...Object.keys(headers)].join(),
            },
          });
          expect([response.status, await response.text()]).toEqual([204, '']);
          expect(response.headers.get('access-control-allow-origin')).toBe('*');
          expect(readList(response, 'access-control-allow-methods')).toContain(method.toLowerCase());
          expect(readList(response, 'access-control-allow-headers')).toEqual(
            expect.arrayContaining([
              'authorization',
              'content-type',
              'mcp-protocol-version',
              'mcp-method',
              'mcp-name',
            ]),
          );
          expect(response.headers.get('www-authenticate')).toBeNull();
        }
    });
  },
);

/** The resource's (RFC 9728 §3.1) and the authorization server's (RFC 8414 §3). */
const metadataPaths = [
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
];

const readList = (response: Response, name: string): readonly string[] =>
  (response.headers.get(name) ?? '').toLowerCase().split(', ');

const expectOutcome = async (response: Response, { status, challenge, body }: Outcome): Promise<void> => {
  expect(response.status).toBe(status);
  expect(response.headers.get('www-authenticate')).toBe(
    challenge === undefined ? null : `Bearer realm="${origin}"${challenge}`,
  );
  expect(await response.json()).toEqual(body);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  expect(response.headers.get('mcp-session-id')).toBeNull();
};

interface Call extends RequestInit {
  readonly headers: Readonly<Record<string, string>>;
}

const send = ({ authorization, query = '' }: Credentials, { headers, ...init }: Call): Promise<Response> =>
  fetch(mcpUrl + query, {
    ...init,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
  });

/** Builds the request that reads the score. */
const buildCall = (revision: string): Call => {
  const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  const params = { name: 'get_score', arguments: {} };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
  switch (revision) {
    case '2025-03-26':
      // The header did not exist yet.
      return { method: 'POST', headers, body: JSON.stringify(message) };
    case '2026-07-28': {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': revision,
        'io.modelcontextprotocol/clientInfo': { name: 'conformance', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      return {
        method: 'POST',
        headers: {
          ...headers,
          'mcp-protocol-version': revision,
          'mcp-method': 'tools/call',
          'mcp-name': 'get_score',
        },
        body: JSON.stringify({ ...message, params: { ...params, _meta: meta } }),
      };
    }
    default:
      return {
        method: 'POST',
        headers: { ...headers, 'mcp-protocol-version': revision },
        body: JSON.stringify(message),
      };
  }
};

const obtainTokens = async ({ configure }: Registration): Promise<Tokens> => {
  const config = await configure();
  const signIn = (resource: string, scope: string) =>
    signInWithPkce(config, 'mcp-authorization', scope, resource);
  const { access_token: valid, refresh_token: refreshToken = '' } = await signIn(
    mcpUrl,
    'words score offline_access',
  );
  const { access_token: revoked } = await signIn(mcpUrl, 'words score');
  const tokens = {
    ...{ valid, revoked },
    'for the API': (await signIn(origin, 'words score')).access_token,
    'without the scope': (await signIn(mcpUrl, 'words')).access_token,
    'refresh token': refreshToken,
    'client ID': config.clientMetadata().client_id,
  };
  await tokenRevocation(config, revoked);
  const isRefused = async () => (await send(bearer(revoked), buildCall('2025-11-25'))).status === 401;
  // A revoked token may be accepted for up to ten seconds. The rest is for a busy machine.
  await vi.waitUntil(isRefused, { timeout: 60_000, interval: 500 });
  return tokens;
};

let obtained: ReadonlyMap<Registration, Tokens>;

const findTokens = (registration: Registration): Tokens => {
  const tokens = obtained.get(registration);
  if (tokens === undefined) throw new Error('There are no tokens.');
  return tokens;
};

beforeAll(async () => {
  obtained = new Map(
    await Promise.all(
      registrations.map(async (registration) => [registration, await obtainTokens(registration)] as const),
    ),
  );
});
