/** An Express app with an API, and the broker that signs in the users of its clients. */
import { DatabaseSync } from 'node:sqlite';
import { type AuthorizedCall, type BrokerOptions, createBroker, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { publicFetch, sendResponse, toNodeHandler, toRequest } from 'assistant-auth/node';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import express, { type Express, type Response } from 'express';

/** What differs between development and production. */
export type Settings = Pick<
  BrokerOptions,
  'issuer' | 'sealingKeys' | 'providers' | 'fetch' | 'clientAddress'
>;

/** A response to a call whose access token is valid. */
type SignedInResponse = Response<unknown, { auth: AuthorizedCall }>;

export const createApp = async (settings: Settings): Promise<Express> => {
  // Only the user account of this process can read its new files: the database contains personal data.
  process.umask(0o077);
  const database = new DatabaseSync('auth.db');
  await migrate(database); // creates the tables, or updates them

  const broker = createBroker({
    ...settings,
    storage: sqliteStorage(database),
    scopes: { hello: 'greet you' },
    clients: [
      // MCP clients, which register themselves or have a metadata document.
      mcpClients({ fetch: publicFetch }),
      staticClient({
        id: 'my-client',
        name: 'My client',
        // The broker accepts any port for a loopback redirect URI (RFC 8252 §7.3).
        redirectUris: ['http://127.0.0.1/callback'],
        scopes: ['hello'],
      }),
    ],
    account: accountPages(),
    branding: { name: 'My API' },
    cleanupInterval: 3600,
  });

  const app = express();
  app.disable('x-powered-by');
  // Without this, Express sends stack traces to clients unless NODE_ENV is `production`.
  app.set('env', 'production');
  // The broker's own paths, such as /authorize, /token and /account. Must be before body parsers, cors() and
  // helmet().
  app.use(toNodeHandler(broker));

  app.use('/api', async (request, response, next) => {
    // No page on another origin calls this API.
    const auth = await broker.protect(toRequest(request, broker), { scopes: ['hello'], cors: 'off' });
    if (!auth.ok) return sendResponse(auth.response, response);
    response.locals.auth = auth;
    response.set('cache-control', 'no-store');
    next();
  });
  app.get('/api/hello', (_request, response: SignedInResponse) => {
    const { user, client } = response.locals.auth;
    response.json({ user: user.id, client: client.id });
  });
  return app;
};
