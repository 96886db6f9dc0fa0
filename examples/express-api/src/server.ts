/**
 * An API in its own process. It opens the broker's access tokens with the keys derived for its own
 * identifier, and has neither the broker's key ring nor a database.
 */
import { createResourceServer } from 'assistant-auth/resource-server';
import express from 'express';
import { guard } from './guard.ts';

const { ISSUER = '', RESOURCE = '', RESOURCE_KEYS = '', PORT = '3000' } = process.env;

// Throws an error that names the option if a value is wrong, so the process does not start.
const server = createResourceServer({ issuer: ISSUER, resource: RESOURCE, keys: RESOURCE_KEYS });

const app = express();
app.disable('x-powered-by');

const requireToken = guard(server, RESOURCE, ['score']);
// Responds to CORS preflights from pages on other origins.
app.options('/hello', requireToken);
app.get('/hello', requireToken, (_, response) => {
  const { user, scopes } = response.locals.auth;
  response.json({ userId: user.id, scopes });
});

const listener = app.listen(Number(PORT), '127.0.0.1', () => {
  const address = listener.address();
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});
