/** Creates the app on a real D1, with a clock that tests advance, and with providers in this process. */
import { env } from 'cloudflare:workers';
import { gptAction, type IdentityProvider, type LogEntry } from 'assistant-auth';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { type App, createApp, type RuntimeOptions } from '../src/app.ts';
import type { Bindings } from '../src/bindings.ts';
import type { Config } from '../src/config.ts';
import { checkDocumentedResponse } from './documented-responses.ts';
import { type Call, gptSecret, origin, signInForTokens } from './flows.ts';

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
  configOverrides: Pick<Partial<Config>, 'auditRetention' | 'clients'> = {},
  bindingOverrides: Partial<Bindings> = {},
): Deployment => {
  const log: LogEntry[] = [];
  let currentTime = 1_800_000_000;
  const gpt = gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words', 'score'] });
  const config = {
    origin,
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
    clients: [gpt, mcpClients()],
    providers: [createProvider('google', 'Google'), createProvider('github', 'GitHub')],
    ...configOverrides,
  };
  const assets = {
    fetch: async (url: string) => new Response(`the file ${url}`, { headers: { 'x-from': 'assets' } }),
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
  const call: Call = async (path, { token, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const request = new Request(`${origin}${path}`, { redirect: 'manual', ...init, headers });
    const response = await app.fetch(request);
    await checkDocumentedResponse(app, request, response);
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
