/** Serves the broker's endpoints. Other requests go to the existing Functions and static files. */
import { type Env, getBroker } from '../src/broker.ts';

export const onRequest: PagesFunction<Env> = async ({ request, env, next }) =>
  (await getBroker(env).handle(request)) ?? next();
