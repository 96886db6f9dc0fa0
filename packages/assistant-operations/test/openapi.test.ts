import { describe, expect, it } from 'vitest';
import {
  createHttpHandler,
  createOpenApiDocument,
  DefinitionError,
  defineApi,
  type Guard,
} from '../src/index.ts';
import { buildJsonRequest, buildRequest, getBook, library, type Shelf } from './library.ts';

const options = {
  title: 'Library',
  version: '1.2.3',
  description: 'Books.',
  origin: 'https://library.example',
  authorizationUrl: 'https://library.example/authorize',
  tokenUrl: 'https://library.example/token',
  scopes: { read: 'Read', rate: 'Rate' },
};

/** Creates the document as JSON, without the members that are undefined. */
const createDocument = (changes: Partial<typeof options> = {}) =>
  JSON.parse(JSON.stringify(createOpenApiDocument(library, { ...options, ...changes })));

const forbidden = { '403': { $ref: '#/components/responses/Forbidden' } };
const errorResponses = {
  '401': { $ref: '#/components/responses/Unauthorized' },
  '421': { $ref: '#/components/responses/MisdirectedRequest' },
  '429': { $ref: '#/components/responses/TooManyRequests' },
  '500': { $ref: '#/components/responses/InternalServerError' },
  '503': { $ref: '#/components/responses/Unavailable' },
};

const header = { description: expect.any(String), schema: { type: 'string' } };

describe('the OpenAPI document', () => {
  it('has a title, one server, and the security scheme', () => {
    const { paths: _, ...rest } = createDocument();
    expect(rest).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Library', version: '1.2.3', description: 'Books.' },
      servers: [{ url: 'https://library.example' }],
      components: {
        securitySchemes: {
          signIn: {
            type: 'oauth2',
            flows: {
              authorizationCode: {
                authorizationUrl: 'https://library.example/authorize',
                tokenUrl: 'https://library.example/token',
                scopes: { read: 'Read', rate: 'Rate' },
              },
            },
          },
        },
      },
    });
  });

  it('describes an operation with a query', () => {
    expect(createDocument().paths['/api/books'].get).toEqual({
      operationId: 'list_books',
      summary: 'List the books',
      description: 'Returns the titles of all books, or of those that contain a word.',
      'x-openai-isConsequential': false,
      security: [{ signIn: ['read'] }],
      parameters: [
        {
          name: 'word',
          in: 'query',
          required: false,
          description: 'A word that the title must contain.',
          schema: { type: 'string', description: 'A word that the title must contain.' },
        },
      ],
      responses: {
        '200': {
          description: 'The titles.',
          content: { 'application/json': { schema: { type: 'array', items: { type: 'string' } } } },
        },
        '400': { $ref: '#/components/responses/BadRequest' },
        ...errorResponses,
        ...forbidden,
      },
    });
  });

  it('describes an operation with a body, without the fields that are in the path', () => {
    expect(createDocument().paths['/api/books/{title}'].post).toMatchObject({
      operationId: 'rate_book',
      'x-openai-isConsequential': true,
      security: [{ signIn: ['read', 'rate'] }],
      parameters: [{ name: 'title', in: 'path', required: true, schema: { type: 'string' } }],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                stars: { type: 'integer', minimum: 1, maximum: 5, description: 'One to five.' },
                comment: { type: 'string' },
              },
              required: ['stars'],
              additionalProperties: false,
            },
          },
        },
      },
    });
  });

  it('has no parameters or body for an operation without input', () => {
    const operation = createDocument().paths['/api/books'].delete;
    expect(Object.keys(operation)).toEqual([
      'operationId',
      'summary',
      'description',
      'x-openai-isConsequential',
      'security',
      'responses',
    ]);
    expect(operation.responses).toEqual({
      '200': {
        description: 'The result.',
        content: { 'application/json': { schema: { type: 'null' } } },
      },
      ...errorResponses,
    });
  });

  it('documents every problem as problem+json, with its response header', () => {
    const { responses, schemas } = createDocument().components;
    expect(schemas.Problem.required).toEqual(['type', 'title', 'status', 'detail']);
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    expect(responses).toEqual({
      BadRequest: { description: expect.any(String), content },
      Unauthorized: { description: expect.any(String), content, headers: { 'WWW-Authenticate': header } },
      Forbidden: { description: expect.any(String), content, headers: { 'WWW-Authenticate': header } },
      ContentTooLarge: { description: expect.any(String), content },
      UnsupportedMediaType: { description: expect.any(String), content, headers: { 'Accept-Post': header } },
      MisdirectedRequest: { description: expect.any(String), content },
      TooManyRequests: { description: expect.any(String), content, headers: { 'Retry-After': header } },
      InternalServerError: { description: expect.any(String), content },
      Unavailable: { description: expect.any(String), content, headers: { 'Retry-After': header } },
    });
  });

  it('lists the problems of a handler with their own descriptions, and keeps the header of a common one', () => {
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    const closed = { ...getBook, problems: { ...getBook.problems, 503: 'The library is closed.' } };
    const { paths } = JSON.parse(JSON.stringify(createOpenApiDocument(defineApi([closed]), options)));
    expect(paths['/api/books/{title}'].get.responses).toMatchObject({
      '404': { description: 'There is no book with this title.', content },
      '503': { description: 'The library is closed.', content, headers: { 'Retry-After': header } },
    });
  });

  it('describes every response in at most 300 characters, as ChatGPT requires', () => {
    const texts = [...JSON.stringify(createDocument()).matchAll(/"description":"([^"]*)"/g)];
    expect(texts.length).toBeGreaterThan(20);
    for (const [, text = ''] of texts) expect(text.length).toBeLessThanOrEqual(300);
    for (const text of ['', 'x'.repeat(301)])
      expect(() => defineApi([{ ...getBook, problems: { 404: text } }])).toThrow(
        new DefinitionError(
          `get_book: the description of the problem 404 must have 1 to 300 characters, not ${text.length}.`,
        ),
      );
  });

  /** Sends each request to a library with this guard and these books, and adds the statuses of the responses. */
  const collectStatuses = async (
    statuses: Set<string>,
    requests: readonly (readonly [path: string, init?: RequestInit])[],
    { guard, books }: { readonly guard: Guard<{ readonly ok: true }>; readonly books?: readonly string[] },
  ) => {
    const handle = createHttpHandler(library, {
      basePath: '/api',
      guard,
      context: (): Shelf => {
        if (books === undefined) throw new Error('there is no shelf');
        return { reader: 'ada', books };
      },
      logError: () => undefined,
    });
    for (const [path, init] of requests)
      statuses.add(String((await handle(buildRequest(path, init)))?.status));
  };

  const form = { method: 'POST', body: 'stars=3', headers: { 'content-type': 'text/plain' } };

  it.each<[string, string, readonly (readonly [path: string, init?: RequestInit])[]]>([
    ['get', '/api/books', [['/api/books'], ['/api/books?word=a&word=b']]],
    ['delete', '/api/books', [['/api/books', { method: 'DELETE' }]]],
    [
      'post',
      '/api/books/{title}',
      [
        ['/api/books/Emma', buildJsonRequest({ stars: 3 })],
        ['/api/books/Emma', buildJsonRequest({ stars: 9 })],
        ['/api/books/Emma', buildJsonRequest('x'.repeat(100_001))],
        ['/api/books/Emma', form],
      ],
    ],
  ])('lists exactly the statuses that can occur: %s %s', async (method, path, requests) => {
    const statuses = new Set<string>();
    const accept = async () => ({ ok: true }) as const;
    await collectStatuses(statuses, requests, { guard: accept, books: ['Emma'] });
    await collectStatuses(statuses, requests, { guard: accept });
    const { responses, security } = createDocument().paths[path][method];
    // What a guard such as `broker.protect` responds with.
    const needsScopes = security[0].signIn.length > 0;
    for (const status of [401, ...(needsScopes ? [403] : []), 421, 429, 503]) {
      const response = new Response(null, { status });
      await collectStatuses(statuses, requests.slice(0, 1), { guard: async () => ({ ok: false, response }) });
    }
    // This operation always fails.
    if (method === 'delete') statuses.add('200');
    expect([...statuses].sort()).toEqual(Object.keys(responses).sort());
  });

  it.each([
    ['http://library.example'],
    ['https://library.example/'],
    ['https://library.example/v1'],
    ['ftp://library.example'],
    ['library.example'],
    ['http://localhost.example'],
  ])('is not created for the server %s', (origin) => {
    expect(() => createDocument({ origin })).toThrow(
      new DefinitionError(`origin must be an https origin, or an http origin on loopback, not "${origin}".`),
    );
  });

  it.each([['http://localhost:8787'], ['http://127.0.0.1:1'], ['https://library.example:8443']])(
    'is created for the server %s',
    (origin) => {
      expect(createDocument({ origin }).servers).toEqual([{ url: origin }]);
    },
  );

  it('is not created if an operation requires a scope that is not declared', () => {
    expect(() => createOpenApiDocument(library, { ...options, scopes: { read: 'Read' } })).toThrow(
      new DefinitionError('rate_book: the option scopes must describe the required scope rate.'),
    );
  });
});
