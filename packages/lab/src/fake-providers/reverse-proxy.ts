/** A server on loopback that stands in front of another one, and has a say in what passes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** One request on its way to the server behind. */
export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
  /** Empty where the method has none. */
  readonly body: string;
}

/** Answers a request, mostly by passing it on to `target`. */
export type ProxyHandler = (proxiedRequest: ProxiedRequest, target: string) => Promise<Response>;

export interface ReverseProxy {
  close(): void;
}

/**
 * Opens a front on 127.0.0.1.
 * @param targetPort of the server behind
 * @throws the system's `EADDRINUSE` when the port is taken
 */
export const startReverseProxy = async (
  port: number,
  targetPort: number,
  handleRequest: ProxyHandler,
): Promise<ReverseProxy> => {
  const target = `http://127.0.0.1:${targetPort}`;
  const server = createServer((incoming, outgoing) => {
    readRequest(incoming)
      .then((proxiedRequest) => handleRequest(proxiedRequest, target))
      .then((response) => writeResponse(response, outgoing))
      .catch((error: unknown) => outgoing.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
};

/** Sends a request on as it came. */
export const forward = ({ method, path, headers, body }: ProxiedRequest, target: string): Promise<Response> =>
  fetch(target + path, {
    ...{ method, headers: withConnectionClose(headers), redirect: 'manual' },
    ...(body !== '' && { body }),
  });

/**
 * Asks for a connection that serves one request. A server closes those that are idle, and what is sent on one just then is lost:
 * on a busy machine a person was left with a 502 instead of their answer.
 */
export const withConnectionClose = (headers: HeadersInit = {}): Headers => {
  const all = new Headers(headers);
  all.set('connection', 'close');
  return all;
};

/** They belong to one connection (RFC 9110 §7.6.1), or are made anew for the next. */
const hopByHopHeaders = [
  ...['connection', 'content-encoding', 'content-length', 'host', 'keep-alive', 'transfer-encoding'],
  ...['accept-encoding', 'expect', 'upgrade'],
];

const readRequest = async (incoming: IncomingMessage): Promise<ProxiedRequest> => ({
  method: incoming.method ?? 'GET',
  path: incoming.url ?? '/',
  headers: new Headers(
    Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !hopByHopHeaders.includes(name) ? [[name, value]] : [],
    ),
  ),
  body: (await buffer(incoming)).toString(),
});

const writeResponse = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !hopByHopHeaders.includes(name)) outgoing.setHeader(name, value);
  }
  outgoing.setHeader('set-cookie', response.headers.getSetCookie());
  outgoing.writeHead(response.status).end(body);
};
