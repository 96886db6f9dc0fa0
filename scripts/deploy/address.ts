/** Reads the domain of a deployment. It is the publisher's own domain, in a zone at Cloudflare. */
import { readOrigin } from '../../apps/words/src/config/urls.ts';
import { CommandError } from '../app/command.ts';
import type { Variables } from '../app/variables.ts';

/**
 * Reads the domain from `ORIGIN`.
 * @throws CommandError if `ORIGIN` is on loopback, has a port, or is at workers.dev or pages.dev
 */
export const readDeploymentDomain = (variables: Variables): string => {
  const { protocol, hostname, port } = new URL(readOrigin(variables));
  if (protocol !== 'https:')
    throw new CommandError(
      'ORIGIN is on loopback. A deployment needs an https origin that others can reach.',
    );
  if (port !== '')
    throw new CommandError('ORIGIN has a port. A deployment must use the default port of https.');
  // The workers.dev domains are turned off, because requests to them would bypass the rules of the zone.
  if (/\.(workers|pages)\.dev$/.test(hostname))
    throw new CommandError(`ORIGIN is at ${hostname}, which is disabled. Use a domain of your own.`);
  return hostname;
};
