/** The Worker for development, with a fake provider instead of a real one. */
import { oidc } from 'assistant-auth';
import { createFakeProvider } from 'assistant-auth/testing';
import { createApp, type Env } from './app.ts';

const createDevApp = (env: Env) => {
  // Anyone can sign in as any of its users, so it refuses an issuer that can be reached from the internet.
  const acme = { issuer: `${env.ISSUER}/fake-provider`, clientId: 'my-api', clientSecret: 'not-a-secret' };
  const fakeProvider = createFakeProvider(acme);
  const app = createApp(env, {
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    fetch: fakeProvider.fetch,
  });
  return async (request: Request): Promise<Response> =>
    (await fakeProvider.handle(request)) ?? app.fetch(request);
};

let handle: ReturnType<typeof createDevApp> | undefined;

export default {
  fetch: (request, env) => {
    handle ??= createDevApp(env);
    return handle(request);
  },
} satisfies ExportedHandler<Env>;
