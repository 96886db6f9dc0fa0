/** Which paths call which operation, over HTTP. */
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  createHttpHandler,
  DefinitionError,
  defineApi,
  defineOperation,
  type Method,
  noInput,
  type Operation,
} from '../../src/index.ts';
import { buildRequest, createLibraryHandler } from '../library.ts';

/** An operation that returns its ID and its input. */
const createEcho = (method: Method, path: `/${string}`, id: string): Operation<undefined> => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return defineOperation({
    id,
    method,
    path,
    summary: 'Echo',
    description: 'Returns its input.',
    scopes: [id],
    isConsequential: false,
    input:
      names.length === 0
        ? noInput
        : v.strictObject(Object.fromEntries(names.map((name) => [name, v.string()]))),
    output: v.any(),
    handle: async (input) => ({ id, input }),
  });
};

/** Serves operations below `/api`, and records the scopes that the guard is called with. */
const serve = (operations: readonly Operation<undefined>[], basePath: `/${string}` = '/api') => {
  const requestedScopes: (readonly string[])[] = [];
  const handle = createHttpHandler(defineApi(operations), {
    basePath,
    guard: async (_, scopes) => {
      requestedScopes.push(scopes);
      return { ok: true } as const;
    },
    context: () => undefined,
    logError: (error) => expect.unreachable(String(error)),
  });
  const call = async (path: string, method = 'GET') => {
    const response = await handle(buildRequest(path, { method }));
    if (response === undefined) return undefined;
    if (!response.ok) return [response.status, response.headers.get('allow')];
    return response.json();
  };
  return { handle, call, requestedScopes };
};

describe('a path that is not below the base path', () => {
  it.each([
    ['/'],
    ['/ap'],
    ['/apis/books'],
    ['/api;/books'],
    ['//api/books'],
    ['/API/books'],
    ['/api%2fbooks'],
    ['/api%00/books'],
    ['/%zzapi/books'],
    ['/api%/books'],
    ['/x/../api%2fbooks'],
    ['/%5capi/books'],
    ['/%2561pi/books'],
    ['/;/api/books'],
    ['/x/api/books'],
    ['/api/%2e%2e/books'],
    ['/?/api/books'],
  ])('gets no response, and the guard is not called: %s', async (path) => {
    const { handle, requestedScopes, refusals } = createLibraryHandler();
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      expect(await handle(buildRequest(path, { method }))).toBeUndefined();
    expect([requestedScopes, refusals]).toEqual([[], []]);
  });
});

describe('a path below the base path', () => {
  it.each([
    ['/api'],
    ['/api/'],
    ['/api//books'],
    ['/api/books/'],
    ['/api/books//'],
    ['/api/Books'],
    ['/api/books;v=1'],
    ['/api/books%2f'],
    ['/api/books%00'],
    ['/api/books%3Fword=a'],
    ['/api/books%'],
    ['/api/book'],
    ['/api/b%C3%B6oks'],
    ['/api/b%256Foks'],
    ['/api/bo\u043Eks'],
    ['/api/{title}'],
    ['/api/books/%zz'],
    ['/api/books/%'],
    ['/api/books/%4'],
    ['/api/books/%C3%28'],
    ['/api/books/%C0%AE'],
    ['/api/books/%FF'],
    ['/api/books/Emma%zz'],
    ['/api/books/Emma/%zz'],
    ['/api/books/Emma/'],
    ['/api/%zz/../films'],
  ])('that no operation has is refused after the guard, and no operation runs: %s', async (path) => {
    const { send, call, requestedScopes, refusals } = createLibraryHandler();
    const response = await send(path);
    expect([response.status, await response.text(), refusals]).toEqual([401, 'no name', []]);
    for (const method of ['GET', 'POST', 'DELETE']) expect((await call(path, { method })).status).toBe(404);
    expect(requestedScopes).toEqual([[], [], [], []]);
    expect(refusals).toEqual(
      Array.from({ length: 3 }, () => ({
        event: 'refused',
        endpoint: 'http',
        reason: 'operation.path',
        status: 404,
      })),
    );
  });

  it('is passed to notFound as it was sent', async () => {
    const response = await createLibraryHandler().call('/%61pi/films%2F?a=1');
    expect(await response.json()).toMatchObject({ detail: 'No such shelf: /%61pi/films%2F' });
  });

  it.each([
    ['/%61pi/books'],
    ['/api/b%6f%6Fks'],
    ['/x/../api/./books'],
    ['/x/%2e%2e/api/books'],
    ['\\api\\books'],
    ['/api/books?'],
    ['/api/books#/x'],
  ])('calls its operation in every spelling, with its scopes: %s', async (path) => {
    const { send, call, requestedScopes } = createLibraryHandler();
    expect((await send(path)).status).toBe(401);
    expect(await (await call(path)).json()).toEqual(['Emma', 'Dracula']);
    expect(requestedScopes).toEqual([['read'], ['read']]);
  });
});

describe('a field of a path', () => {
  const { call } = serve([createEcho('get', '/api/books/{title}', 'get_book')]);

  it.each([
    ['Emma', 'Emma'],
    ['War%20%26%20Peace%2F1', 'War & Peace/1'],
    ['a+b', 'a+b'],
    ['Emma;v=1', 'Emma;v=1'],
    ['%2525', '%25'],
    ['%252F', '%2F'],
    ['..%2F..', '../..'],
    ['%5C', '\\'],
    ['%00', '\0'],
    ['%0D%0A', '\r\n'],
    ['%3Fa%23b', '?a#b'],
    ['b\u00F6se', 'b\u00F6se'],
    ['%E4%BD%A0%F0%9F%98%80', '\u4F60\u{1F600}'],
    ['%7Btitle%7D', '{title}'],
    ['__proto__', '__proto__'],
  ])('is decoded once: %s', async (sent, title) => {
    expect(await call(`/api/books/${sent}`)).toEqual({ id: 'get_book', input: { title } });
  });

  it.each([['/api/books'], ['/api/books/'], ['/api/books/%2'], ['/api/books/a/b']])(
    'is one whole segment: %s',
    async (path) => {
      expect(await call(path)).toEqual([404, null]);
    },
  );
});

describe('two operations that match a path', () => {
  const operations = [
    createEcho('get', '/api/{kind}/{name}', 'any'),
    createEcho('get', '/api/{kind}/top', 'top'),
    createEcho('get', '/api/books/{title}', 'book'),
    createEcho('post', '/api/books/top', 'vote'),
    createEcho('delete', '/api/{shelf}/{title}', 'burn'),
  ];

  it.each([
    ['in this order', operations],
    ['in reverse order', operations.toReversed()],
  ])('the one wins whose path has text first, defined %s', async (_, ordered) => {
    const { call, requestedScopes } = serve(ordered);
    expect(await call('/api/films/Alien')).toEqual({ id: 'any', input: { kind: 'films', name: 'Alien' } });
    expect(await call('/api/films/top')).toEqual({ id: 'top', input: { kind: 'films' } });
    expect(await call('/api/books/Emma')).toEqual({ id: 'book', input: { title: 'Emma' } });
    // Of those with the method of the request.
    expect(await call('/api/books/top')).toEqual({ id: 'book', input: { title: 'top' } });
    expect(await call('/api/books/top', 'POST')).toEqual({ id: 'vote', input: {} });
    expect(await call('/api/books/top', 'DELETE')).toEqual({
      id: 'burn',
      input: { shelf: 'books', title: 'top' },
    });
    expect(requestedScopes).toEqual([['any'], ['top'], ['book'], ['book'], ['vote'], ['burn']]);
  });

  it('list the methods of both if none has the method of the request', async () => {
    const { call, requestedScopes } = serve(operations);
    expect(await call('/api/books/top', 'PUT')).toEqual([405, 'POST, GET, HEAD, DELETE']);
    expect(await call('/api/films/Alien', 'POST')).toEqual([405, 'GET, HEAD, DELETE']);
    expect(requestedScopes).toEqual([[], []]);
  });
});

describe('the base path', () => {
  it.each<[`/${string}`]>([['/ap'], ['/api/'], ['/api/books/Emma'], ['/'], ['/API'], ['/other']])(
    'must contain the path of every operation: %s',
    (basePath) => {
      expect(() => serve([createEcho('get', '/api/books', 'list_books')], basePath)).toThrow(
        new DefinitionError(`list_books: the path /api/books must be ${basePath} or below it.`),
      );
    },
  );

  it('can be the path of an operation', async () => {
    const { call } = serve([createEcho('get', '/api', 'get_index')]);
    expect(await call('/api')).toEqual({ id: 'get_index', input: {} });
    expect(await call('/api/')).toEqual([404, null]);
  });

  it('can have several segments', async () => {
    const { call } = serve([createEcho('get', '/api/v1/books', 'list_books')], '/api/v1');
    expect(await call('/api/v1/books')).toEqual({ id: 'list_books', input: {} });
    expect(await call('/api/v1')).toEqual([404, null]);
    expect(await call('/api')).toBeUndefined();
    expect(await call('/api/v2/books')).toBeUndefined();
  });
});

const isField = (segment: string): boolean => segment.startsWith('{');

/** Text of a path: what `defineApi` accepts, except the names of the folders `.` and `..`, which URLs resolve. */
const text = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/).filter((value) => !/^\.\.?$/.test(value));
const field = fc.constantFrom('{a}', '{b}', '{c}');
const template = fc
  .array(fc.oneof(text, field), { minLength: 1, maxLength: 5 })
  .filter((segments) => new Set(segments.filter(isField)).size === segments.filter(isField).length);

/** A value of a field. URLs resolve `.` and `..` even if they are percent-encoded. */
const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !/^\.\.?$/.test(one));

/** Encodes each character of a text, or leaves it as it is. Both have the same meaning. */
const encodeSome = (segment: string, encoded: readonly boolean[]): string =>
  [...segment]
    .map((character, index) =>
      encoded[index % encoded.length] === true && character.length === 1
        ? `%${character.charCodeAt(0).toString(16)}`
        : character,
    )
    .join('');

const confusing = fc.constantFrom(
  ...[
    '',
    '/',
    '//',
    '/.',
    '/..',
    ';',
    ';x',
    '%',
    '%zz',
    '%2f',
    '%00',
    '%5c',
    '%20',
    '\\',
    '%25',
    'A',
    '\u00E9',
    '.',
    '~',
  ],
);

describe('a generated path', () => {
  it('calls the operation with the values that it was built from', async () => {
    const booleans = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        template,
        fc.array(value, { minLength: 5, maxLength: 5 }),
        booleans,
        async (segments, values, encoded) => {
          const input: Record<string, string> = {};
          const sent = segments.map((segment, index) => {
            const one = values[index] ?? '';
            if (!isField(segment)) return encodeSome(segment, encoded);
            input[segment.slice(1, -1)] = one;
            return encodeURIComponent(one);
          });
          const { call, requestedScopes } = serve([createEcho('get', `/api/${segments.join('/')}`, 'echo')]);
          expect(await call(`/api/${sent.join('/')}`)).toEqual({ id: 'echo', input });
          expect(requestedScopes).toEqual([['echo']]);
        },
      ),
    );
  });

  it('calls no operation unless its segments are those of the template', async () => {
    const part = fc.oneof(text, confusing, fc.webSegment(), field);
    await fc.assert(
      fc.asyncProperty(template, fc.array(part, { maxLength: 6 }), fc.nat(), async (segments, parts, cut) => {
        // A path of the template, with something else from a random position.
        const path = `/api/${[...segments.slice(0, cut % (segments.length + 1)), ...parts].join('/')}`;
        const { handle, requestedScopes } = serve([createEcho('get', `/api/${segments.join('/')}`, 'echo')]);
        const request = buildRequest(path);
        const response = await handle(request);
        const sent = new URL(request.url).pathname.split('/').slice(1);
        if (!isBuiltFrom(['api'], sent.slice(0, 1))) return expect(response).toBeUndefined();
        const isMatch = isBuiltFrom(['api', ...segments], sent);
        expect(response?.status).toBe(isMatch ? 200 : 404);
        expect(requestedScopes).toEqual([isMatch ? ['echo'] : []]);
      }),
    );
  });
});

/** The rule in other words: a segment is text that is percent-encoded in any way, or a field that is not empty. */
const isBuiltFrom = (segments: readonly string[], sent: readonly string[]): boolean =>
  segments.length === sent.length &&
  segments.every((segment, index) => {
    const decoded = decodeBytes(sent[index] ?? '');
    return isField(segment) ? decoded !== undefined && decoded !== '' : decoded === segment;
  });

/** Decodes a segment byte by byte, as UTF-8. Returns `undefined` if it is malformed. */
const decodeBytes = (segment: string): string | undefined => {
  const bytes: number[] = [];
  for (const [part] of segment.matchAll(/%[0-9a-f]{2}|./gi)) {
    if (part === '%') return undefined;
    bytes.push(part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
};
