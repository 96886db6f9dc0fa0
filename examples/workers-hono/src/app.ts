/** A Hono app with an API and an MCP server, and the broker, which signs users in. */
import { waitUntil } from 'cloudflare:workers';
import { type AuthorizedCall, type BrokerOptions, createBroker } from 'assistant-auth';
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

/** What differs between development and production. */
export type Settings = Pick<BrokerOptions, 'clients' | 'providers' | 'fetch'>;

export const createApp = (env: Env, { clients, ...settings }: Settings): Hono => {
  const issuer = env.ISSUER;
  const mcpUrl = `${issuer.replace(/\/$/, '')}/mcp`;

  const broker = createBroker({
    ...settings,
    issuer,
    sealingKeys: env.SEALING_KEYS,
    storage: d1Storage(env.DB),
    // A token is valid for only one of these: for the API, or for the MCP server.
    resources: [issuer, mcpUrl],
    // What users can allow a client to do. The sign-in page shows the descriptions.
    scopes: { account: 'see your user ID', dice: 'roll dice for you' },
    // MCP clients such as ChatGPT and Claude, which need no configuration, and the API clients.
    clients: [mcpClients(), ...clients],
    account: accountPages(),
    branding: { name: 'My API' },
    clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined,
    cleanupInterval: 3600, // in seconds: a request deletes expired data at most this often
    waitUntil,
  });

  /** What the handlers of the operations know about the caller. */
  const context = ({ user }: AuthorizedCall) => ({ userId: user.id });
  const logError = console.error;

  const handleMcp = mcpHandler(api, {
    url: mcpUrl,
    serverInfo: { name: 'my-api', title: 'My API', version: '1.0.0' },
    instructions: 'Roll a die whenever the user needs a random number.',
    // A 401 response names the scopes of all tools, so that the client requests them.
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
