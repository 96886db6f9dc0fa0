/** A server in front of one that closes every connection on which it is asked a second time, as if it had been idle for too long. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { forward, type ReverseProxy, startReverseProxy } from '../../src/fake-providers/reverse-proxy.ts';
import { findFreePort } from '../../src/index.ts';

let target: Server;
let proxy: ReverseProxy;
let address: string;

beforeEach(async () => {
  const [port, targetPort] = [await findFreePort(), await findFreePort()];
  const known = new WeakSet<object>();
  target = createServer((request, response) => {
    if (known.has(request.socket)) return void request.socket.destroy();
    known.add(request.socket);
    response.end(`${request.method} ${request.url}`);
  });
  await once(target.listen(targetPort, '127.0.0.1'), 'listening');
  proxy = await startReverseProxy(port, targetPort, forward);
  address = `http://127.0.0.1:${port}`;
});

afterEach(() => {
  proxy.close();
  target.close();
  target.closeAllConnections();
});

it('passes every request on over a connection of its own', async () => {
  for (const path of ['/one', '/two', '/three']) {
    const response = await fetch(address + path, { method: 'POST', body: 'x' });
    expect([response.status, await response.text()]).toEqual([200, `POST ${path}`]);
  }
});
