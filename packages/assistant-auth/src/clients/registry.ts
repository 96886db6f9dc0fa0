/** The registry: finds a client by its ID, in the configuration first. */

import { ConfigurationError } from '../oauth/errors.ts';
import { type Issuer, isLoopback } from '../oauth/resource.ts';
import type { Client } from './client.ts';

export interface ClientRegistry {
  /** The clients in the configuration, by ID. */
  readonly configured: ReadonlyMap<string, Client>;
  /**
   * Finds a client. If it is not in the configuration, the result can change between two calls.
   * @throws ProtocolError `client-metadata.…` if the metadata document of the client cannot be used
   * @throws StorageUnavailable if storage is needed to find the client
   */
  find(id: string): Promise<Client | undefined>;
  /**
   * Finds the client that presents a code or token. A client that is not in the configuration is only found
   * if the code or token was issued to it: anyone can make up such a client ID, and finding the client can
   * take a request to its host.
   * @param owner the client that the code or token was issued to, if it is genuine
   */
  findPresenter(id: string, owner: string | undefined): Promise<Client | undefined>;
  /** Returns whether only the client source can find a client, because it is not in the configuration. */
  requiresSource(id: string): boolean;
}

/** Finds a client by its ID. */
export type FindClient = ClientRegistry['find'];

/**
 * Indexes the clients in the configuration by ID. GPT callbacks on loopback are removed unless the issuer is
 * on loopback.
 * @throws ConfigurationError `clients` if two have the same ID; `clients.<id>.redirectUris` for a redirect
 *   URI on loopback with optional PKCE, unless the issuer is on loopback
 */
export const indexClients = (clients: readonly Client[], issuer: Issuer): ReadonlyMap<string, Client> => {
  const usable = isLoopback(new URL(issuer)) ? clients : clients.map(withoutDevelopmentRedirects);
  const byId = new Map(usable.map((client) => [client.id, client]));
  if (byId.size < clients.length) throw new ConfigurationError('clients', 'must have unique IDs.');
  return byId;
};

// Redirects to a GPT callback on loopback are only for a broker that also runs on loopback. So are those to
// loopback without PKCE, because any program on the device can receive them.
const withoutDevelopmentRedirects = (client: Client): Client => {
  const { id, pkce, redirects } = client;
  if (pkce === 'optional' && redirects.some((rule) => rule.kind === 'loopback'))
    throw new ConfigurationError(`clients.${id}.redirectUris`, 'must use https if pkce is optional.');
  return { ...client, redirects: redirects.filter((rule) => rule.kind !== 'gpt-development') };
};

/**
 * Creates the registry.
 * @param findInSource finds clients that are not in the configuration. Default: there are none
 */
export const createClientRegistry = (
  configured: ReadonlyMap<string, Client>,
  findInSource: FindClient | undefined,
): ClientRegistry => ({
  configured,
  find: async (id) => configured.get(id) ?? findInSource?.(id),
  findPresenter: async (id, owner) => configured.get(id) ?? (id === owner ? findInSource?.(id) : undefined),
  requiresSource: (id) => findInSource !== undefined && !configured.has(id),
});
