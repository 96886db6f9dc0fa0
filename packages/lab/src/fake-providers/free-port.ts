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

/**
 * A port is only free until another process uses it, and a test may use a port minutes after it was found. So
 * processes that run at the same time search in different parts of the range.
 */
const partSize = Math.floor((range.to - range.from) / 8);

/** Vitest numbers its workers from 1. Other processes have no number. */
const { VITEST_POOL_ID = '0' } = process.env;

/** The last part is for servers behind a proxy. */
const part = { own: Number(VITEST_POOL_ID) % 7, behindProxy: 7 } as const;

const maxAttempts = 100;

/** Finds a free port. It is not reserved, so use it immediately. */
export const findFreePort = (): Promise<number> => findConsecutivePorts(1);

/** Finds a free port for a server behind a proxy, which can't be one that was found for the proxy itself. */
export const findPortBehindProxy = (): Promise<number> => search(1, pickBehindProxy);

/** Finds the first of `count` consecutive free ports. */
export const findConsecutivePorts = (count: number): Promise<number> => search(count, pickOwn);

const search = async (count: number, pickPort: (count: number) => number): Promise<number> => {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const first = pickPort(count);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (!free.includes(false)) return first;
  }
  throw new Error(`No ${count} consecutive ports were free from ${range.from} to ${range.to}.`);
};

/** Starts at a random port of a part, and returns no port twice until it reaches the end of the part. */
const createPicker = (partNumber: number): ((count: number) => number) => {
  const from = range.from + partNumber * partSize;
  let next = from + randomInt(partSize);
  return (count) => {
    const first = next + count > from + partSize ? from : next;
    next = first + count;
    return first;
  };
};

const pickOwn = createPicker(part.own);
const pickBehindProxy = createPicker(part.behindProxy);

/** Checks by listening on the port for a moment. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
