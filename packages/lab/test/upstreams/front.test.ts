/** A server in front of one that closes every connection on which it is asked a second time, as if it had been idle for too long. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../src/index.ts';
import { type Front, passOn, startFront } from '../../src/upstreams/front.ts';

let behind: Server;
let front: Front;
let address: string;

beforeEach(async () => {
  const [port, hiddenPort] = [await freePort(), await freePort()];
  const known = new WeakSet<object>();
  behind = createServer((request, response) => {
    if (known.has(request.socket)) return void request.socket.destroy();
    known.add(request.socket);
    response.end(`${request.method} ${request.url}`);
  });
  await once(behind.listen(hiddenPort, '127.0.0.1'), 'listening');
  front = await startFront(port, hiddenPort, passOn);
  address = `http://127.0.0.1:${port}`;
});

afterEach(() => {
  front.close();
  behind.close();
  behind.closeAllConnections();
});

it('passes every request on over a connection of its own', async () => {
  for (const path of ['/one', '/two', '/three']) {
    const response = await fetch(address + path, { method: 'POST', body: 'x' });
    expect([response.status, await response.text()]).toEqual([200, `POST ${path}`]);
  }
});
