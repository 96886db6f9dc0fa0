/**
 * The entry point of the Worker. It reads its configuration at startup, so a deployment with an invalid
 * configuration fails.
 */
import { env, waitUntil } from 'cloudflare:workers';
import { createApp } from './app.ts';
import { readBindings } from './bindings.ts';
import { readConfig } from './config.ts';

const environment = { ...env };
const app = createApp(readConfig(environment), readBindings(environment), { waitUntil });

export default {
  fetch: (request) => app.fetch(request),
  scheduled: () => app.cleanup(),
} satisfies ExportedHandler;
