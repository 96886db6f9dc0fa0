/** Finds ports on loopback that nobody listens on, and that the system gives to nobody unasked. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems lend to whoever connects or listens without naming one (Linux from 32768 on, macOS from 49152
 * on): one that was found free here is not lent away before it is taken. Above 10080, the highest that `fetch` and browsers refuse.
 * @see https://fetch.spec.whatwg.org/#port-blocking
 */
const range = { from: 10_100, to: 32_000 } as const;

const maxAttempts = 100;

/** Finds a free port; whoever takes it next gets it, so take it at once. */
export const findFreePort = (): Promise<number> => findConsecutivePorts(1);

/**
 * Finds the first of `count` free ports in a row.
 * @param draw where to look; left out: at random, so that processes that look at the same time find different ones
 */
export const findConsecutivePorts = async (
  count: number,
  pickPort: (from: number, below: number) => number = randomInt,
): Promise<number> => {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const first = pickPort(range.from, range.to - count);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)));
    if (!free.includes(false)) return first;
  }
  throw new Error(`No ${count} ports in a row were free from ${range.from} to ${range.to}.`);
};

/** Listens for a moment. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
