/** All clients of a deployment, found by id. */
import { ConfigurationError } from '../protocol/errors.ts';
import { type Issuer, isLoopback } from '../protocol/origin.ts';
import type { Client } from './client.ts';

export interface Registry {
  readonly clients: readonly Client[];
  find(id: string): Client | undefined;
}

/**
 * Puts the registered clients together.
 * @throws ConfigurationError `clients` when two share an id
 */
export const createRegistry = (registered: readonly Client[], issuer: Issuer): Registry => {
  const clients = isLoopback(new URL(issuer)) ? registered : registered.map(withoutDevelopment);
  const byId = new Map(clients.map((client) => [client.id, client]));
  if (byId.size < clients.length) throw new ConfigurationError('clients', 'must have different ids.');
  return { clients, find: (id) => byId.get(id) };
};

/** Tells whether any GPT at all may use this client, so that its secret alone decides. */
export const isUnpinned = ({ redirects }: Client): boolean =>
  redirects.some((rule) => rule.kind === 'gpt' && rule.gptIds === undefined);

// A redirect to somebody's loopback address is for a broker that runs there too, never for a deployment.
const withoutDevelopment = (client: Client): Client => ({
  ...client,
  redirects: client.redirects.filter((rule) => rule.kind !== 'gpt-development'),
});
