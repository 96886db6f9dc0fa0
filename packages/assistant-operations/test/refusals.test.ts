/** Refused requests: each one is passed to `onRefusal` once, with its code. */
import { afterEach, describe, expect, it } from 'vitest';
import page from '../../../docs/reference/error-codes.md?raw';
import type { Refusal, RefusalReason } from '../src/index.ts';
import { buildJsonRequest, createLibraryHandler } from './library.ts';
import { allScopes, buildCall, buildMessage, createMcpLibrary, type Era, eras } from './mcp-library.ts';

const reported: Refusal[] = [];

// docs/reference/error-codes.md lists the status of each code.
afterEach(() => {
  for (const { reason, status, endpoint } of reported.splice(0)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${reason}\` |`)) ?? '';
    expect(row.split(' | ').slice(1, 3)).toEqual([
      expect.stringContaining(`\`${endpoint}\``),
      expect.stringMatching(new RegExp(`${status}|${status >= 500 ? '5xx' : 'that of the problem'}`)),
    ]);
  }
});

const tooLarge = `"${'x'.repeat(100_001)}"`;

/** A body that ends with an error, as that of a client that disconnects. */
const brokenBody = (): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: new ReadableStream({
    pull(controller) {
      controller.error(new Error('disconnected'));
    },
  }),
});

describe('over HTTP', () => {
  it.each<[reason: RefusalReason, status: number, path: string, init: RequestInit, operation?: string]>([
    ['operation.input', 400, '/api/books/Emma', buildJsonRequest({ stars: 6 }), 'rate_book'],
    ['operation.parameter-repeated', 400, '/api/books?word=a&word=b', {}, 'list_books'],
    ['body.json', 400, '/api/books/Emma', buildJsonRequest('{'), 'rate_book'],
    ['body.not-object', 400, '/api/books/Emma', buildJsonRequest([]), 'rate_book'],
    ['body.too-large', 413, '/api/books/Emma', buildJsonRequest(tooLarge), 'rate_book'],
    ['body.unreadable', 400, '/api/books/Emma', brokenBody(), 'rate_book'],
    ['body.content-type', 415, '/api/books/Emma', { method: 'POST', body: 'stars=1' }, 'rate_book'],
    ['operation.problem', 404, '/api/books/Ulysses', {}, 'get_book'],
    ['operation.failed', 500, '/api/books', { method: 'DELETE' }, 'burn_books'],
    ['operation.method', 405, '/api/books', { method: 'PATCH' }],
    ['operation.path', 404, '/api/films', {}],
  ])('%s', async (reason, status, path, init, operation) => {
    const { call, refusals } = createLibraryHandler();
    const response = await call(path, init);
    expect(response.status).toBe(status);
    reported.push(...refusals);
    expect(refusals).toEqual([
      { event: 'refused', endpoint: 'http', reason, status, ...(operation !== undefined && { operation }) },
    ]);
  });

  it('an error that is mapped to a problem with a 5xx status is operation.failed', async () => {
    const { call, refusals } = createLibraryHandler();
    expect((await call('/api/books', { method: 'DELETE' }, 'eve')).status).toBe(503);
    expect(refusals).toMatchObject([{ reason: 'operation.failed', status: 503, operation: 'burn_books' }]);
  });

  it('an accepted call, a preflight and a refusal of the guard are not passed to it', async () => {
    const { send, call, refusals } = createLibraryHandler();
    await call('/api/books');
    await call('/api/books', { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } });
    expect((await send('/api/books')).status).toBe(401);
    expect((await send('/api/films')).status).toBe(401);
    reported.push(...refusals);
    expect(refusals).toEqual([]);
  });
});

const init = (changes: RequestInit = {}): RequestInit => ({
  ...buildMessage('2025-11-25', 'tools/list'),
  ...changes,
});
const withHeaders = (headers: Readonly<Record<string, string>>): RequestInit => ({
  ...init(),
  headers: { authorization: allScopes, 'content-type': 'application/json', ...headers },
});
const nested = `${'['.repeat(70)}${']'.repeat(70)}`;

describe('over MCP, before the message is handled', () => {
  it.each<[reason: RefusalReason, status: number, init: RequestInit, target?: string]>([
    ['mcp.host', 421, init(), 'https://elsewhere.example/mcp'],
    ['mcp.method', 405, { method: 'GET', headers: { authorization: allScopes } }],
    ['mcp.accept', 406, withHeaders({ accept: 'text/html' })],
    ['body.content-type', 415, withHeaders({ 'content-type': 'text/plain' })],
    ['body.json', 400, init({ body: '{' })],
    ['body.too-large', 413, init({ body: tooLarge })],
    ['body.unreadable', 400, { ...brokenBody(), ...withHeaders({}), body: brokenBody().body ?? null }],
    ['mcp.batch', 400, init({ body: '[]' })],
    ['mcp.complexity', 400, init({ body: `{"a":${nested}}` })],
    ['mcp.message', 400, init({ body: '{}' })],
    ['mcp.message', 400, withHeaders({ 'mcp-protocol-version': '1999-01-01' })],
  ])('%s', async (reason, status, request, target) => {
    const { send, refusals } = createMcpLibrary();
    expect((await send(request, target)).status).toBe(status);
    reported.push(...refusals);
    expect(refusals).toEqual([{ event: 'refused', endpoint: 'mcp', reason, status }]);
  });

  it('mcp.origin', async () => {
    const url = 'http://127.0.0.1:3000/mcp';
    const { send, refusals } = createMcpLibrary({ url });
    expect((await send(withHeaders({ origin: 'https://evil.example' }), url)).status).toBe(403);
    reported.push(...refusals);
    expect(refusals).toEqual([{ event: 'refused', endpoint: 'mcp', reason: 'mcp.origin', status: 403 }]);
  });

  it('an error of the guard is operation.failed, with the reference that the client sees', async () => {
    const { send, refusals, errors } = createMcpLibrary({
      guard: () => Promise.reject(new Error('no keys')),
    });
    expect(await (await send(init())).text()).toContain('reference-1');
    expect(errors).toHaveLength(1);
    reported.push(...refusals);
    expect(refusals).toEqual([
      {
        event: 'refused',
        endpoint: 'mcp',
        reason: 'operation.failed',
        status: 500,
        requestId: 'reference-1',
      },
    ]);
  });
});

const prompts = [
  {
    name: 'recommend',
    title: 'Recommend',
    description: 'Recommends a book.',
    arguments: [{ name: 'word', description: 'A word.', required: true }],
    text: ({ word }: Readonly<Record<string, string>>) => {
      if (word === 'fail') throw new Error('no text');
      return `Recommend ${word}`;
    },
  },
];
const resources = [{ uri: 'library://rules', name: 'rules', mimeType: 'text/plain', text: 'Be quiet.' }];

describe.each(eras)('over MCP %s', (era) => {
  const call = (name: string, input?: unknown) => (one: Era) => buildCall(one, name, input);

  it.each<[reason: RefusalReason, build: (era: Era) => RequestInit, details?: Partial<Refusal>]>([
    ['mcp.unknown-tool', call('burn_everything')],
    [
      'mcp.message',
      (one) => buildMessage(one, 'tools/destroy'),
      { status: era === '2025-11-25' ? 200 : 404 },
    ],
    ['mcp.message', call('list_books', 5)],
    ['mcp.unknown-prompt', (one) => buildMessage(one, 'prompts/get', { name: 'nothing' })],
    ['mcp.prompt-argument', (one) => buildMessage(one, 'prompts/get', { name: 'recommend' })],
    ['operation.input', call('rate_book', { title: 'Emma', stars: 6 }), { operation: 'rate_book' }],
    ['operation.problem', call('get_book', { title: 'Ulysses' }), { operation: 'get_book' }],
    ['operation.failed', call('burn_books'), { operation: 'burn_books', requestId: 'reference-1' }],
    [
      'operation.failed',
      (one) => buildMessage(one, 'prompts/get', { name: 'recommend', arguments: { word: 'fail' } }),
      { requestId: 'reference-1' },
    ],
  ])('%s', async (reason, build, details) => {
    const { send, refusals } = createMcpLibrary({ prompts, resources });
    const response = await send(build(era));
    reported.push(...refusals);
    expect(refusals).toEqual([{ event: 'refused', endpoint: 'mcp', reason, status: 200, ...details }]);
    expect(response.status).toBe(refusals[0]?.status);
  });

  it('mcp.unknown-resource', async () => {
    const { send, refusals } = createMcpLibrary({ resources });
    const message = buildMessage(era, 'resources/read', { uri: 'library://nothing' });
    const headers = new Headers(message.headers);
    if (era === '2026-07-28') headers.set('mcp-name', 'library://nothing');
    const { status } = await send({ ...message, headers });
    reported.push(...refusals);
    expect(refusals).toEqual([{ event: 'refused', endpoint: 'mcp', reason: 'mcp.unknown-resource', status }]);
  });

  it('a problem with status 401 is passed to it with that status', async () => {
    const { send, refusals } = createMcpLibrary({
      mapError: () => ({ status: 401, detail: 'Sign in again.' }),
    });
    expect((await send(buildCall(era, 'burn_books'))).status).toBe(401);
    expect(refusals).toMatchObject([{ reason: 'operation.problem', status: 401, operation: 'burn_books' }]);
  });

  it('an accepted message and refusals of the guard are not passed to it', async () => {
    const { send, refusals } = createMcpLibrary({ reportsMissingScopeInResult: () => true });
    await send(buildMessage(era, 'tools/list'));
    await send(buildCall(era, 'list_books'));
    await send(buildCall(era, 'rate_book', { title: 'Emma', stars: 1 }, 'ada read'));
    const ofOthers = createMcpLibrary();
    expect((await ofOthers.send(buildCall(era, 'rate_book', {}, 'ada read'))).status).toBe(403);
    expect([...refusals, ...ofOthers.refusals]).toEqual([]);
  });
});

describe('an onRefusal that throws', () => {
  const onRefusal = () => {
    throw new Error('no metrics');
  };

  it('changes no response, and its error is passed to logError', async () => {
    const { send, errors } = createMcpLibrary({ onRefusal });
    expect((await send(init({ body: '[]' }))).status).toBe(400);
    expect((await send(buildCall('2025-11-25', 'burn_everything'))).status).toBe(200);
    expect(errors.map(([error]) => error)).toEqual([new Error('no metrics'), new Error('no metrics')]);
  });
});
