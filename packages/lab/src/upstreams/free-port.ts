/** Finds ports on loopback that nobody listens on. */
import { createServer } from 'node:net';

/** Asks the system for a free port; whoever takes it next gets it, so take it at once. */
export const freePort = async (): Promise<number> => {
  const port = await tryPort(0);
  if (port === undefined) throw new Error('The system has no port left.');
  return port;
};

/** Finds the first of `count` free ports in a row. */
export const freePortsInARow = async (count: number): Promise<number> => {
  for (;;) {
    const first = await freePort();
    const others = await Promise.all(Array.from({ length: count - 1 }, (_, at) => tryPort(first + 1 + at)));
    if (others.every((port) => port !== undefined)) return first;
  }
};

/** Listens for a moment; gives nothing where somebody else does. */
const tryPort = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    if (port > 65_535) return resolve(undefined);
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
