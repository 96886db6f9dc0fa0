import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { DefinitionError, defineApi, defineOperation, ProblemError } from '../src/index.ts';
import { mcpHandler } from '../src/mcp.ts';
import { library, listBooks, rateBook, type Shelf } from './library.ts';
import {
  allScopes,
  buildCall,
  buildMessage,
  connect,
  createMcpLibrary,
  eras,
  readResult,
  url,
} from './mcp-library.ts';

const commonHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
  'cache-control': 'no-store',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
};

const jsonRpcError = (code: number, message: string) => ({
  jsonrpc: '2.0',
  id: null,
  error: { code, message },
});

const readHeaders = ({ headers }: Response) => Object.fromEntries(headers);

describe.each(['legacy', 'auto'] as const)('with the client of the SDK, version negotiation %s', (mode) => {
  it('calls a tool and gets text and structured content', async () => {
    const client = await connect(createMcpLibrary().handle, mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'legacy' ? '2025-11-25' : '2026-07-28');
    expect(client.getServerVersion()).toEqual({ name: 'library', title: 'Library', version: '1.2.3' });
    expect(client.getInstructions()).toBe('List the books before you recommend one.');
    expect(client.getServerCapabilities()).toEqual({ tools: {} });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'list_books',
      'get_book',
      'rate_book',
      'burn_books',
    ]);
    expect(
      await client.callTool({ name: 'rate_book', arguments: { title: 'Emma', stars: 4 } }),
    ).toMatchObject({
      content: [{ type: 'text', text: '{"title":"Emma","stars":4}' }],
      structuredContent: { title: 'Emma', stars: 4 },
    });
  });

  it('lists and reads prompts and resources', async () => {
    const { handle } = createMcpLibrary({
      prompts: [
        {
          name: 'recommend',
          title: 'Recommend a book',
          description: 'Recommends a book.',
          arguments: [
            { name: 'genre', description: 'The genre.', required: true },
            { name: 'mood', description: 'The mood.' },
          ],
          text: ({ genre, mood = 'any mood' }) => `Recommend ${genre} for ${mood}.`,
        },
      ],
      resources: [
        { uri: 'library://rules', name: 'rules', mimeType: 'text/plain', text: 'Be quiet.' },
        {
          uri: 'ui://shelf',
          name: 'shelf',
          title: 'The shelf',
          description: 'A page.',
          mimeType: 'text/html',
          text: '<p>',
          meta: { ui: { prefersBorder: true } },
        },
      ],
    });
    const client = await connect(handle, mode);
    expect(client.getServerCapabilities()).toEqual({ tools: {}, prompts: {}, resources: {} });
    expect((await client.listPrompts()).prompts).toEqual([
      {
        name: 'recommend',
        title: 'Recommend a book',
        description: 'Recommends a book.',
        arguments: [
          { name: 'genre', description: 'The genre.', required: true },
          { name: 'mood', description: 'The mood.' },
        ],
      },
    ]);
    const prompt = await client.getPrompt({ name: 'recommend', arguments: { genre: 'horror', extra: 'x' } });
    expect(prompt.description).toBe('Recommends a book.');
    expect(prompt.messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Recommend horror for any mood.' } },
    ]);
    await expect(client.getPrompt({ name: 'recommend' })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('The argument genre is missing.'),
    });
    await expect(client.getPrompt({ name: 'other' })).rejects.toMatchObject({ code: -32602 });
    expect((await client.listResources()).resources).toEqual([
      { uri: 'library://rules', name: 'rules', mimeType: 'text/plain' },
      {
        uri: 'ui://shelf',
        name: 'shelf',
        title: 'The shelf',
        description: 'A page.',
        mimeType: 'text/html',
        _meta: { ui: { prefersBorder: true } },
      },
    ]);
    expect((await client.readResource({ uri: 'ui://shelf' })).contents).toEqual([
      { uri: 'ui://shelf', mimeType: 'text/html', text: '<p>', _meta: { ui: { prefersBorder: true } } },
    ]);
    await expect(client.readResource({ uri: 'library://other' })).rejects.toMatchObject({ code: -32602 });
  });

  it('calls the function of a resource for its text each time that it is read, and only then', async () => {
    let count = 0;
    const rules = { uri: 'library://rules', name: 'rules', mimeType: 'text/plain' };
    const shelf = { ...rules, uri: 'library://shelf', meta: { ui: { prefersBorder: true } } };
    const { handle } = createMcpLibrary({
      resources: [
        { ...rules, text: () => `Rule ${++count}` },
        { ...shelf, text: async () => `Shelf ${++count}` },
      ],
    });
    const client = await connect(handle, mode);
    const { meta: _, ...listed } = { ...shelf, _meta: shelf.meta };
    expect((await client.listResources()).resources).toEqual([rules, listed]);
    expect(count).toBe(0);
    const read = async ({ uri }: { uri: string }) => (await client.readResource({ uri })).contents;
    const { uri, mimeType } = rules;
    expect(await read(rules)).toEqual([{ uri, mimeType, text: 'Rule 1' }]);
    expect(await read(shelf)).toEqual([{ uri: shelf.uri, mimeType, text: 'Shelf 2', _meta: shelf.meta }]);
    expect(await read(rules)).toEqual([{ uri, mimeType, text: 'Rule 3' }]);
  });
});

describe.each(eras)('a message of %s', (era) => {
  it('gets a JSON response that nothing stores', async () => {
    const { send } = createMcpLibrary();
    const response = await send(buildCall(era, 'get_book', { title: 'Emma' }));
    expect(response.status).toBe(200);
    expect(readHeaders(response)).toEqual(commonHeaders);
    expect(await response.json()).toMatchObject({
      jsonrpc: '2.0',
      id: 7,
      result: {
        content: [{ type: 'text', text: '{"title":"Emma","reader":"ada"}' }],
        structuredContent: { title: 'Emma', reader: 'ada' },
      },
    });
  });

  it('gets an output that is not an object as the member result', async () => {
    const { send } = createMcpLibrary();
    expect(await readResult(await send(buildCall(era, 'list_books', { word: 'Em' })))).toMatchObject({
      content: [{ type: 'text', text: '{"result":["Emma"]}' }],
      structuredContent: { result: ['Emma'] },
    });
  });

  it('gets the same result if only JSON is accepted, and if no Accept header is sent', async () => {
    const { send } = createMcpLibrary();
    for (const accept of ['application/json', '*/*', 'application/*;q=0.5', undefined]) {
      const message = buildCall(era, 'list_books');
      const headers = new Headers(message.headers);
      if (accept === undefined) headers.delete('accept');
      else headers.set('accept', accept);
      const response = await send({ ...message, headers });
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await readResult(response)).toMatchObject({
        structuredContent: { result: ['Emma', 'Dracula'] },
      });
    }
  });

  it('gets every problem with the input as an error result, and the operation does not run', async () => {
    const { send, errors } = createMcpLibrary();
    const response = await send(buildCall(era, 'rate_book', { title: 1, stars: 9, secret: true }));
    expect(response.status).toBe(200);
    expect(await readResult(response)).toMatchObject({
      isError: true,
      content: [
        {
          type: 'text',
          text: [
            'The input does not match the schema of this tool.',
            'title: Invalid type: Expected string but received 1',
            'stars: Invalid value: Expected <=5 but received 9',
            'secret: Invalid key: Expected never but received "secret"',
          ].join('\n'),
        },
      ],
    });
    expect(errors).toEqual([]);
  });

  it('passes on no field with the name __proto__', async () => {
    const received: object[] = [];
    const operation = defineOperation({
      ...listBooks,
      handle: async (input, _: Shelf): Promise<string[]> => {
        received.push(input);
        return [];
      },
    });
    const { send } = createMcpLibrary({}, defineApi([operation]));
    await send(buildCall(era, 'list_books', JSON.parse('{"word":"Em","__proto__":{"stars":5}}')));
    expect(received).toEqual([{ word: 'Em' }]);
    expect(received[0]).not.toHaveProperty('stars');
  });

  it('gets the detail of a problem as an error result', async () => {
    const { send, errors } = createMcpLibrary();
    const result = await readResult(await send(buildCall(era, 'get_book', { title: 'Moby-Dick' })));
    expect(result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'There is no such book.' }],
    });
    expect(result).not.toHaveProperty('structuredContent');
    expect(errors).toEqual([]);
  });

  it('gets the detail of a mapped error, which is logged because it is an error of the server', async () => {
    const { send, errors } = createMcpLibrary();
    expect(await readResult(await send(buildCall(era, 'burn_books', {}, 'eve')))).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'The library is closed.' }],
    });
    expect(errors).toEqual([[new RangeError('eve has no matches'), 'reference-1']]);
  });

  it.each([
    ['M9.1 a token', 'at.1.eyJhbGciOiJ'],
    ['M9.2 a secret', 'GPT_CLIENT_SECRET=hunter2'],
    ['M9.3 a stack trace', 'at handle (worker.js:1:2)'],
    ['M9.4 an internal path', '/srv/words/src/store.ts'],
  ])('gets only a reference ID for an error that contains %s', async (_, text) => {
    const failure = Object.assign(new Error(text), { stack: text, cause: text });
    const failing = defineOperation({
      ...listBooks,
      handle: async (_input, __: Shelf): Promise<string[]> => {
        throw failure;
      },
    });
    const { send, errors } = createMcpLibrary({}, defineApi([failing]));
    const response = await send(buildCall(era, 'list_books'));
    expect(await readResult(response.clone())).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'Something went wrong on our side. Reference: reference-1' }],
    });
    expect(await response.text()).not.toContain(text);
    expect(errors).toEqual([[failure, 'reference-1']]);
  });

  it('gets a reference ID by default that is a UUID, and that is also logged', async () => {
    const referenceIds: string[] = [];
    const handle = mcpHandler(library, {
      url,
      serverInfo: { name: 'library', version: '1' },
      guard: async () => ({ ok: true as const, scopes: [] }),
      context: (): Shelf => ({ reader: 'ada', books: [] }),
      instructions: '',
      logError: (_, referenceId) => void referenceIds.push(referenceId),
    });
    const response = await handle(new Request(url, buildCall(era, 'burn_books')));
    expect(referenceIds).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(await response.text()).toContain(`Reference: ${referenceIds[0]}`);
  });

  it('M6.2 never gets an output that does not match its schema', async () => {
    const leaky = defineOperation({
      ...listBooks,
      output: v.strictObject({ title: v.string() }),
      handle: async (_, { reader }: Shelf) => ({ title: 'Emma', password: `of ${reader}` }),
    });
    const { send, errors } = createMcpLibrary({}, defineApi([leaky]));
    const response = await send(buildCall(era, 'list_books'));
    expect(await readResult(response.clone())).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'Something went wrong on our side. Reference: reference-1' }],
    });
    expect(await response.text()).not.toContain('password');
    expect(String(errors[0]?.[0])).toBe(
      'Error: list_books: the output does not match its schema: password (strict_object)',
    );
  });

  it('M6.2 never gets members or values that the schema leaves out', async () => {
    const lenient = defineOperation({
      ...listBooks,
      output: v.object({ title: v.string(), pages: v.fallback(v.number(), 0) }),
      handle: async () => ({ title: 'Emma', pages: 'a secret', password: 'a secret' }) as never,
    });
    const { send } = createMcpLibrary({}, defineApi([lenient]));
    const response = await send(buildCall(era, 'list_books'));
    expect(await readResult(response.clone())).toMatchObject({
      structuredContent: { title: 'Emma', pages: 0 },
    });
    expect(await response.text()).not.toContain('secret');
  });

  it('logs where an output does not match its schema, without the value', async () => {
    const wrong = defineOperation({
      ...listBooks,
      output: v.array(v.strictObject({ pages: v.number() })),
      handle: async () => [{ pages: 'the diary of Ada' }] as never,
    });
    const { send, errors } = createMcpLibrary({}, defineApi([wrong]));
    expect(await readResult(await send(buildCall(era, 'list_books')))).toMatchObject({ isError: true });
    expect(errors.map(([error]) => String(error))).toEqual([
      'Error: list_books: the output does not match its schema: result.0.pages (number)',
    ]);
  });

  it('never gets an output that JSON does not have', async () => {
    const broken = { ...listBooks, output: v.any(), run: async () => ({ ok: true as const, output: 1n }) };
    const { send, errors } = createMcpLibrary({}, defineApi([broken]));
    expect(await readResult(await send(buildCall(era, 'list_books')))).toMatchObject({ isError: true });
    expect(errors).toHaveLength(1);
  });

  it('validates the output as it is sent, after toJSON', async () => {
    const dated = defineOperation({
      ...listBooks,
      output: v.strictObject({ due: v.string() }),
      handle: async () => ({ due: new Date(0), none: undefined }) as never,
    });
    const { send } = createMcpLibrary({}, defineApi([dated]));
    expect(await readResult(await send(buildCall(era, 'list_books')))).toMatchObject({
      structuredContent: { due: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('gets a 401 response for a problem with that status, so that the client signs in again', async () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    const expired = defineOperation({
      ...listBooks,
      handle: async (): Promise<string[]> => {
        throw new ProblemError({ status: 401, detail: 'The user was deleted.', headers });
      },
    });
    const { send } = createMcpLibrary({}, defineApi([expired]));
    const response = await send(buildCall(era, 'list_books'));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await response.json()).toMatchObject({ status: 401, detail: 'The user was deleted.' });
  });

  it('gets an error for a tool that does not exist', async () => {
    const { send, contexts } = createMcpLibrary();
    for (const name of ['other', '__proto__', 'constructor', '']) {
      const response = await send(buildCall(era, name));
      expect(await response.json()).toMatchObject({
        id: 7,
        error: { code: -32602, message: expect.stringContaining('There is no such tool.') },
      });
    }
    expect(contexts).toEqual([]);
  });

  it('is refused with 403 and all scopes of the operation before the operation runs', async () => {
    const { send, guardCalls, contexts } = createMcpLibrary();
    const response = await send(buildCall(era, 'rate_book', { title: 'Emma', stars: 4 }, 'ada read'));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe('Bearer scope="read rate"');
    expect(await response.text()).toBe('refused: read rate');
    expect(guardCalls).toEqual([
      [[], ['read', 'rate'], true],
      [['read', 'rate'], ['read', 'rate'], false],
    ]);
    expect(contexts).toEqual([]);
  });

  it('is authenticated once if the token has the scopes', async () => {
    const { send, guardCalls, contexts } = createMcpLibrary();
    expect((await send(buildCall(era, 'get_book', { title: 'Emma' }, 'ada read'))).status).toBe(200);
    expect(guardCalls).toEqual([[[], ['read', 'rate'], true]]);
    expect(contexts).toEqual(['ada']);
  });

  it('does not need a scope to list the tools', async () => {
    const { send, contexts } = createMcpLibrary();
    const { tools } = await readResult(await send(buildMessage(era, 'tools/list', {}, 'ada')));
    expect(tools).toHaveLength(4);
    expect(contexts).toEqual([]);
  });

  it('logs an error of the guard, and sends only a reference ID', async () => {
    const failure = new Error('the guard is down');
    const { send, errors } = createMcpLibrary({
      guard: async () => {
        throw failure;
      },
    });
    const response = await send(buildCall(era, 'list_books'));
    expect(response.status).toBe(500);
    expect(readHeaders(response)).toEqual(commonHeaders);
    expect(await response.json()).toEqual(
      jsonRpcError(-32603, 'Something went wrong on our side. Reference: reference-1'),
    );
    expect(errors).toEqual([[failure, 'reference-1']]);
  });
});

describe.each(eras)('a missing scope that is reported in the result, in %s', (era) => {
  const missingScope = buildCall(era, 'rate_book', { title: 'Emma', stars: 4 }, 'ada read');
  /** What the SDK adds to a result. */
  const envelope =
    era === '2025-11-25'
      ? { _meta: {}, result: {} }
      : {
          _meta: {
            'io.modelcontextprotocol/serverInfo': { name: 'library', title: 'Library', version: '1.2.3' },
          },
          result: { resultType: 'complete' },
        };
  const isAda = ({ name }: { readonly name: string }) => name === 'ada';

  it('reaches the client with the complete challenge, and the operation does not run', async () => {
    const runs: unknown[] = [];
    const watched = {
      ...rateBook,
      run: async (input: unknown) => {
        runs.push(input);
        return { ok: true as const, output: { title: 'Emma', stars: 4 } };
      },
    };
    const { send, guardCalls, contexts, errors } = createMcpLibrary(
      { reportsMissingScopeInResult: isAda },
      defineApi([watched]),
    );
    const response = await send(missingScope);
    expect(response.status).toBe(200);
    expect(readHeaders(response)).toEqual(commonHeaders);
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        isError: true,
        content: [
          {
            type: 'text',
            text: 'The user has not allowed this app to do this yet. Ask the user to authorize the app again and to allow the access that it requests. Then call the tool again.',
          },
        ],
        _meta: { 'mcp/www_authenticate': ['Bearer scope="read rate"'], ...envelope._meta },
        ...envelope.result,
      },
    });
    expect(guardCalls.map(([scopes]) => scopes)).toEqual([[], ['read', 'rate']]);
    expect([runs, contexts, errors]).toEqual([[], [], []]);
  });

  it('reaches the client of the SDK', async () => {
    const { handle } = createMcpLibrary({ reportsMissingScopeInResult: isAda });
    const client = await connect(handle, era === '2025-11-25' ? 'legacy' : 'auto', 'ada read');
    expect(await client.callTool({ name: 'rate_book', arguments: {} })).toMatchObject({
      isError: true,
      _meta: { 'mcp/www_authenticate': ['Bearer scope="read rate"'] },
    });
  });

  it('is a 403 response for every other caller, and by default', async () => {
    const forBob = createMcpLibrary({ reportsMissingScopeInResult: ({ name }) => name === 'bob' });
    for (const { send } of [forBob, createMcpLibrary()]) {
      const response = await send(missingScope);
      expect([response.status, await response.text()]).toEqual([403, 'refused: read rate']);
      expect(response.headers.get('www-authenticate')).toBe('Bearer scope="read rate"');
    }
  });

  it.each([[async () => false], [() => 'yes'], [() => 1]])(
    'is a 403 response if the option in JavaScript returns anything but true: %s',
    async (reportsMissingScopeInResult) => {
      const { send } = createMcpLibrary({ reportsMissingScopeInResult } as object);
      expect((await send(missingScope)).status).toBe(403);
    },
  );

  it('is a 500 response if the option fails, with only a reference ID', async () => {
    const failure = new Error('secret');
    const { send, errors, contexts } = createMcpLibrary({
      reportsMissingScopeInResult: () => {
        throw failure;
      },
    });
    const response = await send(missingScope);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual(
      jsonRpcError(-32603, 'Something went wrong on our side. Reference: reference-1'),
    );
    expect([errors, contexts]).toEqual([[[failure, 'reference-1']], []]);
  });

  it.each([
    [401, { 'www-authenticate': 'Bearer error="invalid_token"' }],
    [403, {}],
    [421, {}],
    [429, { 'retry-after': '60' }],
    [503, { 'retry-after': '10', 'www-authenticate': 'Bearer' }],
  ])('does not replace another refusal: %i with %o', async (status, headers) => {
    const { send, contexts } = createMcpLibrary({
      reportsMissingScopeInResult: () => true,
      guard: async (_, scopes) =>
        scopes.length === 0
          ? { ok: true, name: 'ada', scopes: ['read'] }
          : { ok: false, response: new Response('refused', { status, headers }) },
    });
    const response = await send(missingScope);
    expect([response.status, await response.text(), contexts]).toEqual([status, 'refused', []]);
    expect(response.headers.get('www-authenticate')).toBe(new Headers(headers).get('www-authenticate'));
    expect(response.headers.get('retry-after')).toBe(new Headers(headers).get('retry-after'));
  });

  it('leaves the refusal of a caller without a token unchanged', async () => {
    const { send } = createMcpLibrary({ reportsMissingScopeInResult: () => true });
    const headers = new Headers(missingScope.headers);
    headers.delete('authorization');
    const response = await send({ ...missingScope, headers });
    expect([response.status, await response.text()]).toEqual([401, 'refused: read rate']);
  });

  it('does not concern a caller who has the scopes', async () => {
    const { send } = createMcpLibrary({ reportsMissingScopeInResult: () => true });
    const response = await send(buildCall(era, 'rate_book', { title: 'Emma', stars: 4 }));
    expect(await readResult(response)).toMatchObject({ structuredContent: { title: 'Emma', stars: 4 } });
  });
});

describe('the endpoint', () => {
  it('responds to a preflight without calling the guard', async () => {
    const { send, guardCalls } = createMcpLibrary();
    const response = await send({
      method: 'OPTIONS',
      headers: { origin: 'https://inspector.example', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(readHeaders(response)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-allow-headers':
        'Authorization, Content-Type, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID',
      'access-control-max-age': '7200',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(guardCalls).toEqual([]);
  });

  it.each(['GET', 'DELETE', 'HEAD', 'PUT', 'PATCH', 'OPTIONS'])(
    'refuses %s with 405, but first asks the guard',
    async (method) => {
      const { send } = createMcpLibrary();
      expect((await send({ method })).status).toBe(401);
      const response = await send({ method, headers: { authorization: allScopes } });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
      expect(await response.json()).toEqual(jsonRpcError(-32000, 'Method not allowed.'));
    },
  );

  it('sends the response of the guard, which names all scopes, to a caller without a token', async () => {
    const { send, guardCalls } = createMcpLibrary();
    const response = await send({ method: 'POST', body: 'not JSON' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer scope="read rate"');
    expect(response.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, Retry-After');
    expect(guardCalls).toEqual([[[], ['read', 'rate'], true]]);
  });

  it('refuses another host without calling the guard', async () => {
    const { send, guardCalls } = createMcpLibrary();
    for (const target of [
      'https://evil.example/mcp',
      'http://library.example/mcp',
      `${url.slice(0, -4)}:8443/mcp`,
    ]) {
      const response = await send(buildCall('2025-11-25', 'list_books'), target);
      expect(response.status).toBe(421);
      expect(await response.json()).toEqual(
        jsonRpcError(-32000, 'This server does not serve the requested host.'),
      );
    }
    expect(guardCalls).toEqual([]);
  });

  it('M4.2 refuses pages on other hosts if it is on loopback, and no page otherwise', async () => {
    const local = createMcpLibrary({ url: 'http://127.0.0.1:8787/mcp' });
    const call = (origin: string) => {
      const message = buildCall('2025-11-25', 'list_books');
      return { ...message, headers: { ...Object.fromEntries(new Headers(message.headers)), origin } };
    };
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example', '']) {
      const response = await local.send(call(origin), 'http://127.0.0.1:8787/mcp');
      expect([origin, response.status]).toEqual([origin, 403]);
      expect(await response.json()).toEqual(
        jsonRpcError(-32000, 'Pages on this origin must not call this server.'),
      );
    }
    expect(local.contexts).toEqual([]);
    for (const origin of ['http://localhost:6274', 'http://127.0.0.1:8787', 'http://[::1]:1'])
      expect((await local.send(call(origin), 'http://127.0.0.1:8787/mcp')).status).toBe(200);
    expect((await createMcpLibrary().send(call('https://inspector.example'))).status).toBe(200);
  });

  const refusals: readonly (readonly [string, number, RequestInit, object])[] = [
    [
      'a client that does not accept JSON',
      406,
      { headers: { accept: 'text/event-stream' } },
      jsonRpcError(-32000, 'The Accept header must allow application/json.'),
    ],
    [
      'a body of another type',
      415,
      { headers: { 'content-type': 'text/plain' } },
      jsonRpcError(-32000, 'The Content-Type must be application/json.'),
    ],
    ['an empty body', 400, { body: '' }, jsonRpcError(-32700, 'The body is not valid JSON.')],
    ['a body that is not JSON', 400, { body: '{' }, jsonRpcError(-32700, 'The body is not valid JSON.')],
    [
      'a body of 100,001 bytes',
      413,
      { body: `"${'x'.repeat(99_999)}"` },
      jsonRpcError(-32000, 'The body is longer than 100000 bytes.'),
    ],
    [
      'a body of 100,001 bytes with a Content-Length of 10',
      413,
      { body: `"${'x'.repeat(99_999)}"`, headers: { 'content-length': '10' } },
      jsonRpcError(-32000, 'The body is longer than 100000 bytes.'),
    ],
    ['a batch', 400, { body: '[]' }, jsonRpcError(-32600, 'Batches are not supported.')],
    [
      'a message with 65 levels',
      400,
      { body: `${'{"a":'.repeat(64)}{"b":1}${'}'.repeat(64)}` },
      jsonRpcError(-32600, 'The message is nested too deeply.'),
    ],
    [
      'a message with 40,000 levels',
      400,
      { body: `${'[0,'.repeat(20_000)}0${']'.repeat(20_000)}` },
      jsonRpcError(-32600, 'Batches are not supported.'),
    ],
    [
      'params with 40,000 levels',
      400,
      { body: `{"params":${'['.repeat(40_000)}${']'.repeat(40_000)}}` },
      jsonRpcError(-32600, 'The message is nested too deeply.'),
    ],
  ];

  it.each(refusals)('refuses %s with %i', async (_, status, init, body) => {
    const { send, contexts, errors } = createMcpLibrary();
    const message = buildCall('2025-11-25', 'list_books');
    const headers = new Headers(message.headers);
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const response = await send({ ...message, ...init, headers });
    expect(response.status).toBe(status);
    expect(readHeaders(response)).toEqual(commonHeaders);
    expect(await response.json()).toEqual(body);
    expect([contexts, errors]).toEqual([[], []]);
  });

  it.each([{}, { 'content-length': '100000' }])(
    'accepts a message with 64 levels and 100,000 bytes, and the headers %o',
    async (givenHeaders) => {
      const { send } = createMcpLibrary();
      const value = `${'['.repeat(61)}${']'.repeat(61)}`;
      const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":${value}}}}`;
      const message = buildMessage('2025-11-25', 'ping');
      const headers = { ...message.headers, ...givenHeaders };
      expect((await send({ ...message, headers, body: body.padEnd(100_000) })).status).toBe(200);
    },
  );
});

describe('mcpHandler', () => {
  it.each([
    'https://library.example/mcp?x=1',
    'https://library.example/mcp#x',
    'http://library.example/mcp',
    'library.example/mcp',
    'HTTPS://library.example/mcp',
    'https://user@library.example/mcp',
  ])('rejects the URL %s', (invalidUrl) => {
    expect(() => createMcpLibrary({ url: invalidUrl })).toThrow(
      new DefinitionError(
        `url must be a normalized https URL, or http on loopback, without credentials, a query or a fragment, not "${invalidUrl}".`,
      ),
    );
  });

  it('rejects a prompt and a resource that are defined twice', () => {
    const prompt = { name: 'p', title: 'P', description: 'P', text: () => 'P' };
    const resource = { uri: 'a://b', name: 'r', mimeType: 'text/plain', text: 'R' };
    expect(() => createMcpLibrary({ prompts: [prompt, prompt] })).toThrow('prompts: p is defined twice.');
    expect(() => createMcpLibrary({ resources: [resource, resource] })).toThrow(
      'resources: a://b is defined twice.',
    );
  });
});
