/** Starts the app for development, with a fake provider instead of a real one. */
import { oidc } from 'assistant-auth';
import { toNodeHandler } from 'assistant-auth/node';
import { createFakeProvider } from 'assistant-auth/testing';
import express from 'express';
import { createApp } from './app.ts';

const { SEALING_KEYS = '', PORT } = process.env;
const port = Number(PORT || 3000);
const issuer = `http://localhost:${port}`;

// Anyone can sign in as any user of the fake provider, so `createFakeProvider` rejects an issuer that can be
// reached from the internet.
const acme = { issuer: `${issuer}/fake-provider`, clientId: 'my-api', clientSecret: 'not-a-secret' };
const fakeProvider = createFakeProvider(acme);

const app = await createApp({
  issuer,
  sealingKeys: SEALING_KEYS,
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
