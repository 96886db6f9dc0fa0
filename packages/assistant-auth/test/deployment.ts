/** A deployment for tests: a broker in memory with a manual clock, two providers, and each kind of client. */

import { accountPages, accountStorage } from '../src/account/index.ts';
import { createRoutes } from '../src/broker.ts';
import { resolveOptions } from '../src/config.ts';
import {
  type BrokerOptions,
  createBroker,
  gptAction,
  type Limits,
  type LogEntry,
  staticClient,
} from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { createProvider } from './fake-provider.ts';
import { createRefusalCheck } from './refusals.ts';

export const issuer = 'https://words.example';
export const keys = 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';
export const gptSecret = 'gpt-secret-0123456789-0123456789-0123456789';
export const serverSecret = 'server-secret-0123456789-0123456789-01234567';
export const gptRedirect = 'https://chat.openai.com/aip/g-1234567890abcdef1234567890abcdef/oauth/callback';

/** The parameter of the challenges of {@link deploy}'s default resource (RFC 9728 §5.1). */
export const metadataParameter =
  'resource_metadata="https://words.example/.well-known/oauth-protected-resource/api"';

export const clients = [
  gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words', 'score'] }),
  staticClient({
    id: 'app',
    name: 'A public app',
    redirectUris: ['https://app.example/callback'],
    scopes: ['words', 'score'],
    defaultScopes: ['words'],
  }),
  staticClient({
    id: 'server',
    name: 'A confidential server',
    redirectUris: ['https://server.example/cb', 'https://server.example/cb2?tenant=1'],
    secrets: [serverSecret],
    offlineAccess: 'always',
    scopes: ['words', 'score'],
  }),
  staticClient({
    id: 'native',
    name: 'A native app',
    redirectUris: ['http://127.0.0.1/callback'],
    scopes: ['words'],
  }),
] as const;

/** Limits per user and per grant that no test reaches, for tests that are not about limits. */
export const highUserLimits: Partial<Limits> = {
  refreshesPerGrant: { take: async () => 'allowed' },
  signInsPerUser: { limit: 1000, period: 600 },
};

/**
 * Creates a broker, and gives access to its endpoints, storage, log and clock. Every request to it checks that its
 * refusal, if any, is logged exactly once.
 */
export const deploy = (changes: Partial<BrokerOptions> = {}, { hasAccountPage = true } = {}) => {
  const log: LogEntry[] = [];
  const refusalCheck = createRefusalCheck();
  let instant = 1_800_000_000;
  const background: Promise<void>[] = [];
  const storage = accountStorage(changes.storage ?? memoryStorage());
  const options: BrokerOptions = {
    issuer,
    sealingKeys: keys,
    scopes: { words: 'read the word lists', score: 'see and increase your score' },
    resources: [`${issuer}/api`, `${issuer}/other`],
    clients,
    providers: [createProvider('google', 'Google'), createProvider('other', 'Other')],
    storage,
    ...(hasAccountPage && { account: accountPages() }),
    now: () => instant,
    sleep: async () => undefined,
    waitUntil: (work) => void background.push(work),
    ...changes,
    log: (entry) => {
      refusalCheck.record(entry);
      if (changes.log !== undefined) return changes.log(entry);
      // Counts are omitted, because they depend on all earlier lines.
      const { count: _, ...line } = entry;
      log.push(line);
    },
  };
  const broker = refusalCheck.wrap(createBroker(options));
  const fetch = async (request: Request): Promise<Response> => {
    const response = await broker.handle(request);
    if (response === undefined) throw new Error(`no endpoint has the path of ${request.url}`);
    return response;
  };
  return {
    issuer: changes.issuer ?? issuer,
    broker,
    storage,
    log,
    fetch,
    paths: listPaths(options),
    now: () => instant,
    /** Waits for the work that was passed to `waitUntil`. */
    flushBackgroundWork: () => Promise.all(background),
    advance(seconds: number) {
      instant += seconds;
    },
  };
};

/** Lists the paths of all endpoints. One that ends in `/` stands for every path below it. */
export const listPaths = (options: BrokerOptions): readonly string[] => [
  ...createRoutes(resolveOptions(options), options.account).keys(),
];

export type Deployment = ReturnType<typeof deploy>;
