/** The production Worker, with Google as the provider. */
import { google } from 'assistant-auth';
import type { Hono } from 'hono';
import { createApp, type Env } from './app.ts';

interface ProductionEnv extends Env {
  readonly GOOGLE_CLIENT_ID: string;
  readonly GOOGLE_CLIENT_SECRET: string;
}

/** Created once for each instance of the Worker, because it caches keys and which grants were revoked. */
let app: Hono | undefined;

export default {
  fetch: (request, env) => {
    const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret } = env;
    // Throws an error that names the option if a value is missing or malformed, so no request is served.
    app ??= createApp(env, {
      clients: [], // API clients; MCP clients need no entry here
      providers: [google({ clientId, clientSecret })],
    });
    return app.fetch(request);
  },
} satisfies ExportedHandler<ProductionEnv>;
