/**
 * A reverse proxy on loopback: puts several servers behind one origin. The test chooses which server gets the
 * next request.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface ReverseProxy {
  /** Sends the next requests to the servers on these ports, in turn. */
  alternate(ports: readonly number[]): void;
  /** Returns the ports to which requests were sent since the last call of `alternate`, in order. */
  served(): readonly number[];
  close(): void;
}

/** @throws the system's `EADDRINUSE` if the port is taken */
export const startReverseProxy = async (port: number): Promise<ReverseProxy> => {
  let targets: readonly number[] = [];
  let served: number[] = [];
  const server = createServer((incoming, outgoing) => {
    const target = targets[served.length % targets.length];
    if (target === undefined) {
      outgoing.writeHead(502).end();
      return;
    }
    served.push(target);
    forward(incoming, outgoing, target);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    alternate(ports) {
      targets = ports;
      served = [];
    },
    served: () => served,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
};

/**
 * Forwards a request on a new connection, with its `Host` header, because the app accepts requests only for
 * its own origin.
 */
const forward = (incoming: IncomingMessage, outgoing: ServerResponse, port: number): void => {
  const { method, url: path, headers } = incoming;
  const own = { ...headers, connection: 'close' };
  const clientRequest = request({ host: '127.0.0.1', port, method, path, headers: own, agent: false });
  clientRequest.once('error', (error) => {
    if (outgoing.headersSent) outgoing.destroy(error);
    else outgoing.writeHead(502).end(String(error));
  });
  clientRequest.once('response', (response) => {
    const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = response.headers;
    response.pipe(outgoing.writeHead(response.statusCode ?? 502, rest));
  });
  incoming.pipe(clientRequest);
};
