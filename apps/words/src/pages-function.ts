/**
 * The entry point of the Pages Function. On Pages, the environment is passed with each request, and there are
 * no cron triggers for the cleanup.
 */
import { waitUntil } from 'cloudflare:workers';
import { type App, createApp } from './app.ts';
import { readBindings } from './bindings.ts';
import type { Environment } from './config/variables.ts';
import { readConfig } from './config.ts';

/** The part of the Pages Function context that is used here. */
interface FunctionContext {
  readonly request: Request;
  readonly env: Environment;
}

/** The app of this isolate. The environment of an isolate never changes. */
let app: App | undefined;

/**
 * Handles every path that `public/_routes.json` does not exclude.
 * @throws VariableError on every request if the configuration is wrong; the platform logs it and responds
 *   with 500
 */
export const onRequest = ({ request, env }: FunctionContext): Promise<Response> => {
  app ??= createApp(readConfig(env), readBindings(env), { cleanupInterval: hour, waitUntil });
  return app.fetch(request);
};

/** In seconds. The Worker's cron trigger has the same interval. */
const hour = 3600;
