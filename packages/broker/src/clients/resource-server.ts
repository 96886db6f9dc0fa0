/** An API in another process that may ask about the tokens it is sent (RFC 7662). It is no client: it can get none itself. */
import { ConfigurationError } from '../protocol/errors.ts';
import { parseId, parseSecrets } from './settings.ts';

export interface ResourceServerOptions {
  /** Its user name at the introspection endpoint, different from every client's id. */
  readonly id: string;
  /** One secret of 32 characters or more, or two while one replaces the other. */
  readonly secrets: readonly string[];
  /** The resource (RFC 8707) that it serves: one of the broker's `resources`. It sees the tokens of this audience alone. */
  readonly resource: string;
}

export interface ResourceServer {
  readonly kind: 'resource-server';
  readonly id: string;
  readonly authentication: 'client_secret';
  readonly secrets: readonly string[];
  readonly resource: string;
}

/**
 * Registers a resource server.
 * @throws ConfigurationError `resourceServers.<id>.<option>` for a malformed id or a short secret
 */
export const resourceServer = ({ id, secrets, resource }: ResourceServerOptions): ResourceServer => {
  const place = `resourceServers.${id}`;
  parseId(place, id);
  return {
    kind: 'resource-server',
    id,
    authentication: 'client_secret',
    secrets: parseSecrets(place, secrets),
    resource,
  };
};

/**
 * Puts the resource servers together.
 * @throws ConfigurationError `resourceServers` for an id that is taken, `resourceServers.<id>.resource` for an unknown one
 */
export const createResourceServers = (
  servers: readonly ResourceServer[],
  taken: (id: string) => boolean,
  resources: readonly string[],
): ReadonlyMap<string, ResourceServer> => {
  const byId = new Map(servers.map((server) => [server.id, server]));
  if (byId.size < servers.length || servers.some(({ id }) => taken(id)))
    throw new ConfigurationError('resourceServers', 'must have ids that nobody else has.');
  for (const { id, resource } of servers) {
    if (!resources.includes(resource))
      throw new ConfigurationError(`resourceServers.${id}.resource`, `must be one of resources: ${resource}`);
  }
  return byId;
};
