import { describe, expect, it } from 'vitest';
import { createOpenApiDocument, DefinitionError } from '../../src/index.ts';
import { library } from '../library.ts';

const options = {
  title: 'Library',
  version: '1.2.3',
  description: 'Books.',
  origin: 'https://library.example',
  authorizationUrl: 'https://library.example/authorize',
  tokenUrl: 'https://library.example/token',
  scopes: { read: 'Read', rate: 'Rate' },
};

/** What a reader of the JSON sees: members that are undefined are not there. */
const written = (change: Partial<typeof options> = {}) =>
  JSON.parse(JSON.stringify(createOpenApiDocument(library, { ...options, ...change })));

const failures = {
  '401': { $ref: '#/components/responses/Unauthorized' },
  '403': { $ref: '#/components/responses/Forbidden' },
  '404': { $ref: '#/components/responses/NotFound' },
  '503': { $ref: '#/components/responses/Unavailable' },
};

describe('the document', () => {
  it('names itself, its one server and how to sign in', () => {
    const { paths: _, ...rest } = written();
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
    expect(written().paths['/api/books'].get).toEqual({
      operationId: 'list_books',
      summary: 'List the books',
      description: 'Gives the titles of all books, or of those that hold a word.',
      'x-openai-isConsequential': false,
      security: [{ signIn: ['read'] }],
      parameters: [
        {
          name: 'word',
          in: 'query',
          required: false,
          description: 'A word that the title must hold.',
          schema: { type: 'string', description: 'A word that the title must hold.' },
        },
      ],
      responses: {
        '200': {
          description: 'The titles.',
          content: { 'application/json': { schema: { type: 'array', items: { type: 'string' } } } },
        },
        '400': { $ref: '#/components/responses/BadRequest' },
        ...failures,
      },
    });
  });

  it('describes an operation with a body, which leaves out what is in the path', () => {
    expect(written().paths['/api/books/{title}'].post).toMatchObject({
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

  it('says nothing of input where there is none', () => {
    const burn = written().paths['/api/books'].delete;
    expect(Object.keys(burn)).toEqual([
      'operationId',
      'summary',
      'description',
      'x-openai-isConsequential',
      'security',
      'responses',
    ]);
    expect(burn.responses).toEqual({
      '200': {
        description: 'What was asked for.',
        content: { 'application/json': { schema: { type: 'null' } } },
      },
      ...failures,
    });
  });

  it('documents every problem as problem+json, with the header that comes along', () => {
    const { responses, schemas } = written().components;
    expect(schemas.Problem.required).toEqual(['type', 'title', 'status', 'detail']);
    for (const response of Object.values(responses)) {
      expect(response).toMatchObject({
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      });
    }
    expect(Object.keys(responses.Unauthorized.headers)).toEqual(['WWW-Authenticate']);
    expect(Object.keys(responses.Forbidden.headers)).toEqual(['WWW-Authenticate']);
    expect(Object.keys(responses.Unavailable.headers)).toEqual(['Retry-After']);
  });

  it.each([
    ['http://library.example'],
    ['https://library.example/'],
    ['https://library.example/v1'],
    ['ftp://library.example'],
    ['library.example'],
    ['http://localhost.example'],
  ])('is not made for the server %s', (origin) => {
    expect(() => written({ origin })).toThrow(new DefinitionError(`${origin} is not an https origin`));
  });

  it.each([['http://localhost:8787'], ['http://127.0.0.1:1'], ['https://library.example:8443']])(
    'is made for the server %s',
    (origin) => {
      expect(written({ origin }).servers).toEqual([{ url: origin }]);
    },
  );

  it('is not made when an operation requires a scope that is not told', () => {
    expect(() => createOpenApiDocument(library, { ...options, scopes: { read: 'Read' } })).toThrow(
      new DefinitionError('rate_book: the scope rate is not told'),
    );
  });
});
