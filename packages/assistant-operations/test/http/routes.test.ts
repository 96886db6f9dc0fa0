import { describe, expect, it } from 'vitest';
import {
  corsResponseHeaders,
  createLibraryRoutes,
  json,
  noStoreHeaders,
  problem,
  toHeaderRecord,
} from './library-routes.ts';

describe('a route', () => {
  it('answers with the output as JSON that nobody stores', async () => {
    const response = await createLibraryRoutes().call('/api/books');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(['Emma', 'Dracula']);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
  });

  it('asks the guard for the scopes of its operation, once', async () => {
    const { call, requestedScopes } = createLibraryRoutes();
    await call('/api/books');
    await call('/api/books/Emma', json({ stars: 3 }));
    expect(requestedScopes).toEqual([['read'], ['read', 'rate']]);
  });

  it('passes the guard’s refusal on untouched', async () => {
    const response = await createLibraryRoutes().routes.request('http://localhost/api/books');
    expect([response.status, await response.text()]).toEqual([401, 'who are you?']);
  });

  it('gives the handler what was made of the access', async () => {
    expect(await (await createLibraryRoutes().call('/api/books/Emma')).json()).toEqual({
      title: 'Emma',
      reader: 'ada',
    });
  });

  it('answers HEAD like GET, without the body', async () => {
    const response = await createLibraryRoutes().call('/api/books', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
  });
});

describe('what is no route', () => {
  it('is a 405 that tells the methods', async () => {
    const { call } = createLibraryRoutes();
    const response = await call('/api/books', { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, DELETE');
    expect(await response.json()).toEqual(
      problem(405, 'Method Not Allowed', 'This path does not answer that method.'),
    );
    expect((await call('/api/books/Emma', { method: 'OPTIONS' })).headers.get('allow')).toBe(
      'GET, HEAD, POST',
    );
  });

  it('takes no method from a header or a parameter', async () => {
    const response = await createLibraryRoutes().call('/api/books/Emma?_method=DELETE&stars=5', {
      method: 'POST',
      headers: { 'x-http-method-override': 'GET', 'x-method-override': 'GET' },
    });
    expect(response.status).toBe(400);
  });

  it('is a 404 as the API words it', async () => {
    const response = await createLibraryRoutes().call('/api/films');
    expect(response.status).toBe(404);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/problem+json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
    expect(await response.json()).toEqual(problem(404, 'Not Found', 'Not a shelf: /api/films'));
  });

  it.each([
    ['GET', '/api'],
    ['GET', '/api/'],
    ['GET', '/api/films'],
    ['GET', '/api/books/'],
    ['PUT', '/api/books'],
    ['OPTIONS', '/api/books'],
    ['GET', '/api/books/Emma/pages'],
  ])('is told to nobody whom the guard refuses: %s %s', async (method, path) => {
    const { routes, requestedScopes } = createLibraryRoutes();
    const response = await routes.request(`http://localhost${path}`, { method });
    expect([response.status, await response.text()]).toEqual([401, 'who are you?']);
    expect(requestedScopes).toEqual([[]]);
  });

  it.each([['//api/books'], ['/API/books'], ['/api%2fbooks'], ['/x/../api%2fbooks'], ['/;/api/books']])(
    'never reaches a handler unguarded: %s',
    async (path) => {
      const { routes } = createLibraryRoutes();
      const response = await routes.request(`http://localhost${path}`);
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('404 Not Found');
    },
  );

  it('guards a path in other spelling that the router takes for the same', async () => {
    expect((await createLibraryRoutes().routes.request('http://localhost/%61pi/books')).status).toBe(401);
    expect((await createLibraryRoutes().routes.request('http://localhost/x/../api/books')).status).toBe(401);
  });
});

describe('what a handler throws', () => {
  it('is answered as the problem that it is', async () => {
    const response = await createLibraryRoutes().call('/api/books/Ulysses');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(
      problem(404, 'Not Found', 'There is no such book.', { books: ['Emma', 'Dracula'] }),
    );
  });

  it('is answered as the problem that the app makes of it, and logged when it is ours', async () => {
    const { call, errors } = createLibraryRoutes();
    const response = await call('/api/books', { method: 'DELETE' }, 'eve');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual(problem(503, 'Service Unavailable', 'Wet.'));
    expect(errors).toEqual([new RangeError('eve has no matches')]);
  });

  it('is logged and not told when nothing explains it', async () => {
    const { call, errors } = createLibraryRoutes();
    const response = await call('/api/books', { method: 'DELETE' });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual(
      problem(500, 'Internal Server Error', 'Something went wrong on our side.'),
    );
    expect(errors).toEqual([new RangeError('ada has no matches')]);
  });
});
