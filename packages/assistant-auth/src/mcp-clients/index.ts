/**
 * MCP clients that are not in the configuration: the client ID is the URL of a metadata document, or the client
 * registers itself (RFC 7591).
 * @module
 */

import { type Client, parseClientScopes } from '../clients/client.ts';
import type { ClientSource, ClientSourceContext, ConnectedClientSource } from '../endpoint/client-source.ts';
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { asymmetricAlgorithms } from '../oauth/jwt.ts';
import { mcpClientErrors } from '../oauth/protocol-error.ts';
import type { ScopeDescriptions } from '../oauth/scope.ts';
import { listErrorTexts } from '../ui/texts.ts';
import type { McpClientTraits } from './metadata.ts';
import { createMetadataClients } from './metadata-document.ts';
import { createRedirectPolicy, knownRedirectUris } from './redirect-uris.ts';
import { createRegisteredClients, registrationPath } from './registration.ts';
import { defaultMcpClientTexts } from './texts.ts';

export type { ClientSource } from '../endpoint/client-source.ts';
export { knownRedirectUris } from './redirect-uris.ts';

/** The options of `mcpClients`. */
export interface McpClientsOptions {
  /**
   * The scopes that these clients can be granted. Must contain a scope of the API; `offline_access` is added.
   * Default: all scopes of the broker.
   */
  readonly scopes?: readonly string[];
  /**
   * The scopes that are granted if a client requests no scopes, or only scopes of OpenID Connect that the API
   * does not use. Default: all of `scopes` except `offline_access`.
   */
  readonly defaultScopes?: readonly string[];
  /**
   * The redirect URIs that clients can register, besides those on loopback. Each is a normalized https URI, whose
   * path can end in `/*` to allow every path below it, or an exact URI with a private-use scheme. `[]` allows
   * only loopback. Default: `knownRedirectUris`; to add one, write
   * `[...knownRedirectUris, 'https://app.example/callback']`.
   */
  readonly redirectUris?: readonly string[];
  /**
   * Whether a client ID can be the https URL of a metadata document. Default: `true`.
   * @see https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/
   */
  readonly metadataDocuments?: boolean;
  /**
   * Whether clients can register themselves at `/register`. Default: `true`.
   * @see RFC 7591
   */
  readonly registration?: boolean;
  /**
   * Sends the requests for metadata documents and keys. Anyone can choose their URLs, so it must refuse private
   * addresses, as `publicFetch` of `assistant-auth/node` does. Required unless the broker runs on Workers or
   * `metadataDocuments` is `false`. Default on Workers: the option `fetch` of `createBroker`; the compatibility
   * flag `global_fetch_strictly_public` must be set.
   */
  readonly fetch?: typeof fetch;
}

/**
 * Lets MCP clients that are not in the configuration request tokens, for the option `clients` of `createBroker`.
 * A client identifies itself with the URL of its metadata document, or it registers itself. Each one must use
 * PKCE with S256 (RFC 7636), and each refresh replaces the refresh token.
 *
 * Such a client chooses its own name. So the sign-in page also shows the host of its metadata document, or that
 * the name is not verified, and the host that the code is sent to.
 *
 * On Workers, call it without `fetch`, and add `global_fetch_strictly_public` to `compatibility_flags` in the
 * Wrangler file. On Node, pass `publicFetch`.
 * @param options which clients are accepted, and what they can be granted
 * @throws ConfigurationError `mcpClients.<option>`, when `createBroker` is called, for an option that is not
 *   valid, or for a missing `fetch` or compatibility flag
 * @example
 * ```ts
 * import { gptAction } from 'assistant-auth';
 * import { mcpClients } from 'assistant-auth/mcp-clients';
 * import { publicFetch } from 'assistant-auth/node';
 *
 * const clients = [
 *   mcpClients({ fetch: publicFetch }),
 *   gptAction({ id: 'gpt', name: 'Words', secrets: [env.GPT_CLIENT_SECRET], scopes: ['score'] }),
 * ];
 * ```
 */
export const mcpClients = (options: McpClientsOptions = {}): ClientSource => ({
  kind: 'mcp-clients',
  texts: { ...listErrorTexts(documentErrors), ...defaultMcpClientTexts },
  connect: (context) => connect(options, context),
});

/** The only error of these clients that has a text of its own: the others are mistakes of the client. */
const documentErrors = { 'client-metadata.unavailable': mcpClientErrors['client-metadata.unavailable'] };

const connect = (options: McpClientsOptions, context: ClientSourceContext): ConnectedClientSource => {
  const {
    scopes = [...context.scopes.keys()],
    defaultScopes,
    redirectUris = knownRedirectUris,
    metadataDocuments = true,
    registration = true,
    fetch: givenFetch,
    ...unknown
  } = options;
  rejectUnknownOptions('mcpClients.', unknown);
  if (!metadataDocuments && !registration)
    throw new ConfigurationError('mcpClients', 'must allow metadataDocuments, registration, or both.');
  const traits = createTraits(context.scopes, scopes, defaultScopes);
  const redirects = createRedirectPolicy(redirectUris);
  const findByDocument = metadataDocuments
    ? createMetadataClients(context, { traits, redirects, fetch: selectFetch(givenFetch, context) })
    : undefined;
  const registered = registration ? createRegisteredClients(context, { traits, redirects }) : undefined;
  return {
    // A client ID that was registered contains no colon.
    find: async (id) => (id.includes(':') ? findByDocument?.(id) : registered?.find(id)),
    authentications: listAuthentications(metadataDocuments, registration),
    metadata: {
      ...(metadataDocuments && {
        client_id_metadata_document_supported: true,
        token_endpoint_auth_signing_alg_values_supported: asymmetricAlgorithms,
        revocation_endpoint_auth_signing_alg_values_supported: asymmetricAlgorithms,
        introspection_endpoint_auth_signing_alg_values_supported: asymmetricAlgorithms,
      }),
      ...(registration && { registration_endpoint: context.issuer + registrationPath }),
    },
    endpoints: registered === undefined ? [] : [registered.endpoint],
  };
};

const listAuthentications = (
  metadataDocuments: boolean,
  registration: boolean,
): readonly Client['authentication'][] => [
  'none',
  ...(metadataDocuments ? (['private_key_jwt'] as const) : []),
  ...(registration ? (['client_secret'] as const) : []),
];

const createTraits = (
  declared: ScopeDescriptions,
  scopes: readonly string[],
  defaultScopes: readonly string[] | undefined,
): McpClientTraits => {
  const unknown = scopes.find((scope) => !declared.has(scope));
  if (unknown !== undefined)
    throw new ConfigurationError('mcpClients.scopes', `must be declared in scopes: ${unknown}`);
  return {
    ...parseClientScopes('mcpClients', { scopes, ...(defaultScopes && { defaultScopes }) }),
    unknownScopes: 'refused',
    pkce: 'required',
    refresh: 'rotating',
    refreshFailureStatus: 400,
  };
};

/** @throws ConfigurationError unless requests can reach only public addresses */
const selectFetch = (given: typeof fetch | undefined, context: ClientSourceContext): typeof fetch => {
  if (typeof given === 'function') return given;
  // Read without types: no platform has both globals.
  const { userAgent } = Object(Reflect.get(globalThis, 'navigator'));
  if (userAgent !== 'Cloudflare-Workers')
    throw new ConfigurationError(
      'mcpClients.fetch',
      'must be a fetch that refuses private addresses, such as publicFetch of assistant-auth/node.',
    );
  const { compatibilityFlags } = Object(Reflect.get(globalThis, 'Cloudflare'));
  const { global_fetch_strictly_public: isPublicOnly } = Object(compatibilityFlags);
  // Without this flag, a request to another host of the same zone goes directly to its origin server.
  if (isPublicOnly !== true)
    throw new ConfigurationError(
      'mcpClients',
      'requires the compatibility flag global_fetch_strictly_public, so that no client can choose a URL that reaches your origin server directly. Add the flag to compatibility_flags in the Wrangler file.',
    );
  return context.fetch;
};
