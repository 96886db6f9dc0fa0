/**
 * Metadata of the authorization server (RFC 8414), and of each protected resource that is served on the same
 * origin (RFC 9728).
 */

import type { Client } from './clients/client.ts';
import { type BrokerContext, paths } from './context.ts';
import type { ConnectedClientSource } from './endpoint/client-source.ts';
import { defineStaticDocument, type EndpointDefinition } from './endpoint/handler.ts';
import { corsHeaders, publicDocument } from './http/responses.ts';
import { offlineAccessScope } from './oauth/scope.ts';
import { grantHandlers } from './token-endpoint/endpoint.ts';

type MetadataContext = Pick<BrokerContext, 'issuer' | 'clients' | 'scopes'>;
type ClientSourceMetadata = Pick<ConnectedClientSource, 'authentications' | 'metadata'>;

/** @param clientSource finds clients that are not in the configuration. Default: there are none */
export const metadataEndpoint = (
  context: MetadataContext,
  clientSource: ClientSourceMetadata | undefined,
): EndpointDefinition => defineJsonDocument('metadata', buildMetadata(context, clientSource));

const defineJsonDocument = (name: string, value: object): EndpointDefinition => {
  const document = JSON.stringify(value);
  return defineStaticDocument(name, () => publicDocument(document, 'application/json', corsHeaders));
};

const buildMetadata = (
  { issuer, clients, scopes }: MetadataContext,
  clientSource: ClientSourceMetadata | undefined,
) => {
  const authentications = [...clients.configured.values()].map(({ authentication }) => authentication);
  const clientAuthMethods = [
    ...new Set([...authentications, ...(clientSource?.authentications ?? [])].flatMap(listAuthMethods)),
  ];
  return {
    issuer,
    authorization_endpoint: issuer + paths.authorize,
    token_endpoint: issuer + paths.token,
    revocation_endpoint: issuer + paths.revocation,
    introspection_endpoint: issuer + paths.introspection,
    scopes_supported: [...scopes.keys()],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...grantHandlers.keys()],
    token_endpoint_auth_methods_supported: clientAuthMethods,
    // Without these two, clients would assume `client_secret_basic` for revocation and nothing for
    // introspection (RFC 8414 §2).
    revocation_endpoint_auth_methods_supported: clientAuthMethods,
    // Public clients must not use introspection (RFC 7662 §2.1). APIs use it with a secret.
    introspection_endpoint_auth_methods_supported: [
      ...new Set([...listAuthMethods('client_secret'), ...clientAuthMethods]),
    ].filter((method) => method !== 'none'),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...clientSource?.metadata,
  };
};

const listAuthMethods = (authentication: Client['authentication']): readonly string[] => {
  switch (authentication) {
    case 'none':
      return ['none'];
    case 'client_secret':
      return ['client_secret_post', 'client_secret_basic'];
    case 'private_key_jwt':
      return ['private_key_jwt'];
  }
};

/** Describes a protected resource (RFC 9728 §2). */
export const resourceMetadataEndpoint = (
  { issuer, scopes }: MetadataContext,
  resource: string,
): EndpointDefinition =>
  defineJsonDocument('resource-metadata', {
    resource,
    authorization_servers: [issuer],
    // `offline_access` gives access to no resource. The metadata of the authorization server lists it.
    scopes_supported: [...scopes.keys()].filter((scope) => scope !== offlineAccessScope),
    bearer_methods_supported: ['header'],
  });

/**
 * Returns the paths of the metadata of the resources (RFC 9728 §3.1), by resource. A resource on another
 * origin has none, because the broker does not serve that origin. A resource with a query has none either,
 * because the broker selects endpoints by path.
 */
export const listResourceMetadataPaths = ({
  issuer,
  resources,
}: Pick<BrokerContext, 'issuer' | 'resources'>): ReadonlyMap<string, string> =>
  new Map(
    resources
      .filter((resource) => `${resource}/`.startsWith(`${issuer}/`) && !resource.includes('?'))
      .map((resource) => [resource, paths.resourceMetadata + resource.slice(issuer.length)]),
  );
