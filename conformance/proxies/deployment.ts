/** A broker on Node with SQLite behind a proxy that terminates TLS, and its client and provider. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type BrokerOptions, createBroker, oidc, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { sendResponse, toNodeHandler, toRequest } from 'assistant-auth/node';
import { generateKey } from 'assistant-auth/seal';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { createEmulatedClient, createFakeProvider } from 'assistant-auth/testing';
import { createCertificates } from './certificates.ts';
import { createHttpsFetch, type ProxyName, startProxy } from './proxy.ts';

const hostname = 'api.example';
/** Long, because the cookie of a sign-in contains it. */
export const redirectUri = `https://app.example/callback/${'a'.repeat(200)}`;

/** A request as the server behind the proxy received it. */
interface ReceivedRequest {
  readonly path: string;
  /** The `Cookie` header; empty if there was none. */
  readonly cookie: string;
}

interface DeployOptions {
  /** Changes the configuration of the proxy that the docs show. */
  readonly change?: (documented: string) => string;
  /** Whether the issuer has the port of the proxy. Default: it has none, as in production. */
  readonly hasPort?: boolean;
}

/** Starts the broker and the proxy. */
export const deploy = async (name: ProxyName, { change, hasPort = false }: DeployOptions = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'proxies-'));
  const database = new DatabaseSync(join(folder, 'auth.db'));
  await migrate(database);
  const received: ReceivedRequest[] = [];
  const countedKeys: string[] = [];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const certificates = await createCertificates(folder, hostname);
  const proxy = await startProxy(name, {
    ...{ folder, backendPort: address.port, certificates },
    ...(change !== undefined && { change }),
  });
  const issuer = hasPort ? `https://${hostname}:${proxy.port}` : `https://${hostname}`;
  const acme = { issuer: 'https://id.example', clientId: 'words', clientSecret: 'not-a-secret' };
  const provider = createFakeProvider(acme);
  const options: BrokerOptions = {
    issuer,
    sealingKeys: generateKey('k1'),
    storage: sqliteStorage(database),
    scopes: { score: 'see your score' },
    clients: [staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes: ['score'] })],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    account: accountPages(),
    fetch: provider.fetch,
    limits: { pageRequests: { take: async (key) => (countedKeys.push(key) > 0 ? 'allowed' : 'limited') } },
    clientAddress: ({ headers }) => headers.get('x-real-ip') ?? undefined,
    log: () => {},
  };
  const broker = createBroker(options);
  const handler = toNodeHandler(broker);
  server.on('request', (request, response) => {
    received.push({ path: request.url ?? '', cookie: request.headers.cookie ?? '' });
    handler(request, response, async (error) => {
      if (error !== undefined) return response.destroy();
      const auth = await broker.protect(toRequest(request, broker), { scopes: ['score'] });
      return sendResponse(auth.ok ? Response.json({ user: auth.user.id }) : auth.response, response);
    });
  });
  const send = createHttpsFetch(proxy, certificates, hostname);
  const fetch = async (request: Request): Promise<Response> =>
    (await provider.handle(request)) ?? send(request);
  return {
    ...{ issuer, acme, received, countedKeys, fetch },
    backendPort: address.port,
    httpPort: proxy.httpPort,
    origins: [acme.issuer, issuer],
    client: createEmulatedClient({
      ...{ issuer, clientId: 'app', redirectUri, scope: 'score offline_access', fetch },
      origins: [acme.issuer],
    }),
    async stop() {
      await proxy.stop();
      server.closeAllConnections();
      server.close();
      database.close();
      await rm(folder, { recursive: true });
    },
  };
};
