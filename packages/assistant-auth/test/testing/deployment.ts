/** A broker whose users sign in at the fake provider, an API, and clients that share a clock. */
import {
  type BrokerOptions,
  createBroker,
  gptAction,
  type LogEntry,
  oidc,
  staticClient,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  createEmulatedClient,
  createFakeProvider,
  type EmulatedClientOptions,
  emulateGptAction,
  type FakeProviderOptions,
} from '../../src/testing/index.ts';

export const issuer = 'https://words.example';
export const acme = {
  issuer: 'https://id.example',
  clientId: 'words',
  clientSecret: 'secret: with % and + and =?'.replaceAll(' ', '_'),
} as const;
export const callback = `${issuer}/callback/acme`;
const redirectUri = 'https://app.example/callback';
const secret = 'client-secret-0123456789-0123456789-0123456789';

/** @param changes options of the broker, and of the fake provider */
export const deploy = (changes: Partial<BrokerOptions> = {}, provided: Partial<FakeProviderOptions> = {}) => {
  let time = 1_800_000_000;
  const now = () => time;
  const log: LogEntry[] = [];
  const createProvider = () =>
    createFakeProvider({ ...acme, now, fetch: () => Promise.reject(new Error('real request')), ...provided });
  let fakeProvider = createProvider();
  const scopes = ['score'];
  const broker = createBroker({
    ...{ issuer, now, storage: memoryStorage(), scopes: { score: 'see and increase your score' } },
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
    resources: [`${issuer}/api`, `${issuer}/mcp`],
    clients: [
      gptAction({ id: 'gpt', name: 'GPT', secrets: [secret], scopes }),
      staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes }),
      staticClient({ id: 'server', name: 'Server', redirectUris: [redirectUri], secrets: [secret], scopes }),
    ],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    log: ({ count: _, ...entry }) => void log.push(entry),
    fetch: (input, init) => fakeProvider.fetch(input, init),
    ...changes,
  });
  const requests: Request[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    requests.push(request.clone());
    const response = (await fakeProvider.handle(request)) ?? (await broker.handle(request));
    if (response !== undefined) return response;
    const auth = await broker.protect(request, { scopes, resource: new URL('/api', issuer).href });
    return auth.ok ? Response.json({ user: auth.user.id, client: auth.client.id }) : auth.response;
  };
  const shared = { issuer, fetch, origins: [acme.issuer] };
  return {
    ...{ broker, log, requests, fetch },
    readFakeProvider: () => fakeProvider,
    gpt: emulateGptAction({ ...shared, clientId: 'gpt', clientSecret: secret }),
    createClient: (options: Partial<EmulatedClientOptions> = {}) =>
      createEmulatedClient({
        ...{ ...shared, redirectUri, scope: 'score offline_access' },
        ...{ clientId: 'server', clientSecret: secret, ...options },
      }),
    advance(seconds: number) {
      time += seconds;
    },
    restartFakeProvider() {
      fakeProvider = createProvider();
    },
  };
};

/** Returns the form of a request. */
export const readForm = async (request: Request | undefined): Promise<URLSearchParams> =>
  new URLSearchParams(new TextDecoder().decode(await request?.clone().arrayBuffer()));
