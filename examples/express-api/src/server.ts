/**
 * An API in its own process. It opens the broker's access tokens with the keys derived for its own
 * identifier, and has neither the broker's key ring nor a database.
 */
import { sendResponse, toRequest } from 'assistant-auth/node';
import { type AuthorizedCall, corsHeaders, createResourceServer } from 'assistant-auth/resource-server';
import express, { type RequestHandler } from 'express';

const { ISSUER = '', RESOURCE = '', RESOURCE_KEYS = '', PORT } = process.env;
const port = Number(PORT || 3000);

// Throws an error that names the option if a value is wrong, so the process does not start.
const server = createResourceServer({ issuer: ISSUER, resource: RESOURCE, keys: RESOURCE_KEYS });

/** Accepts a call whose token is for this API and has the scope. The user is in `response.locals.auth`. */
const requireToken: RequestHandler<object, unknown, unknown, object, { auth: AuthorizedCall }> = async (
  request,
  response,
  next,
) => {
  const auth = await server.protect(toRequest(request, RESOURCE), { scopes: ['score'] });
  if (!auth.ok) return sendResponse(auth.response, response);
  response.locals.auth = auth;
  response.set({ ...corsHeaders, 'cache-control': 'no-store' });
  next();
};

const app = express();
app.disable('x-powered-by');
// Without this, Express sends stack traces to clients unless NODE_ENV is `production`.
app.set('env', 'production');
// Responds to CORS preflights from pages on other origins.
app.options('/hello', requireToken);
app.get('/hello', requireToken, (_request, response) => {
  const { user, scopes } = response.locals.auth;
  response.json({ userId: user.id, scopes });
});

app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});
