/** Parses the arguments of `npm start`. */
import { parseArgs } from 'node:util';
import { parseOrigin } from '../app/origin.ts';
import type { StartOptions } from './running-app.ts';

interface Arguments extends Pick<StartOptions, 'platform' | 'debugger'> {
  /** Default: the app is reachable on this machine only. */
  readonly origin?: string;
}

export const usage = `Usage: npm start [-- <options>]

Options:
  --pages                run the app as a Pages project instead of a Worker, like npm run start:pages
  --origin <https://…>   run the app behind a tunnel, without fake providers, with your variables file (docs/game/deploy.md)
  --inspect              open a debugger on loopback, through which every process on this machine can read all secrets

PORT sets the port (default: 8787), and FAKE_PROVIDER_PORT the first of five ports for the fake providers (default: PORT + 1).
The environment can set the other variables of the app; apps/words/.dev.vars.example explains them. If it sets a
provider's variables, its fake provider does not run.`;

/**
 * Reads `--pages`, `--origin` and `--inspect`.
 * @throws VariableError if `--origin` is not valid, TypeError for an unknown argument
 */
export const readArguments = (args: readonly string[]): Arguments => {
  const options = {
    pages: { type: 'boolean' },
    origin: { type: 'string' },
    inspect: { type: 'boolean' },
  } as const;
  const { pages = false, origin, inspect = false } = parseArgs({ args: [...args], options }).values;
  return {
    platform: pages ? 'pages' : 'workers',
    debugger: inspect ? 'open' : 'closed',
    ...(origin !== undefined && { origin: parseOrigin('--origin', origin) }),
  };
};
