/**
 * Dynamic client registration (RFC 7591): `POST /register`. The client ID is the sealed registration itself, so
 * that strangers cannot fill the storage. Each sign-in stores a copy, which is used after the key that sealed the
 * ID was removed from the ring.
 */

import type { Client } from '../clients/client.ts';
import type { FindClient } from '../clients/registry.ts';
import type { ClientSourceContext } from '../endpoint/client-source.ts';
import type { EndpointDefinition, MountedEndpoint } from '../endpoint/handler.ts';
import { readBodyText, readContentType } from '../http/request.ts';
import { registrationResponse, tokenError } from '../http/responses.ts';
import type { Seconds } from '../oauth/identifiers.ts';
import { mcpClientError, type ProtocolError } from '../oauth/protocol-error.ts';
import { formatRedirectHost, type RedirectRule } from '../oauth/redirect-uri.ts';
import { computeDigest, decodeBase64url, randomSecret } from '../oauth/secrets.ts';
import { flag, list, optional, record, text, uint, type ValueOf } from '../seal/codec.ts';
import { createSealer } from '../seal/sealer.ts';
import { createSealedType, type SealedType } from '../tokens/sealers.ts';
import {
  type JsonObject,
  type McpClientTraits,
  parseJsonObject,
  readClientName,
  readGrantTypes,
} from './metadata.ts';
import type { RedirectPolicy } from './redirect-uris.ts';

/** The path of the endpoint. */
export const registrationPath = '/register';

/** The content of a client ID. */
const registration = record({
  name: text,
  redirectUris: list(text),
  /** The digest of the client secret. Absent for a public client. */
  secretDigest: optional(text),
  /** Whether the client uses refresh tokens. */
  canRefresh: flag,
  issuedAt: uint,
});

type Registration = ValueOf<typeof registration>;

/** How long the stored copy is kept after a sign-in: the longest time that a refresh token can be valid. */
const retention: Seconds = 400 * 86_400;

const maxRedirectUris = 10;
/**
 * In characters, of all redirect URIs together. The client ID contains them and is part of every token and of
 * a cookie, so it must stay short.
 */
const maxRedirectLength = 512;

interface RegistrationOptions {
  readonly traits: McpClientTraits;
  readonly redirects: RedirectPolicy;
}

/** Clients that registered themselves. */
export interface RegisteredClients {
  readonly find: FindClient;
  readonly endpoint: MountedEndpoint;
}

export const createRegisteredClients = (
  context: ClientSourceContext,
  { traits, redirects }: RegistrationOptions,
): RegisteredClients => {
  const { ring, issuer, randomBytes, storage } = context;
  const purpose = { name: 'client-registration', issuer };
  const sealedType = createSealedType(createSealer(ring, purpose, randomBytes), registration);

  const createClient = (id: string, found: Registration): Client => {
    const { name, redirectUris, secretDigest, canRefresh } = found;
    const client = {
      ...traits,
      kind: 'registration',
      ...{ id, name },
      // Checked again, because an entry may have been removed from the list since then.
      redirects: redirectUris.map(redirects.allowRegistered).filter((rule) => rule !== undefined),
      offlineAccess: canRefresh ? 'always' : 'on-request',
      storedCopy: { metadata: JSON.stringify(found), retention },
    } as const;
    return secretDigest === undefined
      ? { ...client, authentication: 'none' }
      : {
          ...client,
          authentication: 'client_secret',
          secrets: [],
          secretDigest: decodeBase64url(secretDigest),
        };
  };

  return {
    async find(id) {
      const opened = await sealedType.open(id);
      if (opened.kind === 'opened') return createClient(id, opened.value);
      // Only an ID that was sealed with a removed key can be a stored one. Anything else was never a client ID.
      if (opened.reason !== 'unknown-key') return undefined;
      const stored = await storage.readClient(id);
      return stored && createClient(id, JSON.parse(stored.metadata));
    },
    endpoint: {
      path: registrationPath,
      definition: registrationEndpoint(context, sealedType, { traits, redirects }),
    },
  };
};

const registrationEndpoint = (
  { randomBytes, now }: ClientSourceContext,
  sealedType: SealedType<Registration>,
  { traits, redirects }: RegistrationOptions,
): EndpointDefinition => ({
  name: 'register',
  methods: ['POST'],
  respondToError: (error: ProtocolError) => tokenError(error, error.status, ''),
  async handle(requestContext) {
    const metadata = await readMetadata(requestContext.request);
    const {
      redirect_uris: uris,
      token_endpoint_auth_method: requestedMethod,
      client_name: requestedName,
    } = metadata;
    const { given, rules } = readRedirectUris(uris, redirects);
    const method = readAuthMethod(requestedMethod);
    const grantTypes = readGrantTypes(metadata);
    if (grantTypes === undefined)
      throw mcpClientError('registration.metadata', {
        detail: 'The grant_types must contain authorization_code, and the response_types code.',
      });
    const canRefresh = grantTypes.includes('refresh_token');
    const secret = method === 'none' ? undefined : randomSecret(randomBytes);
    const issuedAt = now();
    const [first = ''] = given;
    const name = readClientName(requestedName, formatRedirectHost(first));
    const clientId = await sealedType.seal({
      ...{ name, issuedAt },
      redirectUris: [...new Set(rules.map(formatRule))],
      secretDigest: secret === undefined ? undefined : await computeDigest(secret),
      canRefresh,
    });
    requestContext.log({ event: 'client-registered', redirectUri: first });
    return registrationResponse({
      client_id: clientId,
      client_id_issued_at: issuedAt,
      // Never expires (RFC 7591 §3.2.1).
      ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
      client_name: name,
      redirect_uris: given,
      grant_types: ['authorization_code', ...(canRefresh ? ['refresh_token'] : [])],
      response_types: ['code'],
      token_endpoint_auth_method: method,
      scope: traits.scopes.join(' '),
    });
  },
});

/** @throws ProtocolError for a body that is too long, or that is not a JSON object */
const readMetadata = async (request: Request): Promise<JsonObject> => {
  if (readContentType(request) !== 'application/json') throw mcpClientError('registration.content-type');
  const metadata = parseJsonObject(await readBodyText(request));
  if (metadata === undefined) throw mcpClientError('registration.json');
  return metadata;
};

const readRedirectUris = (
  value: unknown,
  { allowRegistered }: RedirectPolicy,
): { readonly given: readonly string[]; readonly rules: readonly RedirectRule[] } => {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= maxRedirectUris;
  if (!isList || !value.every((uri): uri is string => typeof uri === 'string'))
    throw mcpClientError('registration.redirect-uri', {
      detail: `They must be a list of 1 to ${maxRedirectUris}.`,
    });
  const rules = value.map(allowRegistered).filter((rule) => rule !== undefined);
  if (rules.length < value.length) throw mcpClientError('registration.redirect-uri');
  if (value.join('').length > maxRedirectLength)
    throw mcpClientError('registration.redirect-uri', {
      detail: `They must have at most ${maxRedirectLength} characters in total.`,
    });
  return { given: value, rules };
};

/** Every port of a loopback address matches, so the registration does not contain it. */
const formatRule = (rule: RedirectRule): string => {
  switch (rule.kind) {
    case 'exact':
      return rule.uri;
    case 'loopback':
      return `http://${rule.host}${rule.path}`;
    case 'gpt':
    case 'gpt-development':
      throw new Error('no client registers the redirect URIs of a GPT');
  }
};

/** Default: `client_secret_basic` (RFC 7591 §2). A client that asks for a secret can send it in either way. */
const readAuthMethod = (
  value: unknown = 'client_secret_basic',
): 'none' | 'client_secret_basic' | 'client_secret_post' => {
  if (value === 'none' || value === 'client_secret_basic' || value === 'client_secret_post') return value;
  throw mcpClientError('registration.metadata', {
    detail: 'The token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.',
  });
};
