/**
 * An API in another process that can use the introspection endpoint (RFC 7662). It is not a client: it can't
 * request tokens.
 */
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { parseId, parseSecrets } from './client.ts';

/** The options of `introspectionClient`. */
export interface IntrospectionClientOptions {
  /**
   * The ID that it authenticates with at the introspection endpoint: 1 to 200 printable ASCII characters
   * without spaces or colons. Must differ from every client ID.
   */
  readonly id: string;
  /**
   * One secret, or two while one replaces the other: each at least 32 printable ASCII characters without
   * spaces, with 256 bits of randomness. Secret.
   */
  readonly secrets: readonly string[];
  /**
   * The resource (RFC 8707) that it serves: one of the broker's `resources`. It can introspect only tokens
   * with this audience.
   */
  readonly resource: string;
}

/** An API that can use the introspection endpoint. */
export interface IntrospectionClient {
  /** Always `introspection-client`. */
  readonly kind: 'introspection-client';
  /** The ID that it authenticates with. */
  readonly id: string;
  /** It authenticates with a secret. */
  readonly authentication: 'client_secret';
  /**
   * One secret, or two while one replaces the other. Secret.
   * @internal
   */
  readonly secrets: readonly string[];
  /** The resource that it serves (RFC 8707). */
  readonly resource: string;
}

/**
 * Registers an API that can use the introspection endpoint.
 * @param options the credentials of the API, and the resource that it serves
 * @throws ConfigurationError `introspectionClients.<id>.<option>` for an ID or secrets that are not valid
 * @see [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)
 * @example
 * ```ts
 * import { introspectionClient } from 'assistant-auth';
 *
 * const client = introspectionClient({
 *   id: 'scores-api',
 *   secrets: [env.API_CLIENT_SECRET],
 *   resource: 'https://scores.example',
 * });
 * ```
 */
export const introspectionClient = ({
  id,
  secrets,
  resource,
  ...unknown
}: IntrospectionClientOptions): IntrospectionClient => {
  const optionPath = `introspectionClients.${id}`;
  rejectUnknownOptions(`${optionPath}.`, unknown);
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
