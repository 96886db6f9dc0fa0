import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { findConsecutivePorts, findFreePort } from '../../src/index.ts';

const listen = (port: number) =>
  new Promise<() => void>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(() => void server.close()));
  });

it('finds a port that can be listened on at once', async () => {
  (await listen(await findFreePort()))();
});

it('finds several in a row', async () => {
  const first = await findConsecutivePorts(6);
  const ends = await Promise.all(Array.from({ length: 6 }, (_, at) => listen(first + at)));
  for (const end of ends) end();
  expect(ends).toHaveLength(6);
});

it('finds none that the system may lend to somebody else meanwhile', async () => {
  const found = await Promise.all(Array.from({ length: 50 }, () => findConsecutivePorts(6)));
  expect(Math.max(...found) + 5).toBeLessThan(32_768);
});

it('finds none that fetch refuses to ask', async () => {
  let tries = 0;
  const lowest = await findConsecutivePorts(6, (from) => from + tries++);
  const end = await listen(lowest);
  const asked = await fetch(`http://127.0.0.1:${lowest}/`, { signal: AbortSignal.abort() }).catch(String);
  end();
  expect(lowest).toBeGreaterThan(10_080);
  expect(asked).not.toContain('bad port');
});
