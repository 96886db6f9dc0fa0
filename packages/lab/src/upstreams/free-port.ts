/** Finds ports on loopback that nobody listens on. */
import { createServer } from 'node:net';

/** Asks the system for a free port; whoever takes it next gets it, so take it at once. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
