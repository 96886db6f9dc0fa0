/**
 * The Worker for the MCP scenarios: one operation, as a tool of an MCP endpoint with and without
 * authentication, as a guarded route, and as a tool of the MCP SDK alone.
 */
import { createBroker, gptAction } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { createHttpRoutes } from 'assistant-operations/hono';
import { type McpGuard, type McpGuardAcceptance, mcpHandler } from 'assistant-operations/mcp';
import { Hono } from 'hono';
import { instantProvider } from '../instant-provider.ts';
import { api } from './list-words.ts';
import { serveWithSdk, serveWithTunedSdk } from './sdk-servers.ts';

interface Environment {
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
  readonly CLIENT_SECRET: string;
}

const worker = {
  async fetch(request: Request, env: Environment): Promise<Response> {
    routes ??= createRoutes(env);
    return routes.fetch(request);
  },
};
export default worker;

const createRoutes = ({ ISSUER, SEALING_KEYS, CLIENT_SECRET }: Environment): Hono => {
  const resource = `${ISSUER}/mcp`;
  const broker = createBroker({
    issuer: ISSUER,
    resources: [ISSUER, resource],
    sealingKeys: SEALING_KEYS,
    scopes: { words: 'read the word lists', score: 'see and increase your score' },
    clients: [gptAction({ id: 'gpt', name: 'GPT', secrets: [CLIENT_SECRET], scopes: ['words', 'score'] })],
    providers: [instantProvider],
    storage: memoryStorage(),
    log: () => undefined,
  });
  const createEndpoint = (guard: McpGuard<McpGuardAcceptance>) =>
    mcpHandler(api, {
      url: resource,
      serverInfo: { name: 'bench', version: '1.0.0' },
      guard,
      context: () => undefined,
      instructions: 'Lists words.',
      logError,
    });
  const handleGuarded = createEndpoint((request, scopes) => broker.protect(request, { resource, scopes }));
  const handleUnguarded = createEndpoint(async () => ({ ok: true, scopes: ['words'] }));
  return new Hono()
    .get('/open', () => new Response('{}'))
    .post('/mcp', ({ req }) => handleGuarded(req.raw))
    .post('/unguarded', ({ req }) => handleUnguarded(req.raw))
    .post('/sdk', ({ req }) => serveWithSdk(req.raw))
    .post('/tuned-sdk', ({ req }) => serveWithTunedSdk(req.raw))
    .route(
      '/',
      createHttpRoutes(api, {
        basePath: '/api',
        guard: (request, scopes) => broker.protect(request, { scopes }),
        context: () => undefined,
        logError,
      }),
    )
    .all('*', ({ req }) => broker.fetch(req.raw));
};

const logError = (error: unknown): void => console.error(String(error));

let routes: Hono | undefined;
