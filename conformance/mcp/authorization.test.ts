/**
 * Tests what the MCP endpoint responds to each kind of token (RFC 6750 §3, RFC 9728 §5.1), by method and by
 * revision of the protocol.
 */
import { None, tokenRevocation } from 'openid-client';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { discover, signInWithPkce } from '../openid-client.ts';

const { origin, publicClientId } = inject('system');
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
    result: expect.objectContaining({ structuredContent: { score: expect.any(Number) } }),
  },
};

type TokenName = 'valid' | 'revoked' | 'for the API' | 'without the scope';

/** How a request carries a token. */
interface Credentials {
  readonly authorization?: string;
  readonly query?: string;
}

type Row = readonly [
  name: string,
  carry: (tokens: Readonly<Record<TokenName, string>>) => Credentials,
  onPost: Outcome,
  onGetAndDelete: Outcome,
];

const bearer = (token: string): Credentials => ({ authorization: `Bearer ${token}` });

/** The POST request calls a tool that requires the scope `score`. */
const rows: readonly Row[] = [
  ['no token', () => ({}), unauthenticated, unauthenticated],
  ['no token after the scheme', () => ({ authorization: 'Bearer' }), invalidToken, invalidToken],
  ['another scheme', () => ({ authorization: 'Basic YTpi' }), invalidToken, invalidToken],
  ['a token that was never issued', () => bearer('x'.repeat(200)), invalidToken, invalidToken],
  ['a token followed by another', (tokens) => bearer(`${tokens.valid} x`), invalidToken, invalidToken],
  ['a revoked token', (tokens) => bearer(tokens.revoked), invalidToken, invalidToken],
  ['a token for the API', (tokens) => bearer(tokens['for the API']), invalidToken, invalidToken],
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
    it.each(rows)('%s', async (_, carry, onPost, onGetAndDelete) => {
      const credentials = carry(tokens);
      await expectOutcome(await send(credentials, buildCall(revision)), onPost);
      for (const method of ['GET', 'DELETE'])
        await expectOutcome(
          await send(credentials, { ...buildCall(revision), method, body: null }),
          onGetAndDelete,
        );
    });

    it('a preflight, whatever the token', async () => {
      for (const [, carry] of rows)
        for (const method of ['POST', 'GET', 'DELETE']) {
          const { headers } = buildCall(revision);
          const response = await send(carry(tokens), {
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

let tokens: Readonly<Record<TokenName, string>>;

beforeAll(async () => {
  const config = await discover(publicClientId, None());
  const obtainToken = async (resource: string, scope: string): Promise<string> =>
    (await signInWithPkce(config, 'mcp-authorization', scope, resource)).access_token;
  tokens = {
    valid: await obtainToken(mcpUrl, 'words score'),
    revoked: await obtainToken(mcpUrl, 'words score'),
    'for the API': await obtainToken(origin, 'words score'),
    'without the scope': await obtainToken(mcpUrl, 'words'),
  };
  await tokenRevocation(config, tokens.revoked);
  const isRefused = async () => (await send(bearer(tokens.revoked), buildCall('2025-11-25'))).status === 401;
  // A revoked token may be accepted for up to ten seconds. The rest is for a busy machine.
  await vi.waitUntil(isRefused, { timeout: 60_000, interval: 500 });
});
