/** A server on loopback that stands in front of another one, and has a say in what passes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** One request on its way to the server behind. */
export interface Passing {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
  /** Empty where the method has none. */
  readonly body: string;
}

/** Answers a request, mostly by passing it on to `behind`. */
export type Attendant = (passing: Passing, behind: string) => Promise<Response>;

export interface Front {
  close(): void;
}

/**
 * Opens a front on 127.0.0.1.
 * @param hiddenPort of the server behind
 * @throws the system's `EADDRINUSE` when the port is taken
 */
export const startFront = async (port: number, hiddenPort: number, attend: Attendant): Promise<Front> => {
  const behind = `http://127.0.0.1:${hiddenPort}`;
  const server = createServer((incoming, outgoing) => {
    read(incoming)
      .then((passing) => attend(passing, behind))
      .then((response) => write(response, outgoing))
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
export const passOn = ({ method, path, headers, body }: Passing, behind: string): Promise<Response> =>
  fetch(behind + path, {
    ...{ method, headers: onItsOwn(headers), redirect: 'manual' },
    ...(body !== '' && { body }),
  });

/**
 * Asks for a connection that serves one request. A server closes those that are idle, and what is sent on one just then is lost:
 * on a busy machine a person was left with a 502 instead of their answer.
 */
export const onItsOwn = (headers: HeadersInit = {}): Headers => {
  const all = new Headers(headers);
  all.set('connection', 'close');
  return all;
};

/** They belong to one connection (RFC 9110 §7.6.1), or are made anew for the next. */
const ofTheConnection = [
  ...['connection', 'content-encoding', 'content-length', 'host', 'keep-alive', 'transfer-encoding'],
  ...['accept-encoding', 'expect', 'upgrade'],
];

const read = async (incoming: IncomingMessage): Promise<Passing> => ({
  method: incoming.method ?? 'GET',
  path: incoming.url ?? '/',
  headers: new Headers(
    Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !ofTheConnection.includes(name) ? [[name, value]] : [],
    ),
  ),
  body: (await buffer(incoming)).toString(),
});

const write = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !ofTheConnection.includes(name)) outgoing.setHeader(name, value);
  }
  outgoing.setHeader('set-cookie', response.headers.getSetCookie());
  outgoing.writeHead(response.status).end(body);
};
