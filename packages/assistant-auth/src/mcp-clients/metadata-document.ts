/**
 * Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): the client ID is an https URL,
 * and the JSON document there describes the client. The document is cached. If it can no longer be read, the
 * cached copy is used for up to 24 hours, and then the copy that was stored at the last sign-in, for up to 180
 * days. These older copies supply redirect URIs and the name, but never keys.
 */

import { isChatGptMcpClient } from '../clients/chatgpt.ts';
import type { Client, VerifiedAssertion } from '../clients/client.ts';
import type { FindClient } from '../clients/registry.ts';
import type { ClientSourceContext } from '../endpoint/client-source.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { isAsymmetricAlgorithm } from '../oauth/jwt.ts';
import { mcpClientError, type ProtocolError } from '../oauth/protocol-error.ts';
import { isLoopback } from '../oauth/resource.ts';
import type { BrokerStorage, StoredClient } from '../storage/broker-storage.ts';
import { type AssertionSigner, keySetDocument, parseKeySet, verifyAssertion } from './client-assertion.ts';
import { createDocumentCache, type DocumentCache } from './document-cache.ts';
import {
  type DocumentFailure,
  type DocumentKind,
  InvalidDocumentError,
  isAllowedUrl,
} from './fetch-document.ts';
import { type JsonObject, type McpClientTraits, readClientName, readGrantTypes } from './metadata.ts';
import type { RedirectPolicy } from './redirect-uris.ts';

/** The largest document that is read, in bytes. */
const maxBytes = 5120;

/** How long the stored copy is kept after a sign-in: as long as a refresh token can be valid by default. */
const retention: Seconds = 180 * 86_400;

/** The content of the stored copy, without the name. It contains neither keys nor secrets. */
interface StoredMetadata {
  readonly redirectUris: readonly string[];
  readonly canBePublic: boolean;
  readonly hasKeys: boolean;
  readonly canRefresh: boolean;
}

interface ClientMetadata extends StoredMetadata {
  readonly name: string;
  /** The `jwks` of the document, or the URL of the keys. */
  readonly keys:
    | { readonly kind: 'inline'; readonly jwks: AssertionKeys }
    | { readonly kind: 'url'; readonly url: string }
    | undefined;
  /** The algorithm of all assertions. */
  readonly algorithm: string | undefined;
}

type AssertionKeys = ReturnType<typeof parseKeySet>;

interface MetadataOptions {
  readonly traits: McpClientTraits;
  readonly redirects: RedirectPolicy;
  /** Sends requests to public addresses only. */
  readonly fetch: typeof fetch;
}

/** Creates the function that finds a client whose ID is the URL of a metadata document. */
export const createMetadataClients = (
  context: ClientSourceContext,
  { traits, redirects, fetch: publicFetch }: MetadataOptions,
): FindClient => {
  // Only a broker on loopback reads documents on loopback.
  const selectFetch = (url: URL) => (isLoopback(url) ? context.fetch : publicFetch);
  const documents = createDocumentCache({ ...context, selectFetch }, createDocumentKind(context, redirects));
  const keySets = createDocumentCache({ ...context, selectFetch }, keySetDocument);
  const { storage, now } = context;

  const createClient = (
    id: string,
    { name, redirectUris, canBePublic, hasKeys, canRefresh }: StoredMetadata & { readonly name: string },
    verify: (assertion: string) => Promise<VerifiedAssertion>,
  ): Client => ({
    ...{ ...traits, id, name },
    kind: 'metadata-document',
    redirects: redirectUris.map(redirects.allowPublished).filter((rule) => rule !== undefined),
    offlineAccess: canRefresh ? 'always' : 'on-request',
    isTrustedRedirect: redirects.isTrusted,
    isChatGptMcpClient: (redirectUri) => isChatGptMcpClient(id, redirectUri),
    ...(hasKeys
      ? { authentication: 'private_key_jwt', canBePublic, verifyAssertion: verify }
      : { authentication: 'none' }),
  });

  const createVerifier =
    (id: string, { keys, algorithm }: ClientMetadata) =>
    (assertion: string): Promise<VerifiedAssertion> => {
      const readKeys: AssertionSigner['readKeys'] = async (notBefore) =>
        keys?.kind === 'url'
          ? keySets.read(keys.url, notBefore === undefined ? {} : { notBefore })
          : readInlineKeys(documents, id, notBefore);
      return verifyAssertion(assertion, { clientId: id, algorithm, readKeys }, context);
    };

  const findStored = async (id: string): Promise<StoredClient | undefined> => {
    const stored = await storage.readClient(id);
    return stored !== undefined && now() < stored.retainUntil ? stored : undefined;
  };

  /** Reads the document. The limit of its host does not apply to a client that users have signed in to before. */
  const read = async (id: string) => {
    const found = await documents.read(id);
    const isLimited = found.kind === 'failed' && found.problem === 'limited';
    return isLimited && (await findStored(id)) !== undefined ? documents.read(id, { isKnown: true }) : found;
  };

  return async (id) => {
    if (!isAllowedUrl(id, context)) throw mcpClientError('client-metadata.url');
    const found = await read(id);
    switch (found.kind) {
      case 'fresh':
      case 'stale': {
        const { redirectUris, canBePublic, hasKeys, canRefresh } = found.value;
        const stored: StoredMetadata = { redirectUris, canBePublic, hasKeys, canRefresh };
        const verify = found.kind === 'fresh' ? createVerifier(id, found.value) : refuseWithoutFreshKeys;
        return {
          ...createClient(id, found.value, verify),
          storedCopy: { metadata: JSON.stringify(stored), retention },
        };
      }
      case 'gone':
        await deleteStored(storage, id);
        return undefined;
      case 'failed': {
        if (found.problem === 'withdrawn') await deleteStored(storage, id);
        const stored = found.problem === 'withdrawn' ? undefined : await findStored(id);
        if (stored === undefined) throw toProtocolError(found);
        const metadata: StoredMetadata = JSON.parse(stored.metadata);
        return createClient(id, { ...metadata, name: stored.name }, refuseWithoutFreshKeys);
      }
    }
  };
};

/** Reads first, so that requests with made-up client IDs write nothing. */
const deleteStored = async (
  storage: Pick<BrokerStorage, 'readClient' | 'deleteClient'>,
  id: string,
): Promise<void> => {
  if ((await storage.readClient(id)) !== undefined) await storage.deleteClient(id);
};

const refuseWithoutFreshKeys = async (): Promise<never> => {
  throw mcpClientError('authentication.keys');
};

const readInlineKeys = async (
  documents: DocumentCache<ClientMetadata>,
  id: string,
  notBefore: EpochSeconds | undefined,
) => {
  const found = await documents.read(id, notBefore === undefined ? {} : { notBefore });
  if (found.kind !== 'fresh' && found.kind !== 'stale') return found;
  const { keys } = found.value;
  return { ...found, value: keys?.kind === 'inline' ? keys.jwks : { keys: [] } };
};

/** The message tells the developer of the client what is wrong. The reason contains no text of the document. */
const toProtocolError = ({ problem, reason }: DocumentFailure): ProtocolError =>
  problem === 'unavailable' || problem === 'limited'
    ? mcpClientError('client-metadata.unavailable', { cause: reason })
    : mcpClientError('client-metadata.invalid', { cause: reason, detail: `Reason: ${reason}.` });

// The content of a document.

const createDocumentKind = (
  context: ClientSourceContext,
  redirects: RedirectPolicy,
): DocumentKind<ClientMetadata> => ({
  maxBytes,
  parse(document, url) {
    const { client_id: id, client_secret: secret, client_name: name, redirect_uris: uris } = document;
    // It is not the document of this client, so it does not withdraw earlier copies.
    if (id !== url) throw new InvalidDocumentError('its client_id is not its own URL', 'invalid');
    refuseIf(secret !== undefined, 'it contains a client_secret');
    const grantTypes = readGrantTypes(document);
    refuseIf(
      grantTypes === undefined,
      'it does not allow the grant type authorization_code with the response type code',
    );
    const redirectUris = readRedirectUris(uris, redirects);
    refuseIf(redirectUris.length === 0, 'it has no redirect URI that is allowed here');
    const authentication = readAuthentication(document, context);
    return {
      ...{ redirectUris, ...authentication },
      name: readClientName(name, new URL(url).host),
      canRefresh: grantTypes?.includes('refresh_token') ?? false,
    };
  },
});

/** How many redirect URIs of a document are used. */
const maxRedirectUris = 20;

/** Ignores URIs that cannot be used: a document lists the URIs for all servers. */
const readRedirectUris = (value: unknown, { allowPublished }: RedirectPolicy): readonly string[] =>
  (Array.isArray(value) ? value : [])
    .filter((uri): uri is string => typeof uri === 'string' && allowPublished(uri) !== undefined)
    .slice(0, maxRedirectUris);

/**
 * Reads how the client authenticates. `token_endpoint_auth_methods_supported` lists several methods
 * (OpenID Connect Relying Party Metadata Choices): ChatGPT's document prefers `private_key_jwt` and also allows
 * `none`, so either is accepted. Without either member, the client is public.
 */
const readAuthentication = (
  document: JsonObject,
  context: ClientSourceContext,
): Pick<ClientMetadata, 'canBePublic' | 'hasKeys' | 'keys' | 'algorithm'> => {
  const { token_endpoint_auth_method: method, token_endpoint_auth_methods_supported: several } = document;
  const { token_endpoint_auth_signing_alg: algorithm } = document;
  const methods = [...(Array.isArray(several) ? several : []), ...(method === undefined ? [] : [method])];
  const canBePublic = methods.length === 0 || methods.includes('none');
  const keys = methods.includes('private_key_jwt') ? readKeyLocation(document, context) : undefined;
  refuseIf(
    !canBePublic && keys === undefined,
    'it allows neither the authentication method none nor private_key_jwt with keys',
  );
  if (keys === undefined) return { canBePublic, hasKeys: false, keys, algorithm: undefined };
  if (algorithm !== undefined && !isAsymmetricAlgorithm(algorithm))
    throw new InvalidDocumentError('its signing algorithm is not supported');
  return { canBePublic, hasKeys: true, keys, algorithm };
};

const readKeyLocation = (
  { jwks, jwks_uri: url }: JsonObject,
  context: ClientSourceContext,
): ClientMetadata['keys'] => {
  if (jwks !== undefined) return { kind: 'inline', jwks: parseKeySet(jwks) };
  if (url === undefined) return undefined;
  if (typeof url === 'string' && isAllowedUrl(url, context)) return { kind: 'url', url };
  throw new InvalidDocumentError('its jwks_uri is not an allowed URL');
};

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new InvalidDocumentError(reason);
};
