/** An Express app with an API and an MCP server, and the broker that signs in the users of their clients. */
import { DatabaseSync } from 'node:sqlite';
import { type AuthorizedCall, type BrokerOptions, createBroker, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { publicFetch, toNodeHandler } from 'assistant-auth/node';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { createHttpHandler } from 'assistant-operations';
import { mcpHandler } from 'assistant-operations/mcp';
import express, { type Express } from 'express';
import { api } from './api.ts';

/** What differs between development and production. */
export type Settings = Pick<
  BrokerOptions,
  'issuer' | 'sealingKeys' | 'providers' | 'fetch' | 'clientAddress'
>;

export const createApp = async (settings: Settings): Promise<Express> => {
  // Only the user account of this process can read its new files: the database contains personal data.
  process.umask(0o077);
  const database = new DatabaseSync('auth.db');
  await migrate(database); // creates the tables, or updates them

  const { issuer } = settings;
  const mcpUrl = `${issuer}/mcp`;
  const broker = createBroker({
    ...settings,
    storage: sqliteStorage(database),
    // A token is for one of these: for the API, or for the MCP server.
    resources: [issuer, mcpUrl],
    scopes: { account: 'see your user ID' },
    clients: [
      // ChatGPT, Claude and other MCP clients, which register themselves or have a metadata document.
      mcpClients({ fetch: publicFetch }),
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
    cleanupInterval: 3600, // seconds
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
  const handleApi = createHttpHandler(api, {
    basePath: '/api',
    guard: (request, scopes) => broker.protect(request, { scopes }),
    context,
    logError,
  });

  const app = express();
  app.disable('x-powered-by');
  // Without this, Express sends stack traces to clients unless NODE_ENV is `production`.
  app.set('env', 'production');
  // These read the body of a request themselves, and set their own CORS and security headers, so they must be
  // before body parsers, cors() and helmet(). The first one handles the broker's own paths, such as /authorize,
  // /token and /account.
  app.use(toNodeHandler(broker));
  app.use('/mcp', toNodeHandler({ issuer, handle: handleMcp }));
  app.use('/api', toNodeHandler({ issuer, handle: handleApi }));
  return app;
};
