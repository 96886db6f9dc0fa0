import { describe, expect, it } from 'vitest';
import { createOpenApiDocument, DefinitionError } from '../src/index.ts';
import { library } from './library.ts';

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

const errorResponses = {
  '401': { $ref: '#/components/responses/Unauthorized' },
  '403': { $ref: '#/components/responses/Forbidden' },
  '404': { $ref: '#/components/responses/NotFound' },
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
      NotFound: { description: expect.any(String), content },
      Unavailable: { description: expect.any(String), content, headers: { 'Retry-After': header } },
    });
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
