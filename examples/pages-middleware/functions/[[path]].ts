/** Serves the broker's endpoints. Other requests go to the existing Functions and static files. */
import { type Env, getBroker } from '../src/broker.ts';

export const onRequest: PagesFunction<Env> = ({ request, env, next }) => {
  const { pathname } = new URL(request.url);
  const route = getBroker(env).routes.find(({ path }) =>
    path.endsWith('/*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path,
  );
  return route === undefined ? next() : route.endpoint(request);
};
