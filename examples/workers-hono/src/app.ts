/** A Hono app with an API and an MCP server, and the broker that signs in the users of their clients. */
import { waitUntil } from 'cloudflare:workers';
import { type AuthorizedCall, type BrokerOptions, createBroker, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { d1Storage } from 'assistant-auth/d1';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { createHttpRoutes } from 'assistant-operations/hono';
import { mcpHandler } from 'assistant-operations/mcp';
import { Hono } from 'hono';
import { api } from './api.ts';

export interface Env {
  readonly DB: D1Database;
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
}

/** Creates the app. The settings differ between development and production. */
export const createApp = (env: Env, settings: Pick<BrokerOptions, 'providers' | 'fetch'>): Hono => {
  const issuer = env.ISSUER;
  const mcpUrl = `${issuer}/mcp`;

  const broker = createBroker({
    ...settings,
    issuer,
    sealingKeys: env.SEALING_KEYS,
    storage: d1Storage(env.DB),
    // A token is for one of these: for the API, or for the MCP server.
    resources: [issuer, mcpUrl],
    scopes: { account: 'see your user ID' },
    clients: [
      // ChatGPT, Claude and other MCP clients, which register themselves or have a metadata document.
      mcpClients(),
      // A client of the API.
      staticClient({
        id: 'my-client',
        name: 'My client',
        // The broker accepts any port for a loopback redirect URI (RFC 8252 §7.3).
        redirectUris: ['http://127.0.0.1/callback'],
        scopes: ['account'],
      }),
    ],
    account: accountPages(),
    branding: { name: 'My API' },
    clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined,
    cleanupInterval: 3600, // seconds
    waitUntil,
  });

  /** What the handlers of the operations get to know about the caller. */
  const context = ({ user }: AuthorizedCall) => ({ userId: user.id });
  const logError = console.error;

  const handleMcp = mcpHandler(api, {
    url: mcpUrl,
    serverInfo: { name: 'my-api', title: 'My API', version: '1.0.0' },
    instructions: 'Call who_am_i to find out who the user is.',
    guard: (request, scopes, challengeScopes) =>
      broker.protect(request, { resource: mcpUrl, scopes, challengeScopes }),
    // ChatGPT asks the user for a missing scope only if the result of the tool reports it.
    reportsMissingScopeInResult: ({ client }) => client.isChatGptMcpClient,
    context,
    logError,
  });

  const app = new Hono();
  // The broker's own paths, such as /authorize, /token and /account.
  app.use(async ({ req }, next) => (await broker.handle(req.raw)) ?? next());
  app.all('/mcp', ({ req }) => handleMcp(req.raw));
  app.route(
    '/',
    createHttpRoutes(api, {
      basePath: '/api',
      guard: (request, scopes) => broker.protect(request, { scopes }),
      context,
      logError,
    }),
  );
  return app;
};
