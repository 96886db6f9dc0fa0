/** The arguments of `npm start`. */
import { parseArgs } from 'node:util';
import { parseOrigin } from '../app/origin.ts';
import type { Platform } from '../platform/platform.ts';

interface Arguments {
  readonly platform: Platform;
  /** Left out: the app stays on this machine. */
  readonly origin?: string;
}

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
