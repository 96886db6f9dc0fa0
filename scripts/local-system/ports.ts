/** The ports of the local system: which ones, and whether they are free. */
import { connect } from 'node:net';
import { Refused } from '../app/command.ts';
import { plans } from './stand-ins/plans.ts';

/** The start cannot go on, and the message says all that its reader needs. */
export class StartRefused extends Refused {
  override readonly name = 'StartRefused';
}

export interface Ports {
  readonly port: number;
  /** The first of several in a row, one for each provider's stand-in. */
  readonly standInPort: number;
}

const standInCount = plans.length;

/**
 * Reads `PORT` (8787 when left out) and `STANDIN_PORT`, the first of five (the one after `PORT` when left out).
 * @throws StartRefused for what is not a port
 */
export const readPorts = (environment: Readonly<Record<string, string | undefined>>): Ports => {
  const { PORT, STANDIN_PORT } = environment;
  const port = readPort('PORT', PORT) ?? 8787;
  const standInPort = readPort('STANDIN_PORT', STANDIN_PORT) ?? port + 1;
  const last = standInPort + standInCount - 1;
  if ((standInPort <= port && port <= last) || last > 65_535) {
    throw new StartRefused(
      `STANDIN_PORT must be the first of ${standInCount} ports from 1 to 65535 without PORT among them.`,
    );
  }
  return { port, standInPort };
};

/** @throws StartRefused when somebody listens on it, naming the variable that chooses another */
export const demandFree = async (variable: 'PORT' | 'STANDIN_PORT', port: number): Promise<void> => {
  // `localhost` may mean either address, so a stranger on one of them would get half of the requests.
  for (const host of ['127.0.0.1', '::1']) {
    if (await isTaken(host, port)) {
      throw new StartRefused(
        `Port ${port} is in use; choose another with ${variable}, for example ${variable}=${port + 10}.`,
      );
    }
  }
};

const readPort = (variable: string, text: string | undefined): number | undefined => {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new StartRefused(`${variable} must be a port from 1 to 65535, not "${text}".`);
};

/** Asks by connecting: on macOS an address can be bound although somebody listens on all of them. */
const isTaken = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
