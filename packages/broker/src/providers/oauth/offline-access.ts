/** Which refresh tokens of a provider can be used for rechecks: those that outlive the person's session (OpenID Connect Core §11). */
import type { Seconds } from '../../protocol/time.ts';
import { ProviderError } from '../identity-provider.ts';
import type { TokenResponse } from './token-response.ts';

/**
 * Which refresh tokens are known to outlive the session that they were issued in.
 * - `always`: All refresh tokens of this provider do.
 * - `by-scope`: Only those that were issued with the scope `offline_access`.
 * - `never`: None does, or the provider must not be asked.
 */
export type OfflineAccess = 'always' | 'by-scope' | 'never';

export const offlineAccessModes: readonly unknown[] = [
  'always',
  'by-scope',
  'never',
] satisfies OfflineAccess[];

interface OfflineAccessSettings {
  readonly scopes: readonly string[];
  readonly offlineAccess: OfflineAccess;
}

const offlineScope = 'offline_access';

/** The longest time between two rechecks (`checkEvery`). A token that expires sooner can expire before the next one. */
const shortestLifetime: Seconds = 86_400;

/**
 * Returns the scopes to request, with `offline_access` if the issuer supports it and the setting is `by-scope`.
 * @param supported `scopes_supported` of the issuer's metadata, which is optional
 */
export const requestedScopes = (
  { scopes, offlineAccess }: OfflineAccessSettings,
  supported: unknown,
): readonly string[] => {
  const isAdded =
    offlineAccess === 'by-scope' &&
    Array.isArray(supported) &&
    supported.includes(offlineScope) &&
    !scopes.includes(offlineScope);
  return isAdded ? [...scopes, offlineScope] : scopes;
};

/** The error for a stored token that must not be sent, because the setting is now `never`. */
export const notUsed = (): ProviderError =>
  new ProviderError('invalid', 'refresh tokens of this provider are not used');

/**
 * Returns the refresh token of a response if it can be used for rechecks. When a token that is bound to a session expires, the provider
 * responds with `invalid_grant` (RFC 6749 §5.2), which says nothing about the person.
 * @param requested the scopes of the authorization request
 */
export const longLivedRefreshToken = (
  { refreshToken, scope, refreshTokenExpiresIn }: TokenResponse,
  offlineAccess: OfflineAccess,
  requested: readonly string[],
): string | undefined => {
  if (!isGranted(offlineAccess, grantedScopes(scope, requested))) return undefined;
  return isShort(refreshTokenExpiresIn) ? undefined : refreshToken;
};

const isGranted = (offlineAccess: OfflineAccess, granted: readonly unknown[]): boolean => {
  switch (offlineAccess) {
    case 'always':
      return true;
    case 'by-scope':
      return granted.includes(offlineScope);
    case 'never':
      return false;
  }
};

/** A response without `scope` grants what was requested (RFC 6749 §5.1). Some servers send an array or separate scopes with commas. */
const grantedScopes = (scope: unknown, requested: readonly string[]): readonly unknown[] => {
  if (scope === undefined || scope === null) return requested;
  if (typeof scope === 'string') return scope.split(/[\s,]+/);
  return Array.isArray(scope) ? scope : [];
};

/** Keycloak sends 0 for a token that does not expire. */
const isShort = (expiresIn: unknown): boolean => {
  const seconds = typeof expiresIn === 'string' && expiresIn !== '' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && seconds > 0 && seconds < shortestLifetime;
};
