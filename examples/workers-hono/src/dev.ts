/** The Worker for development, with a fake provider instead of a real one. */
import { oidc } from 'assistant-auth';
import { createFakeProvider } from 'assistant-auth/testing';
import { createApp, type Env } from './app.ts';

const createDevHandler = (env: Env) => {
  // Anyone can sign in as any user of the fake provider, so `createFakeProvider` rejects an issuer that can be
  // reached from the internet.
  const acme = { issuer: `${env.ISSUER}/fake-provider`, clientId: 'my-api', clientSecret: 'not-a-secret' };
  const fakeProvider = createFakeProvider(acme);
  const app = createApp(env, {
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    fetch: fakeProvider.fetch,
  });
  return async (request: Request): Promise<Response> =>
    (await fakeProvider.handle(request)) ?? app.fetch(request);
};

let handle: ReturnType<typeof createDevHandler> | undefined;

export default {
  fetch: (request, env) => {
    handle ??= createDevHandler(env);
    return handle(request);
  },
} satisfies ExportedHandler<Env>;
