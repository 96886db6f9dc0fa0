import { describe, expect, it } from 'vitest';
import { corsResponseHeaders, createLibraryRoutes, json, toHeaderRecord } from './library-routes.ts';

const origin = 'https://browser-app.example';
const asking = { origin, 'access-control-request-method': 'POST' };
const paths = ['/api', '/api/books', '/api/books/Emma', '/api/films', '/api/books/Emma/pages'];

const corsOf = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

describe('a preflight', () => {
  it.each(paths)(
    'is answered before the guard is called, in the same way at every path: %s',
    async (path) => {
      const { routes, requestedScopes, errors } = createLibraryRoutes();
      const response = await routes.request(path, { method: 'OPTIONS', headers: asking });
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(toHeaderRecord(response)).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type',
        'access-control-max-age': '7200',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect([requestedScopes, errors]).toEqual([[], []]);
    },
  );

  it.each([
    ['OPTIONS', { origin }],
    ['PUT', asking],
  ])('is not any other request: %s %j', async (method, headers) => {
    const { routes, requestedScopes } = createLibraryRoutes();
    expect((await routes.request('/api/books', { method, headers })).status).toBe(401);
    expect(requestedScopes).toEqual([[]]);
  });

  it('is not answered outside the API', async () => {
    const response = await createLibraryRoutes().routes.request('/other', {
      method: 'OPTIONS',
      headers: asking,
    });
    expect([response.status, corsOf(response)]).toEqual([404, {}]);
  });
});

const everyAnswer = async ({
  routes,
  call,
}: ReturnType<typeof createLibraryRoutes>): Promise<readonly Response[]> => [
  await call('/api/books'),
  await call('/api/books', { method: 'HEAD' }),
  await call('/api/books/Emma', json({ stars: 3 })),
  await call('/api/books/Emma', json({ stars: 99 })),
  await call('/api/books/Emma', json('x'.repeat(200_000))),
  await call('/api/books/Emma', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }),
  await routes.request('/api/books'),
  await call('/api/films'),
  await call('/api/books', { method: 'PUT' }),
  await call('/api/books', { method: 'DELETE' }),
  await call('/api/books', { method: 'DELETE' }, 'eve'),
];
const statuses = [200, 200, 200, 400, 413, 415, 401, 404, 405, 500, 503];

describe('a page on another origin', () => {
  it('reads every response, errors included', async () => {
    const answers = await everyAnswer(createLibraryRoutes());
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    for (const answer of answers) expect(corsOf(answer)).toEqual(corsResponseHeaders);
  });

  it('reads nothing if the app opts out, and a preflight is a request like any other', async () => {
    const opened = createLibraryRoutes(undefined, 'off');
    const answers = await everyAnswer(opened);
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    const unasked = await opened.routes.request('/api/books', { method: 'OPTIONS', headers: asking });
    expect(unasked.status).toBe(401);
    for (const answer of [...answers, unasked]) expect(corsOf(answer)).toEqual({});
    expect((await opened.call('/api/books', { method: 'OPTIONS', headers: asking })).status).toBe(405);
  });
});
