/** An API in another process that may ask about the tokens it is sent (RFC 7662). It is no client: it can get none itself. */
import { ConfigurationError } from '../oauth/errors.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { parseId, parseSecrets } from './client.ts';

export interface IntrospectionClientOptions {
  /** Its user name at the introspection endpoint, different from every client's id. */
  readonly id: string;
  /** One secret of 32 characters or more, or two while one replaces the other. */
  readonly secrets: readonly string[];
  /** The resource (RFC 8707) that it serves: one of the broker's `resources`. It sees the tokens of this audience alone. */
  readonly resource: string;
}

export interface IntrospectionClient {
  readonly kind: 'introspection-client';
  readonly id: string;
  readonly authentication: 'client_secret';
  readonly secrets: readonly string[];
  readonly resource: string;
}

/**
 * Registers a resource server.
 * @throws ConfigurationError `introspectionClients.<id>.<option>` for a malformed id or a short secret
 */
export const introspectionClient = ({
  id,
  secrets,
  resource,
}: IntrospectionClientOptions): IntrospectionClient => {
  const place = `resourceServers.${id}`;
  parseId(place, id);
  return {
    kind: 'introspection-client',
    id,
    authentication: 'client_secret',
    secrets: parseSecrets(place, secrets),
    resource,
  };
};

/**
 * Collects the resource servers by their ids, each with the canonical form of its resource.
 * @param resources the canonical forms of all resources that exist
 * @throws ConfigurationError `introspectionClients` for an id that is taken, `introspectionClients.<id>.resource` for an unknown one
 */
export const createIntrospectionClients = (
  servers: readonly IntrospectionClient[],
  taken: (id: string) => boolean,
  resources: readonly string[],
): ReadonlyMap<string, IntrospectionClient> => {
  const ids = new Set(servers.map(({ id }) => id));
  if (ids.size < servers.length || servers.some(({ id }) => taken(id)))
    throw new ConfigurationError('introspectionClients', 'must have ids that nobody else has.');
  return new Map(
    servers.map((server) => {
      const resource = canonicalResource(server.resource);
      if (resources.includes(resource)) return [server.id, { ...server, resource }];
      throw new ConfigurationError(
        `resourceServers.${server.id}.resource`,
        `must be one of resources: ${server.resource}`,
      );
    }),
  );
};
