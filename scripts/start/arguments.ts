/** The arguments of `npm start`. */
import { parseArgs } from 'node:util';
import { parseOrigin } from '../app/origin.ts';
import type { Platform } from '../platform/platform.ts';

interface Arguments {
  readonly platform: Platform;
  /** Left out: the app stays on this machine. */
  readonly origin?: string;
}

export const usage = `Write npm start, or npm start -- with
  --pages                the app as a Pages project and not as a Worker, like npm run start:pages
  --origin <https://…>   the app alone behind a tunnel, with the variables of a deployment (docs/deploy.md)
PORT chooses the port (8787 when left out), STANDIN_PORT the first of five for the stand-ins (the one after it).`;

/**
 * Reads `--pages` and `--origin`.
 * @throws VariableError for an `--origin` that is none, TypeError for an unknown argument
 */
export const readArguments = (args: readonly string[]): Arguments => {
  const options = { pages: { type: 'boolean' }, origin: { type: 'string' } } as const;
  const { pages = false, origin } = parseArgs({ args: [...args], options }).values;
  const platform = pages ? 'pages' : 'workers';
  return origin === undefined ? { platform } : { platform, origin: parseOrigin('--origin', origin) };
};
