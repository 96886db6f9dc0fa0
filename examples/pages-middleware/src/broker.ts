/** Configures the broker of this project: the clients that can call its API, and the provider for sign-in. */

import { waitUntil } from 'cloudflare:workers';
import { type Broker, createBroker, google, gptAction } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { d1Storage } from 'assistant-auth/d1';
import { mcpClients } from 'assistant-auth/mcp-clients';

export interface Env {
  readonly DB: D1Database;
  readonly ISSUER: string;
  readonly SEALING_KEYS: string;
  readonly GPT_CLIENT_SECRET: string;
  readonly GOOGLE_CLIENT_ID: string;
  readonly GOOGLE_CLIENT_SECRET: string;
  /** For tests only: the URL of an emulation of Google. */
  readonly GOOGLE_BASE_URL?: string;
}

/** The broker of this isolate. There is one, because it caches derived keys and revocations. */
let broker: Broker | undefined;

export const getBroker = (env: Env): Broker => {
  broker ??= createBroker({
    issuer: env.ISSUER,
    sealingKeys: env.SEALING_KEYS,
    scopes: { hello: 'greet you' },
    clients: [
      // MCP clients, which register themselves or have a metadata document.
      mcpClients(),
      gptAction({ id: 'my-gpt', name: 'My GPT', secrets: [env.GPT_CLIENT_SECRET], scopes: ['hello'] }),
    ],
    providers: [
      google({
        clientId: env.GOOGLE_CLIENT_ID,
        clientSecret: env.GOOGLE_CLIENT_SECRET,
        ...(env.GOOGLE_BASE_URL !== undefined && { baseUrl: env.GOOGLE_BASE_URL }),
      }),
    ],
    storage: d1Storage(env.DB),
    account: accountPages(),
    clientAddress: ({ headers }) => headers.get('cf-connecting-ip') ?? undefined,
    // Pages has no scheduled handlers, so writes start the cleanup.
    cleanupInterval: 3600,
    waitUntil,
  });
  return broker;
};
