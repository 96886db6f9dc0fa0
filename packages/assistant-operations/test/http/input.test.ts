import { describe, expect, it } from 'vitest';
import {
  corsResponseHeaders,
  createLibraryRoutes,
  json,
  noStoreHeaders,
  problem,
  toHeaderRecord,
} from './library-routes.ts';

describe('input', () => {
  it('comes from the path, decoded', async () => {
    const response = await createLibraryRoutes(['War & Peace/1']).call('/api/books/War%20%26%20Peace%2F1');
    expect(await response.json()).toEqual({ title: 'War & Peace/1', reader: 'ada' });
  });

  it('comes from the query, where unknown parameters do not matter', async () => {
    expect(await (await createLibraryRoutes().call('/api/books?word=mm&utm=1')).json()).toEqual(['Emma']);
  });

  it('refuses a parameter that is repeated', async () => {
    const response = await createLibraryRoutes().call('/api/books?word=a&word=b');
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      problem(400, 'Bad Request', 'The parameter word is given more than once.'),
    );
  });

  it('comes from a JSON body', async () => {
    const response = await createLibraryRoutes().call('/api/books/Emma', json({ stars: 5 }));
    expect(await response.json()).toEqual({ title: 'Emma', stars: 5 });
  });

  it('takes a path field from the path, whatever the body says', async () => {
    const response = await createLibraryRoutes().call(
      '/api/books/Emma',
      json({ stars: 5, title: 'Dracula' }),
    );
    expect(await response.json()).toEqual({ title: 'Emma', stars: 5 });
  });

  it('names the fields that do not fit', async () => {
    const response = await createLibraryRoutes().call('/api/books/Emma', json({ stars: 6 }));
    expect(response.status).toBe(400);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/problem+json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
    expect(await response.json()).toEqual(
      problem(400, 'Bad Request', 'The input does not fit this operation.', {
        issues: [{ field: 'stars', message: 'Invalid value: Expected <=5 but received 6' }],
      }),
    );
  });

  it.each([
    ['no JSON', '{"stars":', 'The body is not valid JSON.'],
    ['a list', '[1]', 'The body must be one JSON object.'],
    ['null', 'null', 'The body must be one JSON object.'],
  ])('refuses a body that is %s', async (_, body, detail) => {
    const response = await createLibraryRoutes().call('/api/books/Emma', json(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(problem(400, 'Bad Request', detail));
  });

  it.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/jsonp'], ['']])(
    'refuses a body of type "%s"',
    async (type) => {
      const response = await createLibraryRoutes().call('/api/books/Emma', {
        method: 'POST',
        body: '{"stars":5}',
        headers: { 'content-type': type },
      });
      expect(response.status).toBe(415);
      expect(response.headers.get('accept-post')).toBe('application/json');
      expect(await response.json()).toEqual(
        problem(415, 'Unsupported Media Type', 'The body must be application/json.'),
      );
    },
  );

  it('takes a type with parameters in any case', async () => {
    const init = { ...json({ stars: 5 }), headers: { 'content-type': 'Application/JSON; charset=utf-8' } };
    expect((await createLibraryRoutes().call('/api/books/Emma', init)).status).toBe(200);
  });

  it('treats an empty body as an object without fields', async () => {
    const response = await createLibraryRoutes().call('/api/books/Emma', { method: 'POST' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ issues: [{ field: 'stars' }] });
  });

  it('stops reading a body that is too long', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(50_000).fill(32));
      },
    });
    const request = new Request('http://localhost/api/books/Emma', {
      method: 'POST',
      body: endless,
      headers: { authorization: 'ada', 'content-type': 'application/json' },
    });
    const response = await createLibraryRoutes().routes.request(request);
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual(
      problem(413, 'Content Too Large', 'The body is longer than 100000 bytes.'),
    );
    expect(sent).toBeLessThan(6);
  });
});
