/**
 * The Worker under test: one body behind three doors — open, guarded by the broker, and behind a bare decryption; decryption and
 * the seal's `open` by themselves; and everything that the broker mounts.
 */
import { createBroker, gptAction, type IdentityProvider } from 'assistant-auth';
import { memoryLedger } from 'assistant-auth/memory';
import { decryptOften, unsealOften } from './repeated.ts';
import { openSketch, sealSketch } from './sketch.ts';

interface Environment {
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
  readonly CLIENT_SECRET: string;
}

const worker = {
  async fetch(request: Request, env: Environment): Promise<Response> {
    broker ??= compose(env);
    switch (request.url.slice(env.ISSUER.length)) {
      case '/open':
        return answer();
      case '/guarded': {
        const protection = await broker.protect(request, { scopes: ['words'] });
        return protection.kind === 'granted' ? answer() : protection.response;
      }
      case '/sketch':
        return (await openSketch(request)).scopes.includes('words')
          ? answer()
          : new Response('', { status: 401 });
      case '/sketch-token':
        return new Response(await sealSketch());
      default:
        return repeat(new URL(request.url)) ?? ask(request, broker);
    }
  },
};
// biome-ignore lint/style/noDefaultExport: workerd demands one
export default worker;

const compose = (env: Environment) =>
  createBroker({
    issuer: env.ISSUER,
    sealingKeys: env.SEALING_KEYS,
    scopes: { words: 'read the word lists', score: 'see and raise your score' },
    clients: [
      gptAction({ id: 'gpt', name: 'GPT', secrets: [env.CLIENT_SECRET], scopes: ['words', 'score'] }),
    ],
    providers: [instantly],
    ledger: memoryLedger(),
    log: () => undefined,
  });

/** Vouches for the same person at once. */
const instantly: IdentityProvider = {
  id: 'instantly',
  label: 'Instantly',
  configuredUrls: [],
  answersBy: 'query',
  gone: [],
  checkEvery: 600,
  check: async () => ({ kind: 'alive' }),
  authorizationUrl: async ({ redirectUri, state }) =>
    new URL(`${redirectUri}?${new URLSearchParams({ state })}`),
  identify: async () => ({ provider: 'instantly', subject: 'ada', emailVerified: true, claims: {} }),
};

let broker: ReturnType<typeof compose> | undefined;

const body = JSON.stringify(Array.from({ length: 50 }, (_, at) => `animal-${at}`));

const answer = (): Response => new Response(body, { headers: { 'content-type': 'application/json' } });

/** The doors that do one thing `times` times. */
const repeat = ({ pathname, searchParams }: URL): Promise<Response> | undefined => {
  const times = Number(searchParams.get('times'));
  switch (pathname) {
    case '/idle':
      return Promise.resolve(answer());
    case '/decrypt':
      return decryptOften(times).then(answer);
    case '/unseal':
      return unsealOften(times).then(answer);
    default:
      return undefined;
  }
};

const ask = async (request: Request, { routes }: ReturnType<typeof compose>): Promise<Response> => {
  const { pathname } = new URL(request.url);
  const route = routes.find(({ path }) =>
    path.endsWith('/*') ? pathname.startsWith(path.slice(0, -1)) : path === pathname,
  );
  return route?.endpoint(request) ?? new Response('', { status: 404 });
};
