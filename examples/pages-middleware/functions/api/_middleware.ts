/**
 * Requires an access token for every call below `/api`. The Functions there find its user in
 * `context.data.user`.
 */
import type { Access } from 'assistant-auth';
import { type Env, getBroker } from '../../src/broker.ts';

/** The data that the Functions below `/api` get. */
export interface SignedIn extends Record<string, unknown> {
  user: Access;
}

export const onRequest: PagesFunction<Env, string, Partial<SignedIn>> = async ({
  request,
  env,
  data,
  next,
}) => {
  // Only pages of this site call the API from a browser, so no other origin needs access.
  const caller = await getBroker(env).protect(request, { scopes: ['hello'], cors: 'off' });
  if (caller.kind === 'refused') return caller.response;
  data.user = caller.access;
  return next();
};
