/**
 * UserInfo (OpenID Connect Core §5.3): read if the ID token lacks claims that the scopes requested (§5.4). An
 * issuer can return them from either place. Only `oidc()` uses this: the ID tokens of the built-in providers
 * contain every claim that these have.
 */

import type { Claims } from '../oauth/jwt.ts';
import type { RelyingPartyConfig } from './config.ts';
import { fetchFromProvider, parseEndpoint } from './http.ts';
import type { IssuerMetadata } from './issuer.ts';
import { requireBearerToken, type TokenResponse } from './oauth-client.ts';
import { isVisible, ProviderError, type ProviderIo } from './provider.ts';

/** The claims of a verified ID token. */
export interface IdTokenClaims extends Claims {
  readonly sub: string;
}

interface UserInfoSource {
  readonly config: RelyingPartyConfig;
  readonly metadata: IssuerMetadata;
  readonly io: ProviderIo;
}

/**
 * For each scope, the claim whose absence makes the broker read UserInfo. The other claims of a scope are
 * optional (§5.4).
 */
const requiredClaimsByScope: ReadonlyMap<string, string> = new Map([
  ['email', 'email'],
  ['profile', 'name'],
  ['phone', 'phone_number'],
  ['address', 'address'],
]);

/**
 * Completes the claims of a verified ID token. If a sign-in needs UserInfo and cannot read it, the sign-in
 * fails: without the claims, `resolveUser` could reject the user or return another one.
 * @throws ProviderError `unavailable` for the reasons of `fetchFromProvider`; `invalid` for another subject
 *   (§5.3.2), for a URL that is not allowed, and for every other response without claims, except a JWT
 */
export const completeClaims = async (
  claims: IdTokenClaims,
  tokens: TokenResponse,
  source: UserInfoSource,
): Promise<Claims> => {
  const { config, metadata } = source;
  const { userinfo_endpoint: endpointUrl } = metadata.document;
  // An issuer without a UserInfo endpoint can return claims only in the ID token.
  if (config.userInfo === 'never' || endpointUrl === undefined || endpointUrl === null || endpointUrl === '')
    return claims;
  if (!isIncomplete(claims, config.scopes)) return claims;
  return mergeClaims(claims, await readUserInfo(endpointUrl, claims.sub, tokens, source));
};

const isIncomplete = (claims: Claims, scopes: readonly string[]): boolean =>
  scopes.some((scope) => {
    const claim = requiredClaimsByScope.get(scope);
    return claim !== undefined && !isUsable(claim, claims[claim]);
  });

const readUserInfo = async (
  endpointUrl: unknown,
  subject: string,
  tokens: TokenResponse,
  { metadata, io }: UserInfoSource,
): Promise<Claims> => {
  const endpoint = parseEndpoint('userinfo_endpoint', endpointUrl, metadata.url, io);
  const headers = {
    accept: 'application/json, application/jwt',
    authorization: `Bearer ${requireBearerToken(tokens)}`,
  };
  const response = await fetchFromProvider(endpoint, { headers }, io);
  if (!response.ok)
    throw new ProviderError('invalid', `the UserInfo endpoint responded with status ${response.status}`);
  // A signed or encrypted response, which a client must register for (§5.3.2). It is not verified here, so it
  // is ignored.
  if (/^application\/jwt\b/i.test(response.headers.get('content-type') ?? '')) return {};
  const claims: unknown = await response.json().catch(() => undefined);
  if (typeof claims !== 'object' || claims === null || !('sub' in claims))
    throw new ProviderError('invalid', 'the UserInfo response has no claims');
  // Prevents token substitution (§5.3.2).
  if (claims.sub !== subject)
    throw new ProviderError('invalid', 'the UserInfo response is about another user');
  return { ...claims };
};

const isBooleanLike = (value: unknown): boolean =>
  typeof value === 'boolean' || value === 'true' || value === 'false';

/** The claims of §5.1 that are not strings. A claim that is not standard can have any type. */
const nonStringClaims: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  // Apple and Amazon Cognito send booleans as strings.
  ['email_verified', isBooleanLike],
  ['phone_number_verified', isBooleanLike],
  ['updated_at', Number.isFinite],
  ['address', (value: unknown) => typeof value === 'object' && !Array.isArray(value)],
]);

const stringClaims: ReadonlySet<string> = new Set([
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile'],
  ...['picture', 'website', 'email', 'gender', 'birthdate', 'zoneinfo', 'locale', 'phone_number'],
]);

/** Null and text that is empty or invisible count as a claim that was not returned (§5.3.2). */
const isUsable = (name: string, value: unknown): boolean => {
  if (value === undefined || value === null || value === '') return false;
  if (stringClaims.has(name)) return isVisible(value);
  return nonStringClaims.get(name)?.(value) ?? true;
};

/**
 * Claims about the token or the sign-in, which only the ID token can prove, and references to claims of third
 * parties (§5.6.2).
 */
const reservedClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'sid'],
  ...['at_hash', 'c_hash', 's_hash', 'cnf', 'events', 'toe', 'txn', 'sub_id', 'sub_jwk'],
  // Copying a claim of this name could replace an object's prototype.
  ...['_claim_names', '_claim_sources', '__proto__'],
]);

/**
 * For each claim that states whether another is verified, that other claim. Both must come from the same
 * source: `email_verified` is about the `email` next to it.
 */
const claimByVerifiedFlag: ReadonlyMap<string, string> = new Map([
  ['email_verified', 'email'],
  ['phone_number_verified', 'phone_number'],
]);

/** Adds the claims from UserInfo that the ID token does not have. */
const mergeClaims = (idToken: Claims, userInfo: Claims): Claims => {
  // Maps, because a claim can have the name of a property that every object inherits.
  const [idTokenClaims, userInfoClaims] = [
    new Map(Object.entries(idToken)),
    new Map(Object.entries(userInfo)),
  ];
  const isAdded = (name: string): boolean => {
    const claim = claimByVerifiedFlag.get(name) ?? name;
    return (
      !reservedClaims.has(claim) &&
      isUsable(claim, userInfoClaims.get(claim)) &&
      !isUsable(claim, idTokenClaims.get(claim))
    );
  };
  const kept = [...idTokenClaims].filter(([name]) => !isAdded(name));
  const added = [...userInfoClaims].filter(([name, value]) => isAdded(name) && isUsable(name, value));
  return Object.fromEntries([...kept, ...added]);
};
