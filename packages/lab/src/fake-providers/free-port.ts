/**
 * Finds free ports on loopback that the operating system does not assign to other processes automatically.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ephemeral ports that systems assign automatically (Linux from 32768 on, macOS from 49152 on), so
 * that a free port is not assigned before it is used. Above 10080, the highest port that `fetch` and browsers
 * block.
 * @see https://fetch.spec.whatwg.org/#port-blocking
 */
const range = { from: 10_100, to: 32_000 } as const;

const maxAttempts = 100;

/** Finds a free port. It is not reserved, so use it immediately. */
export const findFreePort = (): Promise<number> => findConsecutivePorts(1);

/**
 * Finds the first of `count` consecutive free ports.
 * @param pickPort returns a port to try. Default: a random one, so that processes that search at the same
 *   time find different ports
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

/** Listens for a moment to find out. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
