/** Starts the app for development, with a fake identity provider instead of a real one. */
import { oidc, staticClient } from 'assistant-auth';
import { toNodeHandler } from 'assistant-auth/node';
import { createFakeProvider } from 'assistant-auth/testing';
import express from 'express';
import { createApp } from './app.ts';

const { SEALING_KEYS = '', PORT } = process.env;
const port = Number(PORT || 3000);
const issuer = `http://localhost:${port}`;

// Anyone can sign in as any user of the fake provider, so `createFakeProvider` accepts only an issuer on
// loopback or on a host that is reserved for tests.
const acme = { issuer: `${issuer}/fake-provider`, clientId: 'my-api', clientSecret: 'not-a-secret' };
const fakeProvider = createFakeProvider(acme);

const app = await createApp({
  issuer,
  sealingKeys: SEALING_KEYS,
  databaseFile: 'auth.db',
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

express()
  .use(toNodeHandler({ issuer, handle: fakeProvider.handle }))
  .use(app)
  .listen(port, 'localhost', (error) => {
    if (error) throw error;
    console.log(`The API:          ${issuer}/api/me`);
    console.log(`The MCP server:   ${issuer}/mcp`);
    console.log(`The account page: ${issuer}/account`);
  });
