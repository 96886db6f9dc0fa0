/** The Worker for development, with a fake identity provider instead of a real one. */
import { oidc, staticClient } from 'assistant-auth';
import { createFakeProvider } from 'assistant-auth/testing';
import { createApp, type Env } from './app.ts';

const createDevHandler = (env: Env) => {
  // Anyone can sign in as any user of the fake provider, so `createFakeProvider` accepts only an issuer on
  // loopback or on a host that is reserved for tests.
  const acme = { issuer: `${env.ISSUER}/fake-provider`, clientId: 'my-api', clientSecret: 'not-a-secret' };
  const fakeProvider = createFakeProvider(acme);
  const app = createApp(env, {
    clients: [
      // An API client for development. It is public: it has no secret.
      staticClient({
        id: 'my-client',
        name: 'My client',
        // Matches any port (RFC 8252 §7.3).
        redirectUris: ['http://127.0.0.1/callback'],
        scopes: ['account', 'dice'],
      }),
    ],
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
