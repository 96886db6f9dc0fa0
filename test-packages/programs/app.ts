/** A publisher's app: an API, the broker in front of it, and a fake provider. Every runtime runs it. */
import { type Broker, type BrokerStorage, createBroker, oidc, staticClient } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { generateKey } from 'assistant-auth/seal';
import { createFakeProvider, type FakeProvider } from 'assistant-auth/testing';
import { defineApi, defineOperation } from 'assistant-operations';
import { createHttpRoutes } from 'assistant-operations/hono';
import { Hono } from 'hono';
import * as v from 'valibot';

export const client = { clientId: 'cli', redirectUri: 'http://127.0.0.1/callback' } as const;

/** The path of the API, which requires this scope. */
export const apiPath = '/api/score';
export const scope = 'score';

/** A scope that the API does not require. */
export const otherScope = 'words';

export interface App {
  readonly broker: Broker;
  readonly fakeProvider: FakeProvider;
  /** Sets the app's clock forward. */
  advance(seconds: number): void;
}

export const createApp = (issuer: string, storage: BrokerStorage): App => {
  let offset = 0;
  const now = (): number => Math.floor(Date.now() / 1000) + offset;
  const acme = { issuer: `${issuer}/acme`, clientId: 'app', clientSecret: 'not-a-secret' };
  const fakeProvider = createFakeProvider({ ...acme, now });
  const broker = createBroker({
    issuer,
    sealingKeys: generateKey('k1'),
    storage,
    scopes: { [scope]: 'see your score', [otherScope]: 'see the words' },
    clients: [
      staticClient({
        ...{ id: client.clientId, name: 'CLI', redirectUris: [client.redirectUri] },
        scopes: [scope, otherScope],
      }),
    ],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    account: accountPages(),
    fetch: fakeProvider.fetch,
    now,
    log: (event) => console.error(JSON.stringify(event)),
  });
  const advance = (seconds: number): void => {
    offset += seconds;
  };
  return { broker, fakeProvider, advance };
};

const getScore = defineOperation({
  id: 'get_score',
  method: 'get',
  path: apiPath,
  summary: 'Get the score',
  description: 'Returns the score of the signed-in user.',
  scopes: [scope],
  isConsequential: false,
  input: v.strictObject({}),
  output: v.strictObject({ user: v.string() }),
  handle: async (_input, { user }: { readonly user: string }) => ({ user }),
});

/** Serves the app with Hono, as runtimes do whose servers take a `Request`. */
export const createHonoApp = ({ broker, fakeProvider }: App): Hono => {
  const hono = new Hono();
  hono.use(async ({ req }, next) => {
    const response = (await fakeProvider.handle(req.raw)) ?? (await broker.handle(req.raw));
    if (response !== undefined) return response;
    return next();
  });
  const routes = createHttpRoutes(defineApi([getScore]), {
    basePath: '/api',
    guard: (request, scopes) => broker.protect(request, { scopes }),
    context: ({ user }) => ({ user: user.id }),
    logError: console.error,
  });
  return hono.route('/', routes);
};
