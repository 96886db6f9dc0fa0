/** Reads the ports of the local system, and checks that they are free. */
import { connect } from 'node:net';
import { CommandError } from '../app/command.ts';
import { fakeProviderRegistry } from './fake-providers/registry.ts';

/** The start cannot continue, and the message tells the reader everything they need. */
export class StartError extends CommandError {
  override readonly name = 'StartError';
}

export interface Ports {
  readonly port: number;
  /** The first of several consecutive ports, one for each fake provider. */
  readonly fakeProviderPort: number;
}

const fakeProviderCount = fakeProviderRegistry.length;

/**
 * Reads `PORT` (default: 8787) and `FAKE_PROVIDER_PORT`, the first of five ports (default: the one after
 * `PORT`).
 * @throws StartError if a value is not a port, or if the ranges overlap
 */
export const readPorts = (environment: Readonly<Record<string, string | undefined>>): Ports => {
  const { PORT, FAKE_PROVIDER_PORT } = environment;
  const port = readPort('PORT', PORT) ?? 8787;
  const fakeProviderPort = readPort('FAKE_PROVIDER_PORT', FAKE_PROVIDER_PORT) ?? port + 1;
  const last = fakeProviderPort + fakeProviderCount - 1;
  if ((fakeProviderPort <= port && port <= last) || last > 65_535) {
    throw new StartError(
      `FAKE_PROVIDER_PORT must be the first of ${fakeProviderCount} consecutive ports up to 65535 that do not include PORT.`,
    );
  }
  return { port, fakeProviderPort };
};

/** @throws StartError if the port is in use, with the name of the variable that selects another one */
export const requireFreePort = async (
  variable: 'PORT' | 'FAKE_PROVIDER_PORT',
  port: number,
): Promise<void> => {
  // `localhost` can mean either address, so another process on one of them would get some of the requests.
  for (const host of ['127.0.0.1', '::1']) {
    if (await isInUse(host, port)) {
      throw new StartError(
        `Port ${port} is in use; choose another with ${variable}, for example ${variable}=${port + 10}.`,
      );
    }
  }
};

const readPort = (variable: string, text: string | undefined): number | undefined => {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new StartError(`${variable} must be a port from 1 to 65535, not "${text}".`);
};

/**
 * Checks by connecting, because on macOS an address can be bound although a process listens on all addresses.
 */
const isInUse = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (inUse: boolean): void => {
      socket.destroy();
      resolve(inUse);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
