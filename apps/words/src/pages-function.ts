/** The Pages Function: the same app where the environment comes with each request, and where no schedule sweeps. */
import { waitUntil } from 'cloudflare:workers';
import { type App, createApp } from './app.ts';
import { readBindings } from './bindings.ts';
import type { Environment } from './config/variables.ts';
import { readConfig } from './config.ts';

/** What Pages calls a Function with, as far as it is used here. */
interface Call {
  readonly request: Request;
  readonly env: Environment;
}

/** Of this isolate, whose environment stays the same. */
let app: App | undefined;

/**
 * Answers what no static file answers.
 * @throws VariableError at every request until the configuration is right; the platform logs it and answers 500
 */
export const onRequest = ({ request, env }: Call): Promise<Response> => {
  app ??= createApp(readConfig(env), readBindings(env), { cleanupInterval: hour, waitUntil: waitUntil });
  return app.fetch(request);
};

/** In seconds, as the Worker's schedule has it. */
const hour = 3600;
