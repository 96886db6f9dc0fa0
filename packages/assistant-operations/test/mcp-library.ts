/** Serves the library over MCP, and sends messages of both protocol eras. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ApiDefinition } from '../src/index.ts';
import { type McpGuard, type McpHandlerOptions, mcpHandler, type Refusal } from '../src/mcp.ts';
import { library, type Shelf } from './library.ts';

export const url = 'https://library.example/mcp';

interface Reader {
  readonly ok: true;
  readonly scopes: readonly string[];
  readonly name: string;
}

/** Each call of the guard: the required scopes, the scopes for a challenge, and whether the body was unread. */
type GuardCall = readonly [scopes: readonly string[], challengeScopes: readonly string[], isUnread: boolean];

/**
 * Serves an API over MCP. The guard reads the name of the caller and the scopes of the token from the
 * `Authorization` header: `ada read rate`.
 */
export const createMcpLibrary = (
  overrides: Partial<McpHandlerOptions<Reader, Shelf>> = {},
  api: ApiDefinition<Shelf> = library,
) => {
  const guardCalls: GuardCall[] = [];
  const errors: (readonly [error: unknown, referenceId: string])[] = [];
  const refusals: Refusal[] = [];
  const contexts: string[] = [];
  const guard: McpGuard<Reader> = async (request, scopes, challengeScopes) => {
    guardCalls.push([scopes, challengeScopes, !request.bodyUsed]);
    const [name, ...granted] = request.headers.get('authorization')?.split(' ') ?? [];
    if (name === undefined) return refuse(401, challengeScopes);
    if (!scopes.every((scope) => granted.includes(scope))) return refuse(403, scopes);
    return { ok: true, scopes: granted, name };
  };
  const handle = mcpHandler(api, {
    url,
    serverInfo: { name: 'library', title: 'Library', version: '1.2.3' },
    guard,
    context: ({ name }): Shelf => {
      contexts.push(name);
      return { reader: name, books: ['Emma', 'Dracula'] };
    },
    instructions: 'List the books before you recommend one.',
    mapError: (error) =>
      error instanceof RangeError && error.message.startsWith('eve')
        ? { status: 503, detail: 'The library is closed.', headers: { 'retry-after': '7' } }
        : undefined,
    logError: (error, referenceId) => errors.push([error, referenceId]),
    onRefusal: (refusal) => refusals.push(refusal),
    createReferenceId: () => `reference-${errors.length + 1}`,
    ...overrides,
  });
  const send = (init: RequestInit, target = url) => handle(new Request(target, init));
  return { handle, send, guardCalls, errors, refusals, contexts };
};

const refuse = (status: number, scopes: readonly string[]) => ({
  ok: false as const,
  response: new Response(`refused: ${scopes.join(' ')}`, {
    status,
    headers: { 'www-authenticate': `Bearer scope="${scopes.join(' ')}"` },
  }),
});

export const eras = ['2025-11-25', '2026-07-28'] as const;

export type Era = (typeof eras)[number];

export const allScopes = 'ada read rate';

/** Builds the request for one message. */
export const buildMessage = (
  era: Era,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  authorization = allScopes,
): RequestInit => {
  const isModern = era === '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const { name } = params;
  return {
    method: 'POST',
    headers: {
      authorization,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': era,
      ...(isModern && { 'mcp-method': method }),
      ...(isModern && typeof name === 'string' && { 'mcp-name': name }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method,
      params: isModern ? { ...params, _meta: meta } : params,
    }),
  };
};

/** Builds the request that calls a tool. */
export const buildCall = (era: Era, name: string, input: unknown = {}, authorization?: string): RequestInit =>
  buildMessage(era, 'tools/call', { name, arguments: input }, authorization);

/** Sends a message and returns its `result`. */
export const readResult = async (response: Response): Promise<Record<string, unknown>> => {
  const { result } = await response.json<{ readonly result: Record<string, unknown> }>();
  return result;
};

/** Connects the client of the MCP SDK. */
export const connect = async (
  handle: (request: Request) => Promise<Response>,
  mode: 'legacy' | 'auto',
  authorization = allScopes,
): Promise<Client> => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: (input, init) => handle(new Request(input, init)),
    requestInit: { headers: { authorization } },
  });
  await client.connect(transport);
  return client;
};
