/**
 * An API in a process of its own. It knows its callers by the tokens that the broker gave them, and holds neither the broker's key
 * ring nor a database: only the sub-keys of its own identifier.
 */
import { createResourceServer } from 'assistant-auth/resource-server';
import express from 'express';
import { guard } from './guard.ts';

const { ISSUER = '', RESOURCE = '', AUDIENCE_KEYS = '', PORT = '3000' } = process.env;

// Stops the start, and says which of them is wrong.
const server = createResourceServer({ issuer: ISSUER, resource: RESOURCE, keys: AUDIENCE_KEYS });

const app = express();
app.disable('x-powered-by');

const signedIn = guard(server, RESOURCE, ['score']);
// Answers CORS preflights for pages on other origins.
app.options('/hello', signedIn);
app.get('/hello', signedIn, (_, response) => {
  const { userId, scopes } = response.locals.access;
  response.json({ userId, scopes });
});

const listener = app.listen(Number(PORT), '127.0.0.1', () => {
  const address = listener.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});
