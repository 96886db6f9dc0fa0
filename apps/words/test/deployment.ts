/** Creates the app on a real D1, with a clock that tests advance, and with providers in this process. */
import { env } from 'cloudflare:workers';
import { gptAction, type IdentityProvider, type LogEntry } from 'assistant-auth';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { expect } from 'vitest';
import roundView from '../public/views/round.html?raw';
import { type App, createApp, type RuntimeOptions } from '../src/app.ts';
import type { Bindings } from '../src/bindings.ts';
import type { Config } from '../src/config.ts';
import { checkDocumentedResponse } from './documented-responses.ts';
import { type Call, gptSecret, origin, signInForTokens } from './flows.ts';
import { readWordListFile } from './word-list-files.ts';

export { origin };

/** Creates a provider whose `code` is the user's subject. Every recheck succeeds. */
const createProvider = (id: string, displayName: string): IdentityProvider => ({
  id,
  displayName,
  subjectNamespace: 'https://provider.example',
  configuredUrls: ['https://provider.example'],
  responseMode: 'query',
  revokedErrors: [],
  recheckInterval: 600,
  validateRefreshToken: async () => ({ kind: 'active' }),
  authorizationUrl: async ({ state }) => new URL(`https://provider.example/?state=${state}`),
  handleCallback: async (callbackUrl) => {
    const subject = callbackUrl.searchParams.get('code') ?? 'nobody';
    const refreshToken = subject.startsWith('rechecked')
      ? { refreshToken: `upstream-token-of-${subject}` }
      : {};
    return { provider: id, subject, emailVerified: false, claims: {}, ...refreshToken };
  },
});

/** Returns whether a response refuses its request, or redirects to a client with an error. */
const isRefusal = ({ status, headers }: Response): boolean =>
  status >= 400 || URL.parse(headers.get('location') ?? '')?.searchParams.has('error') === true;

export interface Deployment {
  readonly app: App;
  readonly log: readonly LogEntry[];
  readonly call: Call;
  /** Signs a user in through ChatGPT. */
  signIn(subject: string, scope?: string): Promise<string>;
  advance(seconds: number): void;
}

/**
 * Creates a deployment.
 * @param runtimeOptions options of `createApp` except the clock and the log
 * @param configOverrides replaces parts of the configuration
 * @param bindingOverrides replaces or adds bindings
 */
export const deploy = (
  db: D1Database = env.DB,
  runtimeOptions: RuntimeOptions = {},
  configOverrides: Pick<Partial<Config>, 'auditRetention' | 'clients' | 'publisher'> = {},
  bindingOverrides: Partial<Bindings> = {},
): Deployment => {
  const log: LogEntry[] = [];
  let currentTime = 1_800_000_000;
  const gpt = gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words', 'score'] });
  const config = {
    origin,
    publisher: { name: 'Example Games', contactEmail: 'help@words.example' },
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
    dailySecret: Uint8Array.from({ length: 32 }, (_, index) => index),
    clients: [gpt, mcpClients()],
    providers: [createProvider('google', 'Google'), createProvider('github', 'GitHub')],
    ...configOverrides,
  };
  const assets = {
    fetch: async (url: string) => {
      const { pathname } = new URL(url);
      if (pathname === '/views/round') return new Response(roundView);
      const file = new Response(`the file ${url}`, { headers: { 'x-from': 'assets' } });
      return readWordListFile(pathname) ?? file;
    },
  };
  const app = createApp(
    config,
    { db, assets, ...bindingOverrides },
    {
      ...runtimeOptions,
      now: () => currentTime,
      log: ({ count: _, ...entry }) => void log.push(entry),
    },
  );
  let [running, started] = [0, 0];
  /** Sends a request, and checks that its refusal, if any, is logged once. */
  const send = async (request: Request): Promise<Response> => {
    const isAlone = running === 0;
    const [number, before] = [++started, log.length];
    running += 1;
    const response = await app.fetch(request);
    running -= 1;
    // The refusals of requests at the same time cannot be told apart.
    if (isAlone && started === number) {
      const refusals = log.slice(before).filter(({ event }) => event === 'refused');
      // An error in an MCP message has status 200.
      if (isRefusal(response)) expect(refusals).toHaveLength(1);
      else expect(refusals.length).toBeLessThanOrEqual(1);
    }
    return response;
  };
  const call: Call = async (path, { token, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const request = new Request(`${origin}${path}`, { redirect: 'manual', ...init, headers });
    const response = await send(request);
    await checkDocumentedResponse(request, response);
    return response;
  };
  return {
    app,
    log,
    call,
    signIn: async (subject, scope) => (await signInForTokens(call, subject, scope)).access_token,
    advance: (seconds) => {
      currentTime += seconds;
    },
  };
};
