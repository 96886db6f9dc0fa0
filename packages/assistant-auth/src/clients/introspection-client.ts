/**
 * An API in another process that can use the introspection endpoint (RFC 7662). It is not a client: it can't
 * request tokens.
 */
import { ConfigurationError } from '../oauth/errors.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { parseId, parseSecrets } from './client.ts';

/** The options of `introspectionClient`. */
export interface IntrospectionClientOptions {
  /** The ID that it authenticates with at the introspection endpoint. Must differ from every client ID. */
  readonly id: string;
  /** One secret, or two while one replaces the other; each has at least 32 characters. */
  readonly secrets: readonly string[];
  /**
   * The resource (RFC 8707) that it serves: one of the broker's `resources`. It can introspect only tokens
   * with this audience.
   */
  readonly resource: string;
}

/** An API that can use the introspection endpoint. */
export interface IntrospectionClient {
  readonly kind: 'introspection-client';
  readonly id: string;
  readonly authentication: 'client_secret';
  readonly secrets: readonly string[];
  readonly resource: string;
}

/**
 * Registers an API that can use the introspection endpoint.
 * @throws ConfigurationError `introspectionClients.<id>.<option>` for an ID or secrets that are not valid
 */
export const introspectionClient = ({
  id,
  secrets,
  resource,
}: IntrospectionClientOptions): IntrospectionClient => {
  const optionPath = `introspectionClients.${id}`;
  parseId(optionPath, id);
  return {
    kind: 'introspection-client',
    id,
    authentication: 'client_secret',
    secrets: parseSecrets(optionPath, secrets),
    resource,
  };
};

/**
 * Indexes introspection clients by ID, each with the canonical form of its resource.
 * @param isIdTaken returns whether a client or the account page uses an ID
 * @param resources the canonical forms of all resources
 * @throws ConfigurationError `introspectionClients` for an ID that is already used,
 *   `introspectionClients.<id>.resource` for an unknown resource
 */
export const createIntrospectionClients = (
  introspectionClients: readonly IntrospectionClient[],
  isIdTaken: (id: string) => boolean,
  resources: readonly string[],
): ReadonlyMap<string, IntrospectionClient> => {
  const ids = new Set(introspectionClients.map(({ id }) => id));
  if (ids.size < introspectionClients.length || introspectionClients.some(({ id }) => isIdTaken(id)))
    throw new ConfigurationError('introspectionClients', 'must have unique IDs that no client uses.');
  return new Map(
    introspectionClients.map((client) => {
      const resource = canonicalResource(client.resource);
      if (resources.includes(resource)) return [client.id, { ...client, resource }];
      throw new ConfigurationError(
        `introspectionClients.${client.id}.resource`,
        `must be listed in resources: ${client.resource}`,
      );
    }),
  );
};
