/** Servers on loopback for the tests in this folder, and clients that send requests to them byte by byte. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request as sendHttp } from 'node:http';
import { connect, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** Listens on a free port until the test is finished. */
export const listen = async (server: Server & { closeAllConnections?(): void }): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections?.();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
};

/** Starts an HTTP server. */
export const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));

/** Connects and sends bytes. A connection that the server resets is not an error. */
export const open = (port: number, bytes: string): Socket => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  return socket;
};

/** Sends bytes, and returns everything that the server sends until it closes the connection. */
export const sendRaw = async (port: number, bytes: string): Promise<string> => {
  const socket = open(port, bytes);
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return received;
};

/** Reads the status, the media type and the body of what `sendRaw` returns. */
export const parseRaw = (raw: string) => {
  const [head = ''] = raw.split('\r\n\r\n', 1);
  const body = raw.slice(head.length + 4);
  return {
    status: Number(head.split(' ')[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1],
    body: /^transfer-encoding: chunked$/im.test(head) ? joinChunks(body) : body,
  };
};

const joinChunks = (body: string): string => {
  const start = body.indexOf('\r\n') + 2;
  const end = start + Number.parseInt(body.slice(0, start), 16);
  return end > start ? body.slice(start, end) + joinChunks(body.slice(end + 2)) : '';
};

/**
 * Returns a `fetch` that sends every request to one port with the `Host` header of its URL, in chunks and on
 * a connection of its own.
 */
export const fetchFrom =
  (port: number) =>
  async (request: Request): Promise<Response> => {
    const { host, pathname, search } = new URL(request.url);
    const outgoing = sendHttp({
      ...{ host: '127.0.0.1', port, method: request.method, path: pathname + search, agent: false },
      headers: { ...Object.fromEntries(request.headers), host },
    });
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.length > 0) outgoing.write(body);
    outgoing.end();
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    if (response === undefined) throw new Error('there is no response');
    const headers = new Headers();
    response.rawHeaders.forEach((name, index) => {
      if (index % 2 === 0) headers.append(name, response.rawHeaders[index + 1] ?? '');
    });
    const content = await buffer(response);
    return new Response(content.length > 0 ? new Uint8Array(content) : null, {
      status: response.statusCode ?? 0,
      headers,
    });
  };

/** Starts a reverse proxy that can change the `Host` header, as one that terminates TLS. */
export const serveProxy = (target: number, changeHost: (host: string) => string): Promise<number> =>
  serve((request, response) => {
    const { method, url, headers } = request;
    const forwarded = sendHttp(
      {
        ...{ host: '127.0.0.1', port: target, method, path: url, agent: false },
        headers: { ...headers, host: changeHost(headers.host ?? '') },
      },
      (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.rawHeaders);
        upstream.pipe(response);
      },
    );
    request.pipe(forwarded);
  });
