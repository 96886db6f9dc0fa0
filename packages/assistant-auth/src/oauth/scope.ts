/**
 * Parses and grants scopes (RFC 6749 §3.3): case-sensitive names, separated by spaces. Commas are accepted
 * too, because ChatGPT's editor allows them.
 */
import { authorizationError, tokenEndpointError } from './protocol-error.ts';

/** The scope that requests a refresh token (OpenID Connect Core §11). */
export const offlineAccessScope = 'offline_access';

/**
 * The scopes that OpenID Connect defines (Core §3.1.2.1, §5.4, §11). Clients request them from any server, so
 * they never count as unknown.
 */
const oidcScopes: readonly string[] = ['openid', 'profile', 'email', 'address', 'phone', offlineAccessScope];

/** The shape of one scope name: printable ASCII without space, quote, backslash or comma. */
export const scopeNamePattern = /^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+$/;

/** Which scopes a client can be granted. */
export interface ScopePolicy {
  /** All scopes that can be granted. */
  readonly scopes: readonly string[];
  /** What is granted if no scopes, or only OpenID Connect scopes that the API does not use, are requested. */
  readonly defaultScopes: readonly string[];
  /**
   * Whether scopes that do not exist on this server are dropped or refused.
   * @internal
   */
  readonly unknownScopes: 'dropped' | 'refused';
}

/**
 * The scopes of a server. Each has the publisher's descriptions, by the tag of their language. `offline_access` can
 * have none.
 */
export type ScopeDescriptions = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Every scope that exists on this server. */
export type DeclaredScopes = Pick<ScopeDescriptions, 'has'>;

/**
 * Returns whether a token with these scopes gives access to the API. No token is issued for `offline_access`
 * alone.
 */
export const hasApiScope = (scopes: readonly string[]): boolean =>
  scopes.some((scope) => scope !== offlineAccessScope);

/**
 * Splits a scope parameter at spaces and commas, and removes duplicates.
 * @throws ProtocolError `invalid_scope` if a name is malformed
 */
export const splitScope = (text: string): readonly string[] => {
  const names = text.split(/[ ,]+/).filter((name) => name !== '');
  if (!names.every((name) => scopeNamePattern.test(name))) throw authorizationError('scope.malformed');
  return [...new Set(names)];
};

/**
 * Decides which scopes an authorization request is granted (RFC 6749 §3.3): the requested scopes that the
 * client can be granted. If these contain no scope of the API, and the client requested no scopes or only
 * scopes of OpenID Connect, it is granted its default scopes, and `offline_access` if it requested that.
 * @throws ProtocolError `invalid_scope` if a scope is malformed or does not exist (unless this client's
 *   unknown scopes are dropped), or if no scope of the API is left although the client requested a scope that
 *   OpenID Connect does not define
 */
export const resolveGrantedScopes = (
  requested: string | undefined,
  policy: ScopePolicy,
  declared: DeclaredScopes,
): readonly string[] => {
  const names = splitScope(requested ?? '');
  if (names.some((name) => isUnknown(name, policy, declared))) throw authorizationError('scope.unknown');
  const granted = names.filter((name) => policy.scopes.includes(name));
  if (hasApiScope(granted)) return granted;
  // Scopes of OpenID Connect do not select a part of the API, so the defaults apply.
  if (!names.every(isOidcScope)) throw authorizationError('scope.unavailable');
  return [...new Set([...policy.defaultScopes, ...granted])];
};

/**
 * Returns the granted scopes that are still available, without those that the publisher has since withdrawn.
 */
export const filterAvailableScopes = (
  granted: readonly string[],
  { scopes }: Pick<ScopePolicy, 'scopes'>,
): readonly string[] => granted.filter((scope) => scopes.includes(scope));

/**
 * Narrows granted scopes at a refresh (RFC 6749 §6): the same or fewer, never more. Requested scopes that the
 * client cannot be granted, or no longer can, are dropped, so it can usually repeat its first request.
 * @param granted the scopes of the refresh token
 * @throws ProtocolError `invalid_scope` if the client requests a scope that it could have been granted but
 *   was not, or one that is malformed or does not exist (unless this client's unknown scopes are dropped); or
 *   if no scope of the API is left although it requested more than scopes of OpenID Connect
 */
export const narrowScopes = (
  requested: string | undefined,
  granted: readonly string[],
  policy: ScopePolicy,
  declared: DeclaredScopes,
): readonly string[] => {
  const available = filterAvailableScopes(granted, policy);
  if (requested === undefined) return available;
  const names = splitScope(requested);
  const exceeding = names.filter((name) => !granted.includes(name) && name !== offlineAccessScope);
  if (exceeding.some((name) => policy.scopes.includes(name) || isUnknown(name, policy, declared)))
    throw tokenEndpointError('refresh.scope');
  const narrowed = names.filter((name) => available.includes(name));
  if (hasApiScope(narrowed)) return narrowed;
  // A scope of the API can have the same name as a scope of OpenID Connect.
  const isIgnored = (name: string) =>
    name === offlineAccessScope || (isOidcScope(name) && !granted.includes(name));
  if (!names.every(isIgnored)) throw tokenEndpointError('refresh.scope');
  return available;
};

const isUnknown = (name: string, { unknownScopes }: ScopePolicy, declared: DeclaredScopes): boolean =>
  unknownScopes === 'refused' && !isOidcScope(name) && !declared.has(name);

const isOidcScope = (name: string): boolean => oidcScopes.includes(name);
