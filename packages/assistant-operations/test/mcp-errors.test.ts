/** What an error in the code of the app, and a hostile message, must not cause. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { defineApi, defineOperation, noInput } from '../src/index.ts';
import type { McpHandlerOptions } from '../src/mcp.ts';
import type { Shelf } from './library.ts';
import { buildCall, buildMessage, createMcpLibrary, eras, readResult, url } from './mcp-library.ts';

type Overrides = Partial<McpHandlerOptions<never, Shelf>>;

const secret = 'SELECT * FROM users at /srv/app.js';
const fail =
  (error: unknown = Object.assign(new Error(secret), { data: { row: secret } })) =>
  (): never => {
    throw error;
  };
const promptOptions = (text: () => string): Overrides => ({
  prompts: [{ name: 'p', title: 'P', description: 'P.', text }],
});
/** Returns the response, or `undefined` if there is none after some turns of the event loop. */
const settle = (response: Promise<Response>): Promise<Response | undefined> =>
  Promise.race([response, new Promise<undefined>((done) => setTimeout(() => done(undefined), 1000))]);

const failing: readonly (readonly [string, Overrides, 'prompts/get' | 'tools/call'])[] = [
  ['the text of a prompt', promptOptions(fail()), 'prompts/get'],
  ['mapError', { mapError: fail() }, 'tools/call'],
  ['logError', { logError: fail() }, 'tools/call'],
  ['createReferenceId', { createReferenceId: fail() }, 'tools/call'],
  [
    'the response to a 401 problem',
    { mapError: () => ({ status: 401, detail: 'x', headers: { 'www-authenticate': `${secret}\n` } }) },
    'tools/call',
  ],
];

const nullFailing: typeof failing = [
  ['the text of a prompt', promptOptions(fail(null)), 'prompts/get'],
  ['mapError', { mapError: fail(null) }, 'tools/call'],
];

const failingTexts: readonly (readonly [string, unknown])[] = [
  ['throws', fail()],
  ['throws null', fail(null)],
  ['rejects with', async () => fail()()],
];

describe.each(eras)('%s', (era) => {
  it.each(failingTexts)('M9 what the text of a resource %s is logged, and not sent', async (_, text) => {
    const uri = 'library://rules';
    const resources = [{ uri, name: 'rules', mimeType: 'text/plain', text }];
    const { send, errors, refusals } = createMcpLibrary({ resources } as object);
    const message = buildMessage(era, 'resources/read', { uri });
    const headers = new Headers(message.headers);
    if (era === '2026-07-28') headers.set('mcp-name', uri);
    const response = await settle(send({ ...message, headers }));
    expect(await response?.json()).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32603, message: 'Something went wrong on our side. Reference: reference-1' },
    });
    expect(errors).toHaveLength(1);
    expect(refusals).toMatchObject([{ reason: 'operation.failed', requestId: 'reference-1' }]);
  });

  it.each(failing)('M9 an error of %s is not sent to the client', async (_, overrides, method) => {
    const { send } = createMcpLibrary(overrides as object);
    const name = method === 'tools/call' ? 'burn_books' : 'p';
    const response = await settle(send(buildMessage(era, method, { name })).catch(() => new Response()));
    expect(await response?.text()).not.toContain('SELECT');
  });

  it('an error of the text of a prompt is logged', async () => {
    const { send, errors } = createMcpLibrary(promptOptions(fail()) as object);
    await send(buildMessage(era, 'prompts/get', { name: 'p' }));
    expect(errors).toHaveLength(1);
  });

  it.each(nullFailing)('null that %s throws does not hang the request', async (_, overrides, method) => {
    const { send } = createMcpLibrary(overrides as object);
    const name = method === 'tools/call' ? 'burn_books' : 'p';
    expect(await settle(send(buildMessage(era, method, { name })))).toBeDefined();
  });

  it('scopes that a guard in JavaScript returns as text grant no part of a name', async () => {
    let runs = 0;
    const api = defineApi([
      defineOperation({
        id: 'wipe',
        method: 'post',
        path: '/api/wipe',
        summary: 'Wipe',
        description: 'Wipes.',
        scopes: ['admin'],
        isConsequential: true,
        input: noInput,
        output: v.null(),
        handle: async (_input, _: Shelf) => {
          runs++;
          return null;
        },
      }),
    ]);
    const guard = async (_: Request, scopes: readonly string[]) =>
      scopes.length > 0
        ? { ok: false, response: new Response(null, { status: 403 }) }
        : { ok: true, name: 'ada', scopes: 'read nonadmin' };
    const { send } = createMcpLibrary({ guard } as object, api);
    const response = await send(buildCall(era, 'wipe'));
    expect([response.status === 200, runs]).toEqual([false, 0]);
  });
});

describe('a message with many values', () => {
  const initialize = (icons: number) =>
    buildMessage('2025-11-25', 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'a', version: '1', icons: Array.from({ length: icons }, () => 0) },
    });

  it('is refused, because the SDK would describe each value that is wrong', async () => {
    const response = await createMcpLibrary().send(initialize(49_000));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32600, message: 'The message has too many values.' },
    });
  });

  it('can have 500', async () => {
    // Besides the icons, there are 11: the message, its four members, the three of `params`, and of `clientInfo`.
    expect((await createMcpLibrary().send(initialize(489))).status).toBe(200);
    expect((await createMcpLibrary().send(initialize(490))).status).toBe(400);
  });

  it('can have more in the arguments of a tool, which the operation validates', async () => {
    const word = Array.from({ length: 20_000 }, () => 0);
    const response = await createMcpLibrary().send(buildCall('2025-11-25', 'list_books', { word }));
    expect(await readResult(response)).toMatchObject({ isError: true });
  });
});

it('a refusal that cannot be copied gets a 500 response, and does not reject', async () => {
  const response = new Response('refused', { status: 401 });
  await response.text();
  const { handle, errors } = createMcpLibrary({ guard: async () => ({ ok: false, response }) });
  expect((await handle(new Request(url))).status).toBe(500);
  expect(errors).toHaveLength(1);
});
