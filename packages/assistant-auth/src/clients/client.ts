/**
 * Clients, and the parsers of their options. The kinds of clients differ only in data, so no endpoint has
 * special cases for one kind.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import { accountClientId, type EpochSeconds, type Seconds } from '../oauth/identifiers.ts';
import type { RedirectRule } from '../oauth/redirect-uri.ts';
import { hasApiScope, offlineAccessScope, type ScopePolicy, scopeNamePattern } from '../oauth/scope.ts';
import { hasPattern } from '../oauth/secrets.ts';

interface ClientTraits extends ScopePolicy {
  /** The client ID (RFC 6749 §2.2). */
  readonly id: string;
  /**
   * The kind of client: `gpt-action` if `gptAction` created it, and `static` if `staticClient` did. With
   * `mcpClients`, also `metadata-document`, if its ID is the URL of its metadata document, and
   * `registration`, if it registered itself (RFC 7591).
   */
  readonly kind: 'gpt-action' | 'static' | 'metadata-document' | 'registration';
  /**
   * The name that the pages show. A client of the kind `metadata-document` or `registration` chose it itself,
   * so the pages also show what identifies it.
   */
  readonly name: string;
  /**
   * The redirect URIs that it can use.
   * @internal
   */
  readonly redirects: readonly RedirectRule[];
  /**
   * Whether it must send a code challenge (RFC 7636). For a resource other than the default, every client
   * must.
   * @internal
   */
  readonly pkce: 'required' | 'optional';
  /**
   * Whether a refresh keeps the refresh token (`stable`) or replaces it (`rotating`).
   * @internal
   */
  readonly refresh: 'stable' | 'rotating';
  /** Whether it gets refresh tokens: `always`, or `on-request`, if it requests the scope `offline_access`. */
  readonly offlineAccess: 'always' | 'on-request';
  /**
   * The status of the response to a refresh token that is not valid: 400 (RFC 6749 §5.2), or 401 for a client
   * that starts a new sign-in only after a 401.
   * @internal
   */
  readonly refreshFailureStatus: 400 | 401;
  /**
   * Returns whether the user can be redirected with an error before they have seen a page (RFC 9700 §4.11.2).
   * Default: to every redirect URI of the client.
   * @internal
   */
  readonly isTrustedRedirect?: (redirectUri: string) => boolean;
  /**
   * Returns whether a grant belongs to ChatGPT as an MCP client, by the redirect URI that the code was sent
   * to. Default: no grant does.
   * @internal
   */
  readonly isChatGptMcpClient?: (redirectUri: string) => boolean;
  /**
   * The copy of the client that each sign-in stores. Absent for clients in the configuration, and for a
   * client whose metadata document cannot be read, so that a sign-in does not extend its stored copy.
   * @internal
   */
  readonly storedCopy?: {
    /** JSON without secrets. */
    readonly metadata: string;
    /** How long the copy is kept after the sign-in. */
    readonly retention: Seconds;
  };
}

/** A client that cannot keep a secret, such as a native or browser-based app (RFC 6749 §2.1). */
export interface PublicClient extends ClientTraits {
  /** It does not authenticate. */
  readonly authentication: 'none';
}

/** A client that authenticates with a secret (RFC 6749 §2.1). */
export interface ConfidentialClient extends ClientTraits {
  /** It authenticates with a secret. */
  readonly authentication: 'client_secret';
  /**
   * One secret, or two while one replaces the other. Secret.
   * @internal
   */
  readonly secrets: readonly string[];
  /**
   * The SHA-256 digest of a secret, as base64url, for a client that registered itself.
   * @internal
   */
  readonly secretDigest?: Uint8Array | undefined;
}

/**
 * A client that authenticates with an assertion, a JWT that it signs with its own key (RFC 7523 §3). Only
 * clients of the kind `metadata-document` do.
 */
export interface PrivateKeyJwtClient extends ClientTraits {
  /** It authenticates with an assertion. */
  readonly authentication: 'private_key_jwt';
  /**
   * Whether it can also be used without an assertion, as a public client.
   * @internal
   */
  readonly canBePublic: boolean;
  /**
   * Verifies an assertion. Does not check whether it was used before.
   * @throws ProtocolError `authentication.assertion`, or `authentication.keys` if the keys cannot be read
   * @internal
   */
  readonly verifyAssertion: (assertion: string) => Promise<VerifiedAssertion>;
}

/** A verified client assertion, which can be used once. */
export interface VerifiedAssertion {
  /** The client that signed it. */
  readonly clientId: string;
  /** Its unique ID: at most 255 characters. */
  readonly jti: string;
  /** The time until which storage keeps its ID: from then on, it is rejected because it has expired. */
  readonly retainUntil: EpochSeconds;
}

/** A client. `gptAction` and `staticClient` create one; `mcpClients` finds more. */
export type Client = PublicClient | ConfidentialClient | PrivateKeyJwtClient;

/** Returns whether any GPT can use this client, so that only the secret restricts its use. */
export const acceptsAnyGpt = (client: Client): boolean =>
  client.redirects.some((rule) => rule.kind === 'gpt' && rule.gptIds === undefined);

// Parsers of the options that several kinds of clients share.

/**
 * At least 32 characters of printable ASCII without spaces: a space or a line break usually comes from
 * copying and pasting. A secret should have 256 random bits; 32 printable characters can have about 210.
 */
const secretPattern = /^[\x21-\x7E]{32,}$/;

/**
 * VSCHAR (RFC 6749 appendix A.1) without the space, and without the colon, which ends the ID in Basic
 * credentials.
 */
const idPattern = /^[\x21-\x39\x3B-\x7E]{1,200}$/;

/**
 * Checks the ID of a client or an introspection client.
 * @param optionPath the path in the options, for the error: `clients.<id>` or `introspectionClients.<id>`
 * @throws ConfigurationError `<optionPath>.id`
 */
export const parseId = (optionPath: string, id: string): string => {
  if (!idPattern.test(id))
    throw new ConfigurationError(
      `${optionPath}.id`,
      'must be 1 to 200 printable ASCII characters, without spaces or colons.',
    );
  return id;
};

/**
 * Checks the ID and the name of a client.
 * @throws ConfigurationError `clients.<id>.id` or `clients.<id>.name`
 */
export const parseName = ({ id, name }: { readonly id: string; readonly name: string }) => {
  parseId(`clients.${id}`, id);
  if (id === accountClientId)
    throw new ConfigurationError(
      `clients.${id}.id`,
      `must not be ${id}, which is reserved for the account page.`,
    );
  if (name.trim() === '') throw new ConfigurationError(`clients.${id}.name`, 'must not be empty.');
  return { id, name };
};

/**
 * Checks the secrets of a client or an introspection client.
 * @param optionPath the path in the options, for the error: `clients.<id>` or `introspectionClients.<id>`
 * @throws ConfigurationError `<optionPath>.secrets`
 */
export const parseSecrets = (optionPath: string, secrets: readonly string[]): readonly string[] => {
  if (![1, 2].includes(secrets?.length) || !secrets.every(isSecret)) {
    throw new ConfigurationError(
      `${optionPath}.secrets`,
      'must be one or two secrets of at least 32 printable ASCII characters, without spaces, and random. Create one with openssl rand -base64 32.',
    );
  }
  // Their digests are cached, so later changes of the publisher's array must have no effect.
  return [...secrets];
};

// `test` converts `undefined`, a variable that is not set, to a text that is too short.
const isSecret = (secret: string): boolean =>
  secretPattern.test(secret) && !hasPattern([...new TextEncoder().encode(secret)]);

/**
 * In characters, of all scopes joined by spaces. A token can contain all of them, and it must fit into a
 * header.
 */
const maxScopesLength = 1500;

/**
 * Checks the scopes of a client, and adds `offline_access`.
 * @param optionPath the path in the options, for the error: `clients.<id>` or `mcpClients`
 * @throws ConfigurationError `<optionPath>.scopes` or `<optionPath>.defaultScopes`
 */
export const parseClientScopes = (
  optionPath: string,
  options: { readonly scopes: readonly string[]; readonly defaultScopes?: readonly string[] },
) => {
  const { scopes } = options;
  const { defaultScopes = scopes.filter((scope) => scope !== offlineAccessScope) } = options;
  if (!hasApiScope(scopes) || !scopes.every((scope) => scopeNamePattern.test(scope))) {
    throw new ConfigurationError(
      `${optionPath}.scopes`,
      `must contain a scope other than ${offlineAccessScope}, and no scope with a space, comma, quote or backslash.`,
    );
  }
  if (scopes.join(' ').length > maxScopesLength)
    throw new ConfigurationError(
      `${optionPath}.scopes`,
      `must have at most ${maxScopesLength} characters in total.`,
    );
  // Every kind of client can request a refresh token, even if it gets one anyway.
  const all = [...new Set([...scopes, offlineAccessScope])];
  if (!hasApiScope(defaultScopes) || !defaultScopes.every((scope) => all.includes(scope))) {
    throw new ConfigurationError(
      `${optionPath}.defaultScopes`,
      `must contain a scope other than ${offlineAccessScope}, and only scopes of this client.`,
    );
  }
  return { scopes: all, defaultScopes };
};
