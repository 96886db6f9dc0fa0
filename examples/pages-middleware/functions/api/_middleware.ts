/**
 * Requires an access token for every call below `/api`. The Functions there find the user and the client in
 * `context.data.auth`.
 */
import type { AuthorizedCall } from 'assistant-auth';
import { type Env, getBroker } from '../../src/broker.ts';

/** The data that the Functions below `/api` get. */
export interface SignedIn extends Record<string, unknown> {
  auth: AuthorizedCall;
}

export const onRequest: PagesFunction<Env, string, Partial<SignedIn>> = async ({
  request,
  env,
  data,
  next,
}) => {
  // Only pages of this site call the API from a browser, so no other origin needs access.
  const auth = await getBroker(env).protect(request, { scopes: ['hello'], cors: 'off' });
  if (!auth.ok) return auth.response;
  data.auth = auth;
  return next();
};
