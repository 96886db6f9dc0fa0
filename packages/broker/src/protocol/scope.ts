/** Scopes (RFC 6749 §3.3): lists of case-sensitive names, separated by spaces; ChatGPT's editor also lets commas through. */
import { Refusal } from './errors.ts';

/** The scope that asks for a refresh token (OpenID Connect Core §11). */
export const offlineAccess = 'offline_access';

/** The shape of one scope name: printable ASCII without space, quote, backslash or comma. */
export const scopeName = /^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+$/;

export interface ScopePolicy {
  /** All that may be granted. */
  readonly scopes: readonly string[];
  /** What is granted when none is asked for. */
  readonly defaultScopes: readonly string[];
  /** What becomes of names outside `scopes`. */
  readonly unknownScopes: 'dropped' | 'refused';
}

/** Splits a scope parameter at spaces and commas; doubles count once. */
export const splitScope = (text: string): readonly string[] => {
  const names = text.split(/[ ,]+/).filter((name) => name !== '');
  if (!names.every((name) => scopeName.test(name))) throw new Refusal('scope.malformed');
  return [...new Set(names)];
};

/**
 * Decides which scopes a request is granted.
 * @throws Refusal `invalid_scope` when nothing that was asked for may be granted, or a name is unknown and must not be
 */
export const grantedScopes = (requested: string | undefined, policy: ScopePolicy): readonly string[] => {
  const names = splitScope(requested ?? '');
  if (names.length === 0) return policy.defaultScopes;
  const granted = names.filter((name) => policy.scopes.includes(name));
  const refused = policy.unknownScopes === 'refused' && granted.length < names.length;
  if (refused || granted.length === 0) throw new Refusal('scope.unknown');
  return granted;
};

/** What is left of scopes that were granted once: what the publisher has withdrawn since is not granted any longer. */
export const scopesLeft = (
  granted: readonly string[],
  { scopes }: Pick<ScopePolicy, 'scopes'>,
): readonly string[] => granted.filter((scope) => scopes.includes(scope));

/**
 * Narrows granted scopes at a refresh (RFC 6749 §6): the same or fewer, never more.
 * @throws Refusal `invalid_scope` on anything that was not granted
 */
export const narrowedScopes = (
  requested: string | undefined,
  granted: readonly string[],
): readonly string[] => {
  const names = splitScope(requested ?? '');
  if (!names.every((name) => granted.includes(name))) throw new Refusal('refresh.scope');
  return names.length === 0 ? granted : names;
};
