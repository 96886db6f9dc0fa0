/** An Express app with an API and an MCP server, and the broker, which signs users in. */
import { DatabaseSync } from 'node:sqlite';
import { type AuthorizedCall, type BrokerOptions, createBroker } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { publicFetch, toNodeHandler } from 'assistant-auth/node';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { createHttpHandler } from 'assistant-operations';
import { mcpHandler } from 'assistant-operations/mcp';
import express, { type Express } from 'express';
import { api } from './api.ts';

/** What differs between development and production. */
export interface Settings
  extends Pick<
    BrokerOptions,
    'issuer' | 'sealingKeys' | 'clients' | 'providers' | 'fetch' | 'clientAddress'
  > {
  /** The path of the SQLite file, in a folder that exists. */
  readonly databaseFile: string;
}

export const createApp = async ({ databaseFile, ...settings }: Settings): Promise<Express> => {
  // Only the user account of this process can read its new files: the database contains personal data.
  process.umask(0o077);
  const database = new DatabaseSync(databaseFile);
  await migrate(database); // creates the tables, or updates them

  const { issuer, clients } = settings;
  const mcpUrl = `${issuer.replace(/\/$/, '')}/mcp`;
  const broker = createBroker({
    ...settings,
    storage: sqliteStorage(database),
    // A token is valid for only one of these: for the API, or for the MCP server.
    resources: [issuer, mcpUrl],
    // What users can allow a client to do. The sign-in page shows the descriptions.
    scopes: { account: 'see your user ID', dice: 'roll dice for you' },
    // MCP clients such as ChatGPT and Claude, which need no configuration, and the API clients.
    clients: [mcpClients({ fetch: publicFetch }), ...clients],
    account: accountPages(),
    branding: { name: 'My API' },
    cleanupInterval: 3600, // in seconds: a request deletes expired data at most this often
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
  // Before body parsers, cors() and helmet(): these handlers read bodies, and set such headers themselves.
  // The first one handles the broker's own paths, such as /authorize, /token and /account.
  app.use(toNodeHandler(broker));
  app.use('/mcp', toNodeHandler({ issuer, handle: handleMcp }));
  app.use('/api', toNodeHandler({ issuer, handle: handleApi }));
  return app;
};
