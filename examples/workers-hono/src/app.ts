/** A Hono app with an API, and the broker that signs in the users of its clients. */
import { waitUntil } from 'cloudflare:workers';
import { type AuthorizedCall, type BrokerOptions, createBroker, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { d1Storage } from 'assistant-auth/d1';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { Hono } from 'hono';

export interface Env {
  readonly DB: D1Database;
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
}

export type App = Hono<{ Variables: { auth: AuthorizedCall } }>;

/** Creates the app. The settings differ between development and production. */
export const createApp = (env: Env, settings: Pick<BrokerOptions, 'providers' | 'fetch'>): App => {
  const broker = createBroker({
    ...settings,
    issuer: env.ISSUER,
    sealingKeys: env.SEALING_KEYS,
    storage: d1Storage(env.DB),
    scopes: { hello: 'greet you' },
    clients: [
      // MCP clients, which register themselves or have a metadata document.
      mcpClients(),
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
    clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined,
    cleanupInterval: 3600,
    waitUntil,
  });

  const app: App = new Hono();
  // The broker's own paths, such as /authorize, /token and /account.
  app.use(async ({ req }, next) => (await broker.handle(req.raw)) ?? next());

  app.use('/api/*', async (context, next) => {
    // No page on another origin calls this API.
    const auth = await broker.protect(context.req.raw, { scopes: ['hello'], cors: 'off' });
    if (!auth.ok) return auth.response;
    context.set('auth', auth);
    context.header('cache-control', 'no-store');
    return next();
  });
  app.get('/api/hello', (context) => {
    const { user, client } = context.var.auth;
    return context.json({ user: user.id, client: client.id });
  });
  return app;
};
