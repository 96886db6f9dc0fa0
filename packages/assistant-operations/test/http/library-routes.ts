/** The library's routes, opened for whoever names themselves, and what goes on behind them written down. */
import { type Cors, createHttpRoutes, type Guard } from '../../src/index.ts';
import { library, type Shelf } from '../library.ts';

interface Reader {
  readonly name: string;
}

export const noStoreHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export const corsResponseHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
};

/** Lets in whoever names themselves, and writes down which scopes were asked of them. */
export const createLibraryRoutes = (books: readonly string[] = ['Emma', 'Dracula'], cors?: Cors) => {
  const requestedScopes: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const guard: Guard<Reader> = async (request, scopes) => {
    requestedScopes.push(scopes);
    const name = request.headers.get('authorization');
    return name === null
      ? { kind: 'refused', response: new Response('who are you?', { status: 401 }) }
      : { kind: 'granted', access: { name } };
  };
  const routes = createHttpRoutes(library, {
    basePath: '/api',
    guard,
    context: ({ name }): Shelf => ({ reader: name, books }),
    notFound: (path) => ({ status: 404, detail: `Not a shelf: ${path}` }),
    mapError: (error) =>
      error instanceof RangeError && error.message.startsWith('eve')
        ? { status: 503, detail: 'Wet.', headers: { 'retry-after': '7' } }
        : undefined,
    logError: (error) => errors.push(error),
    ...(cors !== undefined && { cors }),
  });
  const call = (path: string, init: RequestInit = {}, name = 'ada') =>
    routes.request(`http://localhost${path}`, { ...init, headers: { authorization: name, ...init.headers } });
  return { routes, call, requestedScopes, errors };
};

export const problem = (status: number, title: string, detail: string, members: object = {}) => ({
  type: 'about:blank',
  title,
  status,
  detail,
  ...members,
});

export const toHeaderRecord = (response: Response) => Object.fromEntries(response.headers);

export const json = (body: unknown): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});
