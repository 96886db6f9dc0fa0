/** Where a deployment is reached: a domain of the publisher's own, of which Cloudflare holds the zone. */
import { readOrigin } from '../../apps/words/src/config/urls.ts';
import { CommandError } from '../app/command.ts';
import type { Variables } from '../app/variables.ts';

/**
 * Reads the domain from `ORIGIN`.
 * @throws Refused when nobody else would reach it, ChatGPT would not, or it is Cloudflare's
 */
export const readDeploymentDomain = (variables: Variables): string => {
  const { protocol, hostname, port } = new URL(readOrigin(variables));
  if (protocol !== 'https:') throw new CommandError('ORIGIN is on loopback: a deployment has an https one.');
  if (port !== '')
    throw new CommandError('ORIGIN has a port: ChatGPT calls the usual one, and so does Cloudflare.');
  // Left on, the addresses of workers.dev would be a second way in, past the rules of the zone.
  if (/\.(workers|pages)\.dev$/.test(hostname))
    throw new CommandError(`ORIGIN is at ${hostname}, which is switched off: it takes a domain of your own.`);
  return hostname;
};
