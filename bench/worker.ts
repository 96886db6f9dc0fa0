/**
 * The Worker under test. It has three routes with the same body (open, guarded by the broker, and guarded by
 * a plain decryption), routes that only decrypt or only call the seal's `open`, all of the broker's endpoints,
 * and the game.
 */
import { createBroker, gptAction } from 'assistant-auth';
import { openBaselineToken, sealBaselineToken } from './baseline.ts';
import { callByHand, createGame } from './game.ts';
import { instantProvider } from './instant-provider.ts';
import { decryptRepeatedly, openRepeatedly } from './repeated.ts';
import { operationPath, queries } from './routes.ts';
import { d1Storage } from './shared-storage.ts';

interface Environment {
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
  readonly CLIENT_SECRET: string;
}

const worker = {
  async fetch(request: Request, env: Environment): Promise<Response> {
    broker ??= createBenchBroker(env);
    const path = request.url.slice(env.ISSUER.length);
    if (path.endsWith(queries.game)) {
      game ??= createGame(env.ISSUER, env.SEALING_KEYS, env.CLIENT_SECRET);
      return game.fetch(request);
    }
    switch (path) {
      case '/open':
        return createResponse();
      case '/guarded': {
        const result = await broker.protect(request, { scopes: ['words'] });
        return result.ok ? createResponse() : result.response;
      }
      case operationPath + queries.bare:
        return callByHand(broker, request);
      case '/baseline':
        return (await openBaselineToken(request)).scopes.includes('words')
          ? createResponse()
          : new Response('', { status: 401 });
      case '/baseline-token':
        return new Response(await sealBaselineToken());
      default:
        return path.includes('?times=') ? runRepeated(new URL(request.url)) : broker.fetch(request);
    }
  },
};
export default worker;

const createBenchBroker = (env: Environment) =>
  createBroker({
    issuer: env.ISSUER,
    sealingKeys: env.SEALING_KEYS,
    scopes: { words: 'read the word lists', score: 'see and increase your score' },
    clients: [
      gptAction({ id: 'gpt', name: 'GPT', secrets: [env.CLIENT_SECRET], scopes: ['words', 'score'] }),
    ],
    providers: [instantProvider],
    storage: d1Storage(),
    // The measurement refreshes one grant repeatedly.
    limits: { refreshesPerGrant: { take: async () => 'allowed' } },
    log: () => undefined,
  });

let broker: ReturnType<typeof createBenchBroker> | undefined;
let game: ReturnType<typeof createGame> | undefined;

const body = JSON.stringify(Array.from({ length: 50 }, (_, index) => `animal-${index}`));

const createResponse = (): Response =>
  new Response(body, { headers: { 'content-type': 'application/json' } });

/** The routes that repeat an operation `times` times. */
const runRepeated = async ({ pathname, searchParams }: URL): Promise<Response> => {
  const times = Number(searchParams.get('times'));
  switch (pathname) {
    case '/idle':
      return createResponse();
    case '/decrypt':
      await decryptRepeatedly(times);
      return createResponse();
    case '/unseal':
      await openRepeatedly(times);
      return createResponse();
    default:
      return new Response(null, { status: 404 });
  }
};
