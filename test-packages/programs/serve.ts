/** Serves the app with a server of this runtime, runs the flow against it, and prints the outcome. */
import { createServer, type RequestListener, type Server } from 'node:http';
import process from 'node:process';
import { sendResponse, toNodeHandler, toRequest } from 'assistant-auth/node';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { type App, apiPath, createApp, createHonoApp, scope } from './app.ts';
import { runFlow } from './flow.ts';
import { openDatabase } from './open-database.ts';

const [framework, driver, file = ''] = process.argv.slice(2);
const database = await openDatabase(driver, file);
await migrate(database);
const storage = sqliteStorage(database);

/** Creates the handlers of the app for a server of Node. */
const createHandlers = ({ broker, fakeProvider }: App) => ({
  // Both in one handler, as an app without a fake provider has only one.
  endpoints: toNodeHandler({
    issuer: broker.issuer,
    handle: async (request, options) =>
      (await fakeProvider.handle(request)) ?? broker.handle(request, options),
  }),
  protect: (request: Parameters<typeof toRequest>[0]) =>
    broker.protect(toRequest(request, broker), { scopes: [scope] }),
});

const createListener = async (app: App): Promise<RequestListener> => {
  const { endpoints, protect } = createHandlers(app);
  switch (framework) {
    case 'node:http':
      return (request, response) =>
        endpoints(request, response, async (error) => {
          if (error !== undefined) throw error;
          const auth = await protect(request);
          if (!auth.ok) return sendResponse(auth.response, response);
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ user: auth.user.id }));
        });
    case 'express': {
      const { default: express } = await import('express');
      const server = express();
      server.use(endpoints);
      server.use(express.json());
      server.get(apiPath, async (request, response) => {
        const auth = await protect(request);
        if (!auth.ok) return sendResponse(auth.response, response);
        response.json({ user: auth.user.id });
      });
      return server;
    }
    case 'fastify': {
      const { default: createFastify } = await import('fastify');
      const server = createFastify();
      server.register(async (instance) => {
        instance.removeAllContentTypeParsers();
        instance.addContentTypeParser('*', (_request, _payload, done) => done(null));
        instance.all('/*', (request, reply) => {
          reply.hijack();
          endpoints(request.raw, reply.raw);
        });
      });
      server.get(apiPath, async (request, reply) => {
        const auth = await protect(request.raw);
        if (auth.ok) return { user: auth.user.id };
        reply.hijack();
        return sendResponse(auth.response, reply.raw);
      });
      await server.ready();
      return server.routing;
    }
    default:
      throw new Error(`unknown framework: ${framework}`);
  }
};

const runOnNodeServer = async (): Promise<object> => {
  const server = createServer();
  const issuer = await listen(server);
  const app = createApp(issuer, storage);
  server.on('request', await createListener(app));
  return runFlow({ issuer, advance: app.advance });
};

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('not listening on a port');
      resolve(`http://127.0.0.1:${address.port}`);
    });
  });

/** The servers of Bun and Deno take a `Request`. */
const runOnFetchServer = async (): Promise<object> => {
  let handle = async (_request: Request): Promise<Response> => new Response(null, { status: 503 });
  const options = { port: 0, hostname: '127.0.0.1' };
  const port =
    typeof Bun === 'undefined'
      ? Deno.serve({ ...options, onListen: () => {} }, (request) => handle(request)).addr.port
      : Bun.serve({ ...options, fetch: (request) => handle(request) }).port;
  const issuer = `http://127.0.0.1:${port}`;
  const app = createApp(issuer, storage);
  const { fetch } = createHonoApp(app);
  handle = async (request) => fetch(request);
  return runFlow({ issuer, advance: app.advance });
};

console.log(JSON.stringify(await (framework === 'hono' ? runOnFetchServer() : runOnNodeServer())));
process.exit(); // The server would keep the process running.
