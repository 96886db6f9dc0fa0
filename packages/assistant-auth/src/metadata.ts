/** `GET /.well-known/oauth-authorization-server` (RFC 8414): describes what this deployment supports. */

import type { Client } from './clients/client.ts';
import { type BrokerContext, paths } from './context.ts';
import { defineStaticDocument, type EndpointDefinition } from './endpoint/handler.ts';
import { publicDocument } from './http/responses.ts';
import { grantHandlers } from './token-endpoint/endpoint.ts';

type MetadataContext = Pick<BrokerContext, 'issuer' | 'clients' | 'scopes'>;

export const metadataEndpoint = (context: MetadataContext): EndpointDefinition => {
  const document = JSON.stringify(buildMetadata(context));
  return defineStaticDocument('metadata', () => publicDocument(document, 'application/json'));
};

const buildMetadata = ({ issuer, clients, scopes }: MetadataContext) => {
  const clientAuthMethods = [...new Set([...clients.values()].flatMap(listAuthMethods))];
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
    introspection_endpoint_auth_methods_supported: listAuthMethods({ authentication: 'client_secret' }),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
};

const listAuthMethods = ({ authentication }: Pick<Client, 'authentication'>): readonly string[] => {
  switch (authentication) {
    case 'none':
      return ['none'];
    case 'client_secret':
      return ['client_secret_post', 'client_secret_basic'];
  }
};
