/** A reverse proxy on loopback that can change requests and responses. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A request for the server behind the proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
  /** Empty if there is none. */
  readonly body: string;
}

/** Handles a request, usually by forwarding it to `target`. */
export type ProxyHandler = (proxiedRequest: ProxiedRequest, target: string) => Promise<Response>;

export interface ReverseProxy {
  close(): void;
}

/**
 * Starts a reverse proxy on 127.0.0.1.
 * @param targetPort the port of the server behind it
 * @throws the system's `EADDRINUSE` if the port is in use
 */
export const startReverseProxy = async (
  port: number,
  targetPort: number,
  handleRequest: ProxyHandler,
): Promise<ReverseProxy> => {
  const target = `http://127.0.0.1:${targetPort}`;
  const server = createServer((incomingRequest, outgoingResponse) => {
    readRequest(incomingRequest)
      .then((proxiedRequest) => handleRequest(proxiedRequest, target))
      .then((response) => writeResponse(response, outgoingResponse))
      .catch((error: unknown) => outgoingResponse.writeHead(502).end(String(error)));
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

/** Forwards a request unchanged, except for the connection headers. */
export const forward = ({ method, path, headers, body }: ProxiedRequest, target: string): Promise<Response> =>
  fetch(target + path, {
    ...{ method, headers: withConnectionClose(headers), redirect: 'manual' },
    ...(body !== '' && { body }),
  });

/**
 * Requests a connection for one request only. A server closes idle connections, and a request that is sent on
 * one at that moment is lost: on a busy machine, that caused a 502.
 */
export const withConnectionClose = (headers: HeadersInit = {}): Headers => {
  const result = new Headers(headers);
  result.set('connection', 'close');
  return result;
};

/** Headers that apply to one connection only (RFC 9110 §7.6.1), and headers that each side sets itself. */
const hopByHopHeaders = [
  ...['connection', 'content-encoding', 'content-length', 'host', 'keep-alive', 'transfer-encoding'],
  ...['accept-encoding', 'expect', 'upgrade'],
];

const readRequest = async (incomingRequest: IncomingMessage): Promise<ProxiedRequest> => ({
  method: incomingRequest.method ?? 'GET',
  path: incomingRequest.url ?? '/',
  headers: new Headers(
    Object.entries(incomingRequest.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !hopByHopHeaders.includes(name) ? [[name, value]] : [],
    ),
  ),
  body: (await buffer(incomingRequest)).toString(),
});

const writeResponse = async (response: Response, outgoingResponse: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !hopByHopHeaders.includes(name)) outgoingResponse.setHeader(name, value);
  }
  outgoingResponse.setHeader('set-cookie', response.headers.getSetCookie());
  outgoingResponse.writeHead(response.status).end(body);
};
