/** The adapter for Hono: it responds as the handler does, and leaves every other path to the app. */
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { createHttpRoutes } from '../src/hono.ts';
import { defineApi } from '../src/index.ts';
import {
  buildJsonRequest,
  buildRequest,
  createLibraryHandler,
  createLibraryOptions,
  library,
  listBooks,
  toHeaderRecord,
} from './library.ts';

/** An app with the routes of the library between others. */
const createApp = () => {
  const { options, ...received } = createLibraryOptions();
  const app = new Hono();
  app.get('/before', (context) => context.text('before'));
  app.route('/', createHttpRoutes(library, options));
  app.get('/after', (context) => context.text('after'));
  app.all('*', (context) => context.text('fallback', 404));
  return { app, ...received };
};

const named = (init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { authorization: 'ada', ...init.headers },
});
const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };

describe('the routes of a Hono app', () => {
  it.each<[path: string, init?: RequestInit]>([
    ['/api/books', named()],
    ['/api/books'],
    ['/api/books', named({ method: 'HEAD' })],
    ['/api/books', named({ method: 'PUT' })],
    ['/api/books', named({ method: 'DELETE' })],
    ['/api/books', named({ method: 'OPTIONS' })],
    ['/api/books', preflight],
    ['/api/films', preflight],
    ['/api/books/War%20%26%20Peace%2F1', named()],
    ['/api/books/Emma', named()],
    ['/api/books/Emma', named(buildJsonRequest({ stars: 3 }))],
    ['/api/books/Emma', named(buildJsonRequest({ stars: 6 }))],
    ['/api', named()],
    ['/api/', named()],
    ['/api/films'],
    ['/api/films', named()],
    ['/api/books/', named()],
    ['/api//books', named()],
    ['/api/books/%zz', named()],
    ['/api/books/%C3%28', named()],
    ['/api/%zz/books'],
    ['/%61pi/books'],
    ['/%61pi/books', named()],
    ['/%61pi/%zz'],
    ['/x/../api/books', named()],
  ])('respond as the handler: %s %j', async (path, init) => {
    const { app, ...received } = createApp();
    const other = createLibraryHandler();
    const response = await app.fetch(buildRequest(path, init));
    const expected = await other.send(path, init);
    expect([response.status, toHeaderRecord(response), await response.text()]).toEqual([
      expected.status,
      toHeaderRecord(expected),
      await expected.text(),
    ]);
    expect(received).toEqual({
      requestedScopes: other.requestedScopes,
      errors: other.errors,
      refusals: other.refusals,
    });
  });

  it.each([
    ['/before', 200, 'before'],
    ['/after', 200, 'after'],
    ['/', 404, 'fallback'],
    ['/apis/books', 404, 'fallback'],
    ['//api/books', 404, 'fallback'],
    ['/API/books', 404, 'fallback'],
    ['/api%2fbooks', 404, 'fallback'],
    ['/x/../api%2fbooks', 404, 'fallback'],
    ['/;/api/books', 404, 'fallback'],
    ['/%2561pi/books', 404, 'fallback'],
  ])('leave every other path to the app: %s', async (path, status, text) => {
    const { app, requestedScopes, refusals } = createApp();
    const response = await app.fetch(buildRequest(path, named()));
    expect([response.status, await response.text()]).toEqual([status, text]);
    expect([requestedScopes, refusals]).toEqual([[], []]);
  });

  it('serve no other path if they are not mounted at the root', async () => {
    const { options, requestedScopes } = createLibraryOptions();
    const app = new Hono().route('/v1', createHttpRoutes(library, options));
    app.all('*', (context) => context.text('fallback', 404));
    const response = await app.fetch(buildRequest('/v1/api/books', named()));
    expect([response.status, await response.text(), requestedScopes]).toEqual([404, 'fallback', []]);
  });

  it('have the types of the guard’s result and of the context', async () => {
    const options = {
      basePath: '/api',
      logError: (error: unknown) => expect.unreachable(String(error)),
    } as const;
    const guard = async ({ headers }: Request) => {
      const name = headers.get('authorization');
      if (name === null) return { ok: false, response: new Response('no name', { status: 401 }) } as const;
      return { ok: true, name } as const;
    };
    const incomplete = () => ({ reader: 'ada' });
    // @ts-expect-error The handlers need `books`, too.
    createHttpRoutes(library, { ...options, guard, context: incomplete });
    const routes = createHttpRoutes(library, {
      ...options,
      guard,
      context: ({ name }) => ({ reader: name, books: ['Emma'] }),
    });
    const response = await routes.request('/api/books/Emma', named());
    expect(await response.json()).toEqual({ title: 'Emma', reader: 'ada' });
    expect(await (await routes.request('/api/books/Emma')).text()).toBe('no name');
  });

  it('are refused at startup if an operation is not below the base path', () => {
    const { options } = createLibraryOptions();
    const api = defineApi([{ ...listBooks, path: '/books' }]);
    expect(() => createHttpRoutes(api, options)).toThrow(
      'list_books: the path /books must be /api or below it.',
    );
  });
});
