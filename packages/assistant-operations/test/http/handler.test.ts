import { describe, expect, it, vi } from 'vitest';
import { createHttpHandler } from '../../src/index.ts';
import {
  buildJsonRequest,
  buildRequest,
  corsResponseHeaders,
  createLibraryHandler,
  library,
  noStoreHeaders,
  problem,
  toHeaderRecord,
} from '../library.ts';

describe('an operation', () => {
  it('returns the output as JSON that must not be stored', async () => {
    const response = await createLibraryHandler().call('/api/books');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(['Emma', 'Dracula']);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
  });

  it('calls the guard once, with the scopes of its operation', async () => {
    const { call, requestedScopes } = createLibraryHandler();
    await call('/api/books');
    await call('/api/books/Emma', buildJsonRequest({ stars: 3 }));
    expect(requestedScopes).toEqual([['read'], ['read', 'rate']]);
  });

  it('returns the guard’s response unchanged if the guard refuses', async () => {
    const response = await createLibraryHandler().send('/api/books');
    expect([response.status, await response.text()]).toEqual([401, 'no name']);
  });

  it('passes the context that was created from the guard’s result to the handler', async () => {
    expect(await (await createLibraryHandler().call('/api/books/Emma')).json()).toEqual({
      title: 'Emma',
      reader: 'ada',
    });
  });

  it('responds to HEAD as to GET, without the body', async () => {
    const response = await createLibraryHandler().call('/api/books', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
  });
});

/**
 * The result of `broker.protect` in assistant-auth, as far as the types of `createHttpHandler` depend on it.
 */
type ProtectResult =
  | {
      readonly ok: true;
      readonly user: { readonly id: string };
      readonly client: { readonly id: string };
      readonly scopes: readonly string[];
    }
  | { readonly ok: false; readonly response: Response };

const broker = {
  protect: async (request: Request, { scopes }: { scopes: readonly string[] }): Promise<ProtectResult> => {
    const id = request.headers.get('authorization');
    return id === null
      ? { ok: false, response: new Response('no token', { status: 401 }) }
      : { ok: true, user: { id }, client: { id: 'test-client' }, scopes };
  },
};

const logError = (error: unknown) => expect.unreachable(String(error));

// These are also tests of type inference: the first two contexts have no annotations.
describe('the type of a guard’s result', () => {
  it('is inferred from a broker', async () => {
    const handle = createHttpHandler(library, {
      basePath: '/api',
      guard: (request, scopes) => broker.protect(request, { scopes }),
      context: ({ user, client, scopes }) => ({
        reader: `${user.id} with ${client.id} for ${scopes.join(' ')}`,
        books: ['Emma'],
      }),
      logError,
    });
    const response = await handle(buildRequest('/api/books/Emma', { headers: { authorization: 'ada' } }));
    expect(await response?.json()).toEqual({ title: 'Emma', reader: 'ada with test-client for read' });
    const refusal = await handle(buildRequest('/api/books/Emma'));
    expect([refusal?.status, await refusal?.text()]).toEqual([401, 'no token']);
  });

  it('is inferred from a function that returns object literals', async () => {
    const handle = createHttpHandler(library, {
      basePath: '/api',
      guard: async (request) => {
        const name = request.headers.get('authorization');
        if (name === null)
          return { ok: false, response: new Response(null, { status: 401 }), reason: 'none' };
        return { ok: true, name };
      },
      context: ({ name }) => ({ reader: name, books: ['Emma'] }),
      logError,
    });
    const response = await handle(buildRequest('/api/books/Emma', { headers: { authorization: 'ada' } }));
    expect(await response?.json()).toEqual({ title: 'Emma', reader: 'ada' });
    expect((await handle(buildRequest('/api/books/Emma')))?.status).toBe(401);
  });

  const response = (status: number) => new Response(null, { status });

  // TypeScript rejects these, but a guard can be written in JavaScript.
  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['true', () => true],
    ['an object without ok', () => ({})],
    ['ok as a string', () => ({ ok: 'true', response: response(401) })],
    ['ok as a number', () => ({ ok: 1 })],
    ['a refusal with kind', () => ({ kind: 'refused', response: response(401) })],
    ['an acceptance with kind', () => ({ kind: 'granted', access: { userId: 'ada' } })],
    ['a refusal without a response', () => ({ ok: false })],
    ['a refusal with text', () => ({ ok: false, response: 'no' })],
    ['a response with status 200, which has ok', () => response(200)],
    ['a response with status 401', () => response(401)],
  ])('accepts no caller if it is %s', async (_, createResult) => {
    let calls = 0;
    const handle: ReturnType<typeof createHttpHandler> = Reflect.apply(createHttpHandler, undefined, [
      library,
      { basePath: '/api', guard: async () => createResult(), context: () => calls++, logError: () => {} },
    ]);
    for (const path of ['/api/books', '/api/unknown'])
      expect([401, 500]).toContain((await handle(buildRequest(path)))?.status);
    expect(calls).toBe(0);
  });

  it('must fit the context, and a refusal must have a response', async () => {
    const options = { basePath: '/api', logError } as const;
    const context = ({ name }: { readonly name: string }) => ({ reader: name, books: ['Emma'] });
    // @ts-expect-error A refusal needs a response.
    createHttpHandler(library, { ...options, guard: async () => ({ ok: false }), context });
    // @ts-expect-error The context needs a name.
    createHttpHandler(library, { ...options, guard: async () => ({ ok: true }), context });
    const guard = async () => ({ ok: true, name: 'ada' }) as const;
    const incomplete = () => ({ reader: 'ada' });
    // @ts-expect-error The handlers need `books`, too.
    createHttpHandler(library, { ...options, guard, context: incomplete });
    const response = await createHttpHandler(library, { ...options, guard, context })(
      buildRequest('/api/books'),
    );
    expect(await response?.json()).toEqual(['Emma']);
  });
});

describe('a path or method without an operation', () => {
  it('gets a 405 that lists the methods of the path', async () => {
    const { call } = createLibraryHandler();
    const response = await call('/api/books', { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, DELETE');
    expect(await response.json()).toEqual(problem(405, 'Method Not Allowed', 'Method not allowed.'));
    expect((await call('/api/books/Emma', { method: 'OPTIONS' })).headers.get('allow')).toBe(
      'GET, HEAD, POST',
    );
  });

  it('does not take its method from a header or a parameter', async () => {
    const response = await createLibraryHandler().call('/api/books/Emma?_method=DELETE&stars=5', {
      method: 'POST',
      headers: { 'x-http-method-override': 'GET', 'x-method-override': 'GET' },
    });
    expect(response.status).toBe(400);
  });

  it('gets the API’s own 404', async () => {
    const response = await createLibraryHandler().call('/api/films');
    expect(response.status).toBe(404);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/problem+json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
    expect(await response.json()).toEqual(problem(404, 'Not Found', 'No such shelf: /api/films'));
  });

  it.each([
    ['GET', '/api'],
    ['GET', '/api/'],
    ['GET', '/api/films'],
    ['GET', '/api/books/'],
    ['PUT', '/api/books'],
    ['OPTIONS', '/api/books'],
    ['GET', '/api/books/Emma/pages'],
  ])('gets the guard’s response first: %s %s', async (method, path) => {
    const { send, requestedScopes } = createLibraryHandler();
    const response = await send(path, { method });
    expect([response.status, await response.text()]).toEqual([401, 'no name']);
    expect(requestedScopes).toEqual([[]]);
  });
});

describe('an error of a handler', () => {
  it('is returned as a problem if it is a ProblemError', async () => {
    const response = await createLibraryHandler().call('/api/books/Ulysses');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(
      problem(404, 'Not Found', 'There is no such book.', { books: ['Emma', 'Dracula'] }),
    );
  });

  it('is returned as the problem that the app maps it to, and logged if the status is 5xx', async () => {
    const { call, errors } = createLibraryHandler();
    const response = await call('/api/books', { method: 'DELETE' }, 'eve');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual(problem(503, 'Service Unavailable', 'The library is closed.'));
    expect(errors).toEqual([new RangeError('eve has no matches')]);
  });

  it('is logged and hidden behind a 500 if the app does not map it', async () => {
    const { call, errors } = createLibraryHandler();
    const response = await call('/api/books', { method: 'DELETE' });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual(
      problem(500, 'Internal Server Error', 'Something went wrong on our side.'),
    );
    expect(errors).toEqual([new RangeError('ada has no matches')]);
  });
});

describe('input', () => {
  it('is read from the path, decoded', async () => {
    const response = await createLibraryHandler(['War & Peace/1']).call('/api/books/War%20%26%20Peace%2F1');
    expect(await response.json()).toEqual({ title: 'War & Peace/1', reader: 'ada' });
  });

  it('is read from the query, and unknown parameters are ignored', async () => {
    expect(await (await createLibraryHandler().call('/api/books?word=mm&utm=1')).json()).toEqual(['Emma']);
  });

  it('is refused if a parameter is repeated', async () => {
    const response = await createLibraryHandler().call('/api/books?word=a&word=b');
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      problem(400, 'Bad Request', 'The parameter word was sent more than once.'),
    );
  });

  it('is read from a JSON body', async () => {
    const response = await createLibraryHandler().call('/api/books/Emma', buildJsonRequest({ stars: 5 }));
    expect(await response.json()).toEqual({ title: 'Emma', stars: 5 });
  });

  it('takes a path field from the path, even if the body has the field', async () => {
    const response = await createLibraryHandler().call(
      '/api/books/Emma',
      buildJsonRequest({ stars: 5, title: 'Dracula' }),
    );
    expect(await response.json()).toEqual({ title: 'Emma', stars: 5 });
  });

  it('is refused with the names of the invalid fields', async () => {
    const response = await createLibraryHandler().call('/api/books/Emma', buildJsonRequest({ stars: 6 }));
    expect(response.status).toBe(400);
    expect(toHeaderRecord(response)).toEqual({
      'content-type': 'application/problem+json',
      ...noStoreHeaders,
      ...corsResponseHeaders,
    });
    expect(await response.json()).toEqual(
      problem(400, 'Bad Request', 'The input does not match the schema of this operation.', {
        issues: [{ field: 'stars', message: 'Invalid value: Expected <=5 but received 6' }],
      }),
    );
  });

  it.each([
    ['not JSON', '{"stars":', 'The body is not valid JSON.'],
    ['a list', '[1]', 'The body must be a JSON object.'],
    ['null', 'null', 'The body must be a JSON object.'],
  ])('is refused if the body is %s', async (_, body, detail) => {
    const response = await createLibraryHandler().call('/api/books/Emma', buildJsonRequest(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(problem(400, 'Bad Request', detail));
  });

  it.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/jsonp'], ['']])(
    'is refused if the content type is "%s"',
    async (type) => {
      const response = await createLibraryHandler().call('/api/books/Emma', {
        method: 'POST',
        body: '{"stars":5}',
        headers: { 'content-type': type },
      });
      expect(response.status).toBe(415);
      expect(response.headers.get('accept-post')).toBe('application/json');
      expect(await response.json()).toEqual(
        problem(415, 'Unsupported Media Type', 'The Content-Type must be application/json.'),
      );
    },
  );

  it('accepts a content type with parameters, in any case', async () => {
    const init = {
      ...buildJsonRequest({ stars: 5 }),
      headers: { 'content-type': 'Application/JSON; charset=utf-8' },
    };
    expect((await createLibraryHandler().call('/api/books/Emma', init)).status).toBe(200);
  });

  it('is an object without fields if the body is empty', async () => {
    const response = await createLibraryHandler().call('/api/books/Emma', { method: 'POST' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ issues: [{ field: 'stars' }] });
  });

  it.each([{}, { 'content-length': '100001' }, { 'content-length': '10', 'transfer-encoding': 'chunked' }])(
    'is refused if the body is too long, without reading all of it, with the headers %o',
    async (headers) => {
      let pullCount = 0;
      const endlessBody = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          pullCount += 1;
          controller.enqueue(new Uint8Array(50_000).fill(32));
        },
      });
      const request = new Request('http://localhost/api/books/Emma', {
        method: 'POST',
        body: endlessBody,
        headers: { ...headers, authorization: 'ada', 'content-type': 'application/json' },
      });
      const response = await createLibraryHandler().handle(request);
      expect(response?.status).toBe(413);
      expect(await response?.json()).toEqual(
        problem(413, 'Content Too Large', 'The body is longer than 100000 bytes.'),
      );
      expect(pullCount).toBeLessThan(6);
    },
  );
});

const origin = 'https://browser-app.example';
const preflightHeaders = { origin, 'access-control-request-method': 'POST' };
const paths = ['/api', '/api/books', '/api/books/Emma', '/api/films', '/api/books/Emma/pages'];

const pickCorsHeaders = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

describe('a preflight', () => {
  it.each(paths)(
    'gets the same response at every path of the API, before the guard is called: %s',
    async (path) => {
      const { send, requestedScopes, errors } = createLibraryHandler();
      const response = await send(path, { method: 'OPTIONS', headers: preflightHeaders });
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
    ['PUT', preflightHeaders],
  ])('is not confused with other requests: %s %j', async (method, headers) => {
    const { send, requestedScopes } = createLibraryHandler();
    expect((await send('/api/books', { method, headers })).status).toBe(401);
    expect(requestedScopes).toEqual([[]]);
  });

  it('gets no response outside the API', async () => {
    const request = buildRequest('/other', { method: 'OPTIONS', headers: preflightHeaders });
    expect(await createLibraryHandler().handle(request)).toBeUndefined();
  });
});

const collectResponses = async ({
  send,
  call,
}: ReturnType<typeof createLibraryHandler>): Promise<readonly Response[]> => [
  await call('/api/books'),
  await call('/api/books', { method: 'HEAD' }),
  await call('/api/books/Emma', buildJsonRequest({ stars: 3 })),
  await call('/api/books/Emma', buildJsonRequest({ stars: 99 })),
  await call('/api/books/Emma', buildJsonRequest('x'.repeat(200_000))),
  await call('/api/books/Emma', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }),
  await send('/api/books'),
  await call('/api/films'),
  await call('/api/books', { method: 'PUT' }),
  await call('/api/books', { method: 'DELETE' }),
  await call('/api/books', { method: 'DELETE' }, 'eve'),
];
const statuses = [200, 200, 200, 400, 413, 415, 401, 404, 405, 500, 503];

describe('a page on another origin', () => {
  it('can read every response, including errors', async () => {
    const responses = await collectResponses(createLibraryHandler());
    expect(responses.map(({ status }) => status)).toEqual(statuses);
    for (const response of responses) expect(pickCorsHeaders(response)).toEqual(corsResponseHeaders);
  });

  it('gets no headers of another response if Response keeps the object that it gets', async () => {
    // As that of `@hono/node-server`, which replaces the global one.
    class KeepingResponse extends Response {
      readonly kept: HeadersInit | undefined;
      constructor(body?: BodyInit | null, init?: ResponseInit) {
        super(body, init);
        // Some versions do so only for such a body.
        this.kept = typeof body === 'string' ? init?.headers : undefined;
      }
      override get headers(): Headers {
        return this.kept instanceof Headers ? this.kept : super.headers;
      }
    }
    vi.stubGlobal('Response', KeepingResponse);
    for (const cors of ['any-origin', 'off'] as const) {
      const { call } = createLibraryHandler(undefined, cors);
      const first = await call('/api/books');
      first.headers.append('set-cookie', 'session=ada');
      const second = await call('/api/books');
      expect(first.headers.getSetCookie()).toEqual(['session=ada']);
      expect([second.status, second.headers.getSetCookie()]).toEqual([200, []]);
    }
  });

  it('can read no response if `cors` is `off`, and preflights are handled like other requests', async () => {
    const withoutCors = createLibraryHandler(undefined, 'off');
    const responses = await collectResponses(withoutCors);
    expect(responses.map(({ status }) => status)).toEqual(statuses);
    const responseWithoutToken = await withoutCors.send('/api/books', {
      method: 'OPTIONS',
      headers: preflightHeaders,
    });
    expect(responseWithoutToken.status).toBe(401);
    for (const response of [...responses, responseWithoutToken])
      expect(pickCorsHeaders(response)).toEqual({});
    expect(
      (await withoutCors.call('/api/books', { method: 'OPTIONS', headers: preflightHeaders })).status,
    ).toBe(405);
  });
});
