/** toNodeHandler, toRequest and sendResponse with real servers and connections. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { LogEntry } from '../../src/index.ts';
import {
  MalformedRequestError,
  type NodeHandlerOptions,
  type NodeRequest,
  sendResponse,
  toNodeHandler,
  toRequest,
} from '../../src/node/index.ts';
import {
  buildGptCodeRequest,
  createTestBrowser,
  expectTokens,
  gptRequest,
  requestTokens,
} from '../browser.ts';
import { deploy, issuer } from '../deployment.ts';
import { fetchFrom, listen, open, parseRaw, sendRaw, serve, serveProxy } from './server.ts';

const metadataPath = '/.well-known/oauth-authorization-server';

const problem = (status: number, title: string, detail: string) => ({
  status,
  type: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title, status, detail }),
});
const notFound = problem(404, 'Not Found', 'This path does not exist.');
const unexpected = problem(500, 'Internal Server Error', 'Something went wrong on our side.');
const targetProblem = problem(400, 'Bad Request', 'The request target must start with a slash.');
const hostProblem = problem(400, 'Bad Request', 'The request must have one valid Host header.');

const anyId = expect.stringMatching(/^[\w-]{22}$/);

const headers = 'Host: words.example\r\nConnection: close\r\n';

/** A broker that responds with this function, to test what the real one does not do. */
const createFakeBroker = (handle: (request: Request) => Promise<Response | undefined>) => ({
  issuer,
  handle,
});

/** Serves a handler alone, and collects the errors. */
const serveHandler = async (
  broker: Parameters<typeof toNodeHandler>[0],
  options: NodeHandlerOptions = {},
) => {
  const errors: unknown[] = [];
  const log: LogEntry[] = [];
  const handler = toNodeHandler(broker, {
    onError: (error) => void errors.push(error),
    log: (entry) => void log.push(entry),
    ...options,
  });
  return { port: await serve((request, response) => void handler(request, response)), errors, log };
};

describe('a sign-in over HTTP', () => {
  it('works on the issuer’s own port', async () => {
    const server = createServer();
    const port = await listen(server);
    const deployment = deploy({ issuer: `http://127.0.0.1:${port}` });
    server.on('request', toNodeHandler(deployment.broker));
    const access = { issuer: deployment.issuer, fetch: fetchFrom(port) };
    const redirect = await createTestBrowser(access).signIn(gptRequest, 'ada');
    const code = redirect.searchParams.get('code') ?? '';
    const tokens = await expectTokens(await requestTokens(access, buildGptCodeRequest(code)));
    expect(tokens.scope).toBe('words score');
  });

  it('works behind a proxy that terminates TLS and passes on the Host header', async () => {
    const { broker, log } = deploy();
    const { port, errors } = await serveHandler(broker);
    const fetch = fetchFrom(await serveProxy(port, (host) => host));
    const redirect = await createTestBrowser({ issuer, fetch }).signIn(gptRequest, 'ada');
    const code = redirect.searchParams.get('code') ?? '';
    await expectTokens(await requestTokens({ issuer, fetch }, buildGptCodeRequest(code)));
    const metadata = await fetch(new Request(issuer + metadataPath));
    expect(metadata.status).toBe(200);
    expect(await metadata.json()).toMatchObject({ issuer, token_endpoint: `${issuer}/token` });
    expect(log.filter(({ event }) => event === 'refused')).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is refused behind a proxy that replaces the Host header', async () => {
    const { broker } = deploy();
    const { port } = await serveHandler(broker);
    const fetch = fetchFrom(await serveProxy(port, () => `127.0.0.1:${port}`));
    const response = await fetch(new Request(issuer + metadataPath));
    expect(response.status).toBe(421);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Misdirected Request',
      status: 421,
      detail: 'This server does not serve the requested host.',
    });
  });
});

describe('the URL of a request', () => {
  const metadataTarget = `GET ${metadataPath} HTTP/1.1\r\n`;
  it.each<[name: string, request: string, expected: { readonly status: number }]>([
    ['an absolute target', `GET ${issuer}/token HTTP/1.1\r\n${headers}\r\n`, targetProblem],
    ['the target *', `OPTIONS * HTTP/1.1\r\n${headers}\r\n`, targetProblem],
    ['no Host header', `GET ${metadataPath} HTTP/1.0\r\n\r\n`, hostProblem],
    ['two Host headers', `${metadataTarget}Host: words.example\r\n${headers}\r\n`, hostProblem],
    ['an empty Host header', `${metadataTarget}Host:\r\nConnection: close\r\n\r\n`, hostProblem],
    ...[
      'evil@words.example',
      'words.example/',
      'words.example?',
      'words.example#',
      'a b',
      'words.example:x',
    ].map((host): [string, string, { status: number }] => [
      `the host ${host}`,
      `${metadataTarget}Host: ${host}\r\nConnection: close\r\n\r\n`,
      hostProblem,
    ]),
    [
      'a port that is too large',
      `${metadataTarget}Host: a:65536\r\nConnection: close\r\n\r\n`,
      { status: 400 },
    ],
    ['the method TRACE', `TRACE /token HTTP/1.1\r\n${headers}\r\n`, { status: 400 }],
    ['another host', `${metadataTarget}Host: evil.example\r\nConnection: close\r\n\r\n`, { status: 421 }],
    ['two slashes and a host', `GET //evil.example/token HTTP/1.1\r\n${headers}\r\n`, notFound],
    ['a backslash', `GET /\\evil.example/token HTTP/1.1\r\n${headers}\r\n`, notFound],
    ['a path of the app', `GET /api HTTP/1.1\r\n${headers}\r\n`, notFound],
    [
      'a header that is too long',
      `${metadataTarget}X: ${'x'.repeat(20_000)}\r\n${headers}\r\n`,
      { status: 431 },
    ],
    [
      'the host in capitals, with the port',
      `${metadataTarget}Host: WORDS.example:443\r\nConnection: close\r\n\r\n`,
      { status: 200 },
    ],
  ])('is checked: %s', async (_, request, expected) => {
    const { broker, log: brokerLog } = deploy();
    const { port, errors, log } = await serveHandler(broker);
    expect(parseRaw(await sendRaw(port, request))).toMatchObject(expected);
    expect(errors).toEqual([]);
    const refusals = [...brokerLog, ...log].filter(({ event }) => event === 'refused');
    // A header that is too long is refused by Node itself.
    expect(refusals).toHaveLength([200, 431].includes(expected.status) ? 0 : 1);
    if (expected === notFound)
      expect(log).toEqual([
        { event: 'refused', endpoint: 'node', requestId: anyId, reason: 'request.path', count: 1 },
      ]);
    if (expected === targetProblem)
      expect(log).toEqual([
        {
          event: 'refused',
          endpoint: 'node',
          requestId: anyId,
          reason: 'request.malformed',
          cause: 'MalformedRequestError: The request target must start with a slash.',
          count: 1,
        },
      ]);
  });

  it('is not logged, because it can contain the code of a provider', async () => {
    const { broker } = deploy();
    const { port, log } = await serveHandler(broker);
    const request =
      'GET /callback/google?code=SECRET&state=SECRET HTTP/1.1\r\nHost: a:65536\r\nConnection: close\r\n\r\n';
    expect(parseRaw(await sendRaw(port, request))).toMatchObject({ status: 400 });
    expect(log).toEqual([
      {
        event: 'refused',
        endpoint: 'node',
        requestId: anyId,
        reason: 'request.malformed',
        cause: 'MalformedRequestError: The method or the URL of the request is not allowed.',
        count: 1,
      },
    ]);
  });

  it('has the path that the client requested, which Express keeps in originalUrl', async () => {
    const { broker } = deploy();
    const handler = toNodeHandler(broker);
    const port = await serve((request, response) => {
      const originalUrl = request.url;
      request.url = '/';
      void handler(Object.assign(request, { originalUrl }), response);
    });
    expect((await fetchFrom(port)(new Request(issuer + metadataPath))).status).toBe(200);
  });
});

describe('with next', () => {
  it.each([
    ['a path of the app', 'POST /api HTTP/1.1\r\nHost: words.example\r\n'],
    ['a path of the app on another host', 'POST /api HTTP/1.1\r\nHost: other.example\r\n'],
    ['a health check without a Host header', 'POST /healthz HTTP/1.0\r\n'],
  ])('leaves %s and its body to the app', async (_, start) => {
    const { broker, log } = deploy();
    const handler = toNodeHandler(broker);
    const port = await serve((request, response) =>
      handler(request, response, async (error) => response.end(`${error} ${await text(request)}`)),
    );
    const raw = await sendRaw(port, `${start}Connection: close\r\nContent-Length: 4\r\n\r\nbody`);
    expect(parseRaw(raw)).toMatchObject({ status: 200, body: expect.stringMatching(/undefined body$/) });
    expect(log.filter(({ event }) => event === 'refused')).toEqual([]);
  });
});

describe('a body', () => {
  const form = `${new URLSearchParams(buildGptCodeRequest('no-code'))}`;
  const formHeaders = `${headers}Content-Type: application/x-www-form-urlencoded\r\n`;
  const tokenRequest = `POST /token HTTP/1.1\r\n${formHeaders}`;

  it('is read in chunks', async () => {
    const { broker } = deploy();
    const { port } = await serveHandler(broker);
    const chunks = [form.slice(0, 10), form.slice(10)].map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    );
    const raw = await sendRaw(
      port,
      `${tokenRequest}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
    );
    expect(parseRaw(raw)).toMatchObject({
      status: 400,
      body: JSON.stringify({
        error: 'invalid_grant',
        error_description: 'The authorization code is not valid.',
      }),
    });
  });

  /** Reads every body before the handler, as a body parser does. */
  const serveAfterParser = async (next?: (error: unknown, response: ServerResponse) => void) => {
    const deployment = deploy();
    const onError = vi.fn<(error: unknown) => void>();
    const handlerLog: LogEntry[] = [];
    const handler = toNodeHandler(deployment.broker, {
      onError,
      log: (entry) => void handlerLog.push(entry),
    });
    const port = await serve(async (request: IncomingMessage, response: ServerResponse) => {
      Object.assign(request, { body: await text(request) });
      await handler(request, response, next && ((error) => next(error, response)));
    });
    return { port, onError, handlerLog, ...deployment };
  };
  const request = `${tokenRequest}Content-Length: ${form.length}\r\n\r\n${form}`;
  const consumed = expect.objectContaining({
    message:
      'The request body was already read, probably by a body parser. Mount the broker before body parsers.',
  });

  it('that was already read causes a 500 response, and the error says what to change', async () => {
    const { port, onError, log, handlerLog } = await serveAfterParser();
    expect(parseRaw(await sendRaw(port, request))).toEqual(unexpected);
    expect(onError.mock.calls).toEqual([[consumed]]);
    expect(log.flatMap(({ reason = [] }) => reason)).toEqual(['request.unreadable']);
    expect(handlerLog).toEqual([]);
  });

  it('that was already read is passed to next as an error', async () => {
    const errors: unknown[] = [];
    const { port, onError } = await serveAfterParser((error, response) => {
      errors.push(error);
      response.writeHead(500).end('next');
    });
    expect(parseRaw(await sendRaw(port, request))).toMatchObject({ status: 500, body: 'next' });
    expect(errors).toEqual([consumed]);
    expect(onError).not.toHaveBeenCalled();
  });

  it('that was already read does not matter to an endpoint that needs no body', async () => {
    const { port, onError } = await serveAfterParser();
    const raw = await sendRaw(
      port,
      `GET ${metadataPath} HTTP/1.1\r\n${headers}Content-Length: 4\r\n\r\nbody`,
    );
    expect(parseRaw(raw).status).toBe(200);
    expect(onError).not.toHaveBeenCalled();
  });

  it('that is too large gets a 413 response, and the connection can be used again', async () => {
    const { broker } = deploy();
    const { port, errors } = await serveHandler(broker);
    const large = 'a='.padEnd(300_000, 'x');
    const raw = await sendRaw(
      port,
      `${tokenRequest.replace('Connection: close\r\n', '')}Content-Length: ${large.length}\r\n\r\n${large}` +
        `GET ${metadataPath} HTTP/1.1\r\n${headers}\r\n`,
    );
    expect([...raw.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status)).toEqual(['413', '200']);
    expect(errors).toEqual([]);
  });

  it('aborts the signal if the client disconnects, and the server continues to run', async () => {
    const bodies: unknown[] = [];
    const { promise: received, resolve: receive } = Promise.withResolvers<Request>();
    const { promise: handled, resolve: finish } = Promise.withResolvers<void>();
    const broker = createFakeBroker(async (request) => {
      receive(request);
      bodies.push(await request.text().catch((error: unknown) => error));
      finish();
      return new Response('too late');
    });
    const { port, errors } = await serveHandler(broker);
    const socket = open(port, `${tokenRequest}Content-Length: 100\r\n\r\nhalf`);
    const { signal } = await received;
    expect(signal.aborted).toBe(false);
    socket.destroy();
    await handled;
    expect(bodies).toEqual([expect.any(Error)]);
    if (!signal.aborted) await once(signal, 'abort');
    const raw = await sendRaw(port, `${tokenRequest}Content-Length: 1\r\n\r\na`);
    expect(parseRaw(raw)).toMatchObject({ status: 200, body: 'too late' });
    expect(errors).toEqual([]);
  });
});

describe('the headers of a request', () => {
  it('keep both of two tokens, so the request is refused', async () => {
    const { broker } = deploy();
    const port = await serve(async (request, response) => {
      const auth = await broker.protect(toRequest(request, broker));
      await sendResponse(auth.ok ? Response.json(auth) : auth.response, response);
    });
    const raw = await sendRaw(
      port,
      `GET /api HTTP/1.1\r\n${headers}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`,
    );
    expect(parseRaw(raw).status).toBe(401);
    expect(raw).toContain('error="invalid_token"');
  });

  it('contain all cookies', async () => {
    const received: (string | null)[] = [];
    const { port } = await serveHandler(
      createFakeBroker(async (request) => {
        received.push(request.headers.get('cookie'), request.headers.get('x-a'));
        return new Response(null);
      }),
    );
    await sendRaw(
      port,
      `GET / HTTP/1.1\r\n${headers}Cookie: a=1; b=2\r\nX-A: 1\r\nCookie: c=3\r\nX-A: 2\r\n\r\n`,
    );
    expect(received).toEqual(['a=1; b=2; c=3', '1, 2']);
  });
});

describe('toRequest', () => {
  it('leaves out the body, and throws an error with status 400 for a malformed request', async () => {
    const requests: Request[] = [];
    const errors: unknown[] = [];
    const port = await serve(async (request, response) => {
      await text(request);
      try {
        requests.push(toRequest(request, { issuer }));
      } catch (error) {
        errors.push(error);
      }
      response.end();
    });
    await sendRaw(port, `POST /api?a=1 HTTP/1.1\r\n${headers}Content-Length: 4\r\n\r\nbody`);
    await sendRaw(port, `POST ${issuer} HTTP/1.1\r\n${headers}\r\n`);
    expect(requests.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'POST', url: `${issuer}/api?a=1`, body: null },
    ]);
    expect(errors).toEqual([expect.any(MalformedRequestError)]);
    expect(errors).toEqual([expect.objectContaining({ status: 400, statusCode: 400 })]);
  });

  it('takes only the scheme from the URL of an API in another process, and the host from the request', async () => {
    const urls: string[] = [];
    const port = await serve((request, response) => {
      for (const url of ['https://api.example', 'http://localhost:3000/v1'])
        urls.push(toRequest(request, url).url);
      response.end();
    });
    await sendRaw(port, 'GET /hello HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n');
    expect(urls).toEqual(['https://other.example/hello', 'http://other.example/hello']);
  });

  it('throws a TypeError for a URL of the API that is not valid', async () => {
    const errors: unknown[] = [];
    const port = await serve((request, response) => {
      try {
        toRequest(request, 'api.example');
      } catch (error) {
        errors.push(error);
      }
      response.end();
    });
    await sendRaw(port, `GET / HTTP/1.1\r\n${headers}\r\n`);
    expect(errors).toEqual([expect.any(TypeError)]);
  });
});

describe('a response', () => {
  const cookies = ['a=1; Path=/', 'b=2; Path=/'];
  const respondWithCookies = async () => {
    const response = new Response('text', { status: 201, headers: { 'x-a': '1' } });
    for (const cookie of cookies) response.headers.append('set-cookie', cookie);
    return response;
  };

  it('keeps every cookie, and those that the app has set', async () => {
    const handler = toNodeHandler(createFakeBroker(respondWithCookies));
    const port = await serve((request, response) => {
      response.setHeader('set-cookie', 'app=1');
      void handler(request, response);
    });
    const response = await fetchFrom(port)(new Request(issuer));
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual(['app=1', ...cookies]);
    expect(response.headers.get('x-a')).toBe('1');
    expect(await response.text()).toBe('text');
  });

  it('to a HEAD request has no body', async () => {
    const { port } = await serveHandler(createFakeBroker(respondWithCookies));
    const raw = await sendRaw(port, `HEAD / HTTP/1.1\r\n${headers}\r\n`);
    expect(parseRaw(raw)).toMatchObject({ status: 201, body: '' });
    expect(raw).toContain('x-a: 1');
  });

  it('to a HEAD request does not produce its body', async () => {
    const { promise: canceled, resolve: cancel } = Promise.withResolvers<void>();
    const { port } = await serveHandler(
      createFakeBroker(async () => new Response(new ReadableStream({ cancel }))),
    );
    expect(parseRaw(await sendRaw(port, `HEAD / HTTP/1.1\r\n${headers}\r\n`)).status).toBe(200);
    await canceled;
  });

  it('is produced only as fast as the client reads, and canceled if the client disconnects', async () => {
    let chunkCount = 0;
    const { promise: canceled, resolve: cancel } = Promise.withResolvers<void>();
    const { promise: paused, resolve: pause } = Promise.withResolvers<void>();
    const { port, errors } = await serveHandler(
      createFakeBroker(
        async () =>
          new Response(
            new ReadableStream<Uint8Array>({
              pull(controller) {
                chunkCount += 1;
                controller.enqueue(new Uint8Array(65_536));
                // Far more than all buffers of the connection contain.
                if (chunkCount === 2000) pause();
              },
              cancel,
            }),
          ),
      ),
    );
    const socket = open(port, `GET / HTTP/1.1\r\n${headers}\r\n`);
    await once(socket, 'readable');
    const result = await Promise.race([paused.then(() => 'endless'), waitUntilUnchanged(() => chunkCount)]);
    expect(result).toBe('unchanged');
    socket.destroy();
    await canceled;
    expect(errors).toEqual([]);
  });

  it('that waits for data is canceled if the client disconnects', async () => {
    const { promise: canceled, resolve: cancel } = Promise.withResolvers<void>();
    const { port, errors } = await serveHandler(
      createFakeBroker(
        async () =>
          new Response(
            new ReadableStream<Uint8Array>({
              start: (controller) => controller.enqueue(new TextEncoder().encode('first')),
              cancel,
            }),
          ),
      ),
    );
    const socket = open(port, `GET / HTTP/1.1\r\n${headers}\r\n`);
    await once(socket, 'readable');
    socket.destroy();
    await canceled;
    expect(errors).toEqual([]);
  });

  it('whose body fails is cut off, so that the client does not consider it complete', async () => {
    const failure = new Error('the body failed');
    const { port, errors } = await serveHandler(
      createFakeBroker(async () => {
        let isFirst = true;
        return new Response(
          new ReadableStream<Uint8Array>(
            {
              pull(controller) {
                if (!isFirst) return controller.error(failure);
                isFirst = false;
                controller.enqueue(new TextEncoder().encode('part'));
              },
            },
            { highWaterMark: 0 },
          ),
        );
      }),
    );
    const raw = await sendRaw(port, `GET / HTTP/1.1\r\n${headers}\r\n`);
    expect(raw).not.toContain('\r\n0\r\n\r\n');
    expect(errors).toEqual([failure]);
  });

  it('to an error that the broker throws has no details', async () => {
    const failure = new Error('a secret');
    const { port, errors, log } = await serveHandler(
      createFakeBroker(async () => {
        throw failure;
      }),
    );
    expect(parseRaw(await sendRaw(port, `GET / HTTP/1.1\r\n${headers}\r\n`))).toEqual(unexpected);
    expect(errors).toEqual([failure]);
    expect(log).toEqual([
      {
        event: 'refused',
        endpoint: 'node',
        requestId: anyId,
        reason: 'unexpected',
        cause: 'Error: a secret',
        stack: expect.stringMatching(/^at /),
        count: 1,
      },
    ]);
  });
});

/** Waits until a value is the same in a hundred turns of the event loop. */
const waitUntilUnchanged = async (read: () => number): Promise<'unchanged'> => {
  let last = read();
  for (let turns = 0; turns < 100; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (read() !== last) turns = 0;
    last = read();
  }
  return 'unchanged';
};

describe('the options', () => {
  it('pass the client’s address to the broker for each request, and no address by default', async () => {
    const given: unknown[] = [];
    const broker = {
      issuer,
      handle: async (_: Request, options?: object) => {
        given.push(options);
        return new Response(null);
      },
    };
    const readAddress = ({ socket }: NodeRequest) => socket.remoteAddress;
    for (const options of [{}, { clientAddress: readAddress }]) {
      const { port } = await serveHandler(broker, options);
      await sendRaw(port, `GET / HTTP/1.1\r\n${headers}\r\n`);
    }
    expect(given).toEqual([{ clientAddress: undefined }, { clientAddress: '127.0.0.1' }]);
  });

  it('that do not exist are refused', () => {
    const options = { clientAdress: () => '192.0.2.1' };
    expect(() => Reflect.apply(toNodeHandler, undefined, [deploy().broker, options])).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'toNodeHandler.clientAdress' }),
    );
  });
});

describe('HTTP/2', () => {
  it('is supported through the compatibility API', async () => {
    const { broker } = deploy();
    const port = await listen(createHttp2Server(toNodeHandler(broker, { log: () => {} })));
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    const send = async (path: string, authority: string, form = '', extraHeaders = {}) => {
      const method = form === '' ? 'GET' : 'POST';
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const stream = client.request({
        ':path': path,
        ':authority': authority,
        ':method': method,
        ...type,
        ...extraHeaders,
      });
      if (form !== '') stream.end(form);
      const [responseHeaders] = await once(stream, 'response');
      return { status: responseHeaders[':status'], body: JSON.parse(await text(stream)) };
    };
    expect(await send(metadataPath, 'words.example')).toMatchObject({ status: 200, body: { issuer } });
    expect(await send(metadataPath, 'other.example')).toMatchObject({ status: 421 });
    expect(
      await send('/token', 'words.example', `${new URLSearchParams(buildGptCodeRequest('x'))}`),
    ).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await send(metadataPath, 'words.example', '', { host: 'words.example' })).toMatchObject({
      status: 200,
    });
    expect(await send(metadataPath, 'words.example', '', { host: 'other.example' })).toMatchObject({
      status: 400,
    });
    client.close();
  });

  it('settles if the client disconnects before the response', async () => {
    const { promise: called, resolve: call } = Promise.withResolvers<void>();
    const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<void>();
    const { promise: canceled, resolve: cancel } = Promise.withResolvers<void>();
    const broker = createFakeBroker(async () => {
      call();
      await disconnected;
      return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1000)), cancel }));
    });
    const handler = toNodeHandler(broker);
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    const port = await listen(
      createHttp2Server((request, response) => {
        response.once('close', () => disconnect());
        handler(request, response).then(settle);
      }),
    );
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = client.request({ ':path': '/', ':authority': 'words.example' });
    stream.on('error', () => {});
    await called;
    stream.close(8);
    await settled;
    expect(await canceled).toBeUndefined();
    client.destroy();
  });

  it('fails to read a body if the client disconnects', async () => {
    const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
    const { promise: received, resolve: receive } = Promise.withResolvers<void>();
    const broker = createFakeBroker(async ({ body }) => {
      const reader = body?.getReader();
      await reader?.read();
      receive();
      fail(await reader?.read().catch((error: unknown) => error));
      return new Response(null);
    });
    const port = await listen(createHttp2Server(toNodeHandler(broker)));
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = client.request({ ':path': '/', ':authority': 'words.example', ':method': 'POST' });
    stream.on('error', () => {}).write('part');
    await received;
    client.destroy();
    expect(await failed).toEqual(new Error('The connection was closed before the body was complete.'));
  });
});
