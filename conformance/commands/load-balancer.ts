/**
 * A load balancer on loopback: puts several servers behind one origin. The test chooses which server gets the
 * next request.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface LoadBalancer {
  /** Sends the next requests to the servers on these ports, in turn. */
  setTargets(ports: readonly number[]): void;
  /** Returns the ports to which requests were sent since the last call of `setTargets`, in order. */
  getServedPorts(): readonly number[];
  close(): void;
}

/** @throws the system's `EADDRINUSE` if the port is taken */
export const startLoadBalancer = async (port: number): Promise<LoadBalancer> => {
  let targets: readonly number[] = [];
  let servedPorts: number[] = [];
  const server = createServer((incomingRequest, outgoingResponse) => {
    const target = targets[servedPorts.length % targets.length];
    if (target === undefined) {
      outgoingResponse.writeHead(502).end();
      return;
    }
    servedPorts.push(target);
    forward(incomingRequest, outgoingResponse, target);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    setTargets(ports) {
      targets = ports;
      servedPorts = [];
    },
    getServedPorts: () => servedPorts,
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
const forward = (incomingRequest: IncomingMessage, outgoingResponse: ServerResponse, port: number): void => {
  const { method, url: path, headers } = incomingRequest;
  const proxyHeaders = { ...headers, connection: 'close' };
  const clientRequest = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: proxyHeaders,
    agent: false,
  });
  clientRequest.once('error', (error) => {
    if (outgoingResponse.headersSent) outgoingResponse.destroy(error);
    else outgoingResponse.writeHead(502).end(String(error));
  });
  clientRequest.once('response', (response) => {
    const {
      connection: _,
      'keep-alive': __,
      'transfer-encoding': ___,
      ...responseHeaders
    } = response.headers;
    response.pipe(outgoingResponse.writeHead(response.statusCode ?? 502, responseHeaders));
  });
  incomingRequest.pipe(clientRequest);
};
