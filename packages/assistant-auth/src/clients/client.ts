/** The parties that may ask for tokens. What distinguishes their kinds is data here, so that no endpoint asks for the kind. */

import { ConfigurationError } from '../oauth/errors.ts';
import { accountClientId } from '../oauth/identifiers.ts';
import type { RedirectRule } from '../oauth/redirect-uri.ts';
import { type Issuer, isLoopback } from '../oauth/resource.ts';
import { hasApiScope, offlineAccessScope, type ScopePolicy, scopeNamePattern } from '../oauth/scope.ts';

interface ClientTraits extends ScopePolicy {
  readonly id: string;
  readonly kind: 'gpt-action' | 'static';
  /** Shown to the person who is asked for consent. */
  readonly name: string;
  readonly redirects: readonly RedirectRule[];
  readonly pkce: 'required' | 'optional';
  /** Of which kind its refresh tokens are: the same one for ever, or a new one at each use. */
  readonly refresh: 'stable' | 'rotating';
  /** Whether it gets refresh tokens unasked, or by asking for the scope `offline_access`. */
  readonly offlineAccess: 'always' | 'on-request';
  /** How a dead refresh token is answered: 400 by RFC 6749 §5.2, 401 where the client needs it to sign in anew. */
  readonly refreshFailureStatus: 400 | 401;
}

/** A client that can keep no secret: an app, a script, a page. */
export interface PublicClient extends ClientTraits {
  readonly authentication: 'none';
}

/** A client that proves itself with a secret. */
export interface ConfidentialClient extends ClientTraits {
  readonly authentication: 'client_secret';
  /** One, or two while one replaces the other. */
  readonly secrets: readonly string[];
}

export type Client = PublicClient | ConfidentialClient;

// All clients of a deployment, found by id.

/** The registered clients, by ID. */
export type ClientRegistry = ReadonlyMap<string, Client>;

/**
 * Collects the registered clients by their IDs.
 * @throws ConfigurationError `clients` if two have the same ID
 */
export const createClientRegistry = (registered: readonly Client[], issuer: Issuer): ClientRegistry => {
  const clients = isLoopback(new URL(issuer)) ? registered : registered.map(withoutDevelopmentRedirects);
  const byId = new Map(clients.map((client) => [client.id, client]));
  if (byId.size < clients.length) throw new ConfigurationError('clients', 'must have different ids.');
  return byId;
};

/** Tells whether any GPT at all may use this client, so that its secret alone decides. */
export const acceptsAnyGpt = ({ redirects }: Client): boolean =>
  redirects.some((rule) => rule.kind === 'gpt' && rule.gptIds === undefined);

// A redirect to somebody's loopback address is for a broker that runs there too, never for a deployment.
const withoutDevelopmentRedirects = (client: Client): Client => ({
  ...client,
  redirects: client.redirects.filter((rule) => rule.kind !== 'gpt-development'),
});

// The settings that every kind of client has, parsed.

/** A secret is 256 random bits; this many characters is the least that can hold nearly as much. */
const minSecretLength = 32;

/** Printable and without blanks, which come from the file that a secret was pasted from and are part of none. */
const secretPattern = /^[\x21-\x7E]+$/;

/** VSCHAR (RFC 6749 appendix A.1), without the colon that would end it inside Basic credentials. */
const idPattern = /^[\x21-\x39\x3B-\x7E]{1,200}$/;

/** @param place where it stands in the options: `clients.<id>` */
export const parseId = (optionPath: string, id: string): string => {
  if (!idPattern.test(id))
    throw new ConfigurationError(`${optionPath}.id`, 'must be printable ASCII without space or colon.');
  return id;
};

export const parseName = ({ id, name }: { readonly id: string; readonly name: string }) => {
  parseId(`clients.${id}`, id);
  if (id === accountClientId)
    throw new ConfigurationError(`clients.${id}.id`, `must not be ${id}, which is the account page.`);
  if (name.trim() === '') throw new ConfigurationError(`clients.${id}.name`, 'must not be empty.');
  return { id, name };
};

/** @param place where they stand in the options: `clients.<id>` */
export const parseSecrets = (optionPath: string, secrets: readonly string[]): readonly string[] => {
  const allowed = secrets.length >= 1 && secrets.length <= 2;
  if (
    !allowed ||
    !secrets.every((secret) => secret.length >= minSecretLength && secretPattern.test(secret))
  ) {
    throw new ConfigurationError(
      `${optionPath}.secrets`,
      `must be one or two secrets of ${minSecretLength} characters or more, printable ASCII without blanks.`,
    );
  }
  return secrets;
};

/** All names together, with their separators: they travel in every token, and a token must fit into a header. */
const maxScopesLength = 1500;

export const parseClientScopes = (options: {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly defaultScopes?: readonly string[];
}) => {
  const { id, scopes } = options;
  const { defaultScopes = scopes.filter((scope) => scope !== offlineAccessScope) } = options;
  if (!hasApiScope(scopes) || !scopes.every((scope) => scopeNamePattern.test(scope))) {
    throw new ConfigurationError(
      `clients.${id}.scopes`,
      `must contain a scope other than ${offlineAccessScope}, and no scope with a space, comma, quote or backslash.`,
    );
  }
  if (scopes.join(' ').length > maxScopesLength)
    throw new ConfigurationError(
      `clients.${id}.scopes`,
      `must be ${maxScopesLength} characters at most, together.`,
    );
  // Every kind of client can request a refresh token, even if it gets one anyway.
  const all = [...new Set([...scopes, offlineAccessScope])];
  if (!hasApiScope(defaultScopes) || !defaultScopes.every((scope) => all.includes(scope))) {
    throw new ConfigurationError(
      `clients.${id}.defaultScopes`,
      `must contain a scope other than ${offlineAccessScope}, and only scopes of this client.`,
    );
  }
  return { scopes: all, defaultScopes };
};
