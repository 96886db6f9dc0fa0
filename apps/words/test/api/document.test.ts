import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { renderOpenApiDocument } from '../../src/api/openapi-document.ts';
import { type Deployment, deploy, origin } from '../deployment.ts';
import { checkDocumentedResponse, readDocumentedResponses } from '../documented-responses.ts';
import { makeUnreachable } from '../store/database.ts';

const { call, signIn } = deploy();

const text = renderOpenApiDocument(origin);
const document: OpenApiDocument = JSON.parse(text);

interface OpenApiDocument {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly 'x-openai-isConsequential': boolean;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Makes a request fail in a way that no code expects. */
const failWhenRead = (request: Request): Request =>
  Object.defineProperty(request, 'headers', {
    get: () => {
      throw new TypeError('unexpected');
    },
  });

const operations = [
  ['get', '/api/words/animals', 'get_allanimals', 'words'],
  ['get', '/api/words/places', 'get_allplaces', 'words'],
  ['get', '/api/words/colors', 'get_allcolors', 'words'],
  ['get', '/api/scoring', 'get_score', 'score'],
  ['post', '/api/scoring', 'post_score', 'score'],
] as const;

const roundOperations = [
  ['post', '/api/rounds', 'start_round', 'score'],
  ['post', '/api/rounds/{round}/guesses', 'guess', 'score'],
  ['post', '/api/rounds/{round}/hints', 'get_hint', 'score'],
  ['post', '/api/rounds/{round}/give-up', 'give_up', 'score'],
] as const;

beforeAll(emptyD1);

describe('the document', () => {
  it('has the deployment’s origin as its only server, and its sign-in URLs', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.servers).toEqual([{ url: origin }]);
    expect(document.components.securitySchemes).toEqual({
      signIn: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: `${origin}/authorize`,
            tokenUrl: `${origin}/token`,
            scopes: { words: 'read the word lists', score: 'play rounds, see and increase your score' },
          },
        },
      },
    });
  });

  it('has the same sign-in URLs as the server metadata', async () => {
    const metadata = await (await call('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      scopes_supported: ['offline_access', 'words', 'score'],
    });
  });

  it('describes exactly the existing operations', async () => {
    const { paths } = document;
    const documentedOperations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, security }]) => [
        method,
        path,
        operationId,
        ...security.flatMap(({ signIn: scopes = [] }) => scopes),
      ]),
    );
    expect(documentedOperations.toSorted()).toEqual([...operations, ...roundOperations].toSorted());
  });

  it.each(operations)('describes the actual response of %s %s', async (method, path) => {
    const operation = document.paths[path]?.[method];
    const response = await call(path, {
      method: method.toUpperCase(),
      token: await signIn(`${method}${path}`),
    });
    expect(response.status).toBe(200);
    const type = response.headers.get('content-type') ?? '';
    const schema = operation?.responses['200']?.content[type]?.schema;
    // `call` checks that the body matches the schema of the operation.
    expect(schema).toMatchObject(
      path.startsWith('/api/words')
        ? { type: 'array', items: { type: 'string' } }
        : {
            type: 'object',
            properties: {
              score: { type: 'integer', minimum: 0, description: 'How many words the player has guessed.' },
            },
            required: expect.arrayContaining(['score']),
            additionalProperties: false,
          },
    );
  });

  it('describes the response of start_round and guess', async () => {
    const { paths } = document;
    const method = 'post';
    const readSchema = (path: string) =>
      paths[path]?.[method]?.responses['200']?.content['application/json']?.schema;
    const always = [
      ...['round', 'category', 'language', 'started_at', 'status', 'length', 'mask', 'wrong_guesses'],
      ...['tries_left', 'hints', 'hints_left', 'expires_at'],
    ];
    expect(readSchema('/api/rounds')).toMatchObject({
      type: 'object',
      required: always,
      additionalProperties: false,
    });
    expect(readSchema('/api/rounds/{round}/guesses')).toMatchObject({
      properties: {
        result: { enum: ['correct', 'wrong', 'repeated', 'round_over'] },
        points: { minimum: 0 },
      },
      required: ['result', 'is_typo', ...always],
      additionalProperties: false,
    });
  });

  it.each(operations)('lists exactly the statuses that can occur: %s %s', async (method, path, _, scope) => {
    const statuses = new Set<number>();
    const send = async ({ app }: Deployment, bearer: string, change: (request: Request) => Request) => {
      const authorization = `Bearer ${bearer}`;
      const request = new Request(origin + path, {
        method: method.toUpperCase(),
        headers: { authorization },
      });
      const response = await app.fetch(change(request));
      await checkDocumentedResponse(request, response);
      statuses.add(response.status);
    };
    const unchanged = (request: Request) => request;
    const deployment = deploy();
    const token = await deployment.signIn('ada');
    await send(deployment, token, unchanged);
    await send(deployment, 'x', unchanged);
    await send(deployment, await deployment.signIn('ada', scope === 'words' ? 'score' : 'words'), unchanged);
    await send(deployment, token, (request) => new Request(`https://other.example${path}`, request));
    const consoleError = vi.spyOn(console, 'error').mockReturnValue();
    await send(deployment, token, failWhenRead);
    await send(deploy(makeUnreachable(env.DB)), token, unchanged);
    consoleError.mockRestore();
    const limit = async () => ({ success: false });
    const limited = { rateLimitBindings: { reads: { limit }, writes: { limit } } };
    await send(deploy(env.DB, {}, {}, limited), token, unchanged);
    const documented = readDocumentedResponses(method, path);
    expect([...statuses].sort()).toEqual([...documented.keys()].sort());
  });

  it('has no dangling references', async () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, reference]) =>
      reference?.split('/'),
    );
    expect(references.length).toBeGreaterThan(0);
    for (const pointer of references) {
      const target = pointer?.reduce<unknown>((part, name) => Object(part)[name], document);
      expect(target).toBeTypeOf('object');
    }
  });

  it('stays within the limits of ChatGPT', async () => {
    expect(text.length).toBeLessThan(100_000);
    const allOperations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(new Set(allOperations.map(({ operationId }) => operationId)).size).toBe(allOperations.length);
    for (const operation of allOperations) {
      expect(operation.summary.length).toBeLessThanOrEqual(300);
      expect(operation.description.length).toBeLessThanOrEqual(300);
      expect(operation['x-openai-isConsequential']).toBe(false);
    }
  });

  it('is also valid YAML', () => {
    // Some clients still use YAML 1.1.
    for (const version of ['1.1', '1.2'] as const)
      expect(parse(text, { version, strict: true })).toEqual(document);
  });
});
