/**
 * Reads claims from the UserInfo endpoint (OpenID Connect Core §5.3) if the ID token lacks claims that the scopes requested (§5.4). An
 * issuer can return them from either place.
 */

import { type IDToken, processUserInfoResponse, userInfoRequest } from 'oauth4webapi';
import type { RelyingParty } from './config.ts';
import { parseEndpoint, transport } from './http.ts';
import type { IssuerMetadata } from './issuer.ts';
import { bearerToken, clientOf, type TokenResponse } from './oauth-client.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

type Claims = Readonly<Record<string, unknown>>;

export interface UserInfoSource {
  readonly party: RelyingParty;
  readonly metadata: IssuerMetadata;
  readonly io: ProviderIo;
}

/** For each scope, the claim whose absence makes the broker read UserInfo. The other claims of a scope are optional (§5.4). */
const claimsOfScopes: ReadonlyMap<string, string> = new Map([
  ['email', 'email'],
  ['profile', 'name'],
  ['phone', 'phone_number'],
  ['address', 'address'],
]);

/**
 * Completes the claims of a verified ID token. If a sign-in needs UserInfo and cannot read it, the sign-in fails: without the claims, the
 * publisher could reject the person or treat them as somebody else.
 * @throws ProviderError `unavailable` if the endpoint does not respond in time, or responds with 429 or 5xx; `invalid` for another subject
 *   (§5.3.2), for a URL that is not allowed, and for every other response without claims, except a JWT
 */
export const completeClaims = async (
  claims: IDToken,
  tokens: TokenResponse,
  source: UserInfoSource,
): Promise<Claims> => {
  const { party, metadata } = source;
  const { userInfoEndpoint: named } = metadata;
  // An issuer without a UserInfo endpoint can return claims only in the ID token.
  if (party.userInfo === 'never' || named === undefined || named === null || named === '') return claims;
  if (!isIncomplete(claims, party.scopes)) return claims;
  return merge(claims, await readUserInfo(named, claims.sub, tokens, source));
};

const isIncomplete = (claims: Claims, scopes: readonly string[]): boolean =>
  scopes.some((scope) => {
    const claim = claimsOfScopes.get(scope);
    return claim !== undefined && !isUsable(claim, claims[claim]);
  });

const readUserInfo = async (
  named: unknown,
  subject: string,
  tokens: TokenResponse,
  { party, metadata, io }: UserInfoSource,
): Promise<Claims> => {
  const endpoint = parseEndpoint('userinfo_endpoint', named, new URL(party.issuer), io);
  const server = { ...metadata.server, userinfo_endpoint: endpoint };
  const client = clientOf(party);
  const response = await userInfoRequest(server, client, bearerToken(tokens), transport(io));
  if (!response.ok)
    throw new ProviderError('invalid', `the UserInfo endpoint answered with status ${response.status}`);
  // A signed or encrypted response, which a client must register for (§5.3.2). It is not verified here, so it is ignored.
  if (/^application\/jwt\b/i.test(response.headers.get('content-type') ?? '')) return {};
  return processUserInfoResponse(server, client, subject, response);
};

const isFlag = (value: unknown): boolean =>
  typeof value === 'boolean' || value === 'true' || value === 'false';

/** The claims of §5.1 that are not strings. A claim that is not standard can have any type. */
const otherTypes: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  // Apple and Amazon Cognito send booleans as strings.
  ['email_verified', isFlag],
  ['phone_number_verified', isFlag],
  ['updated_at', Number.isFinite],
  ['address', (value: unknown) => typeof value === 'object' && !Array.isArray(value)],
]);

const textClaims: ReadonlySet<string> = new Set([
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile'],
  ...['picture', 'website', 'email', 'gender', 'birthdate', 'zoneinfo', 'locale', 'phone_number'],
]);

/** Null and an empty string count as a claim that was not returned (§5.3.2). */
const isUsable = (name: string, value: unknown): boolean => {
  if (value === undefined || value === null || value === '') return false;
  if (textClaims.has(name)) return typeof value === 'string';
  return otherTypes.get(name)?.(value) ?? true;
};

/** Claims about the token or the sign-in, which only the ID token can prove, and references to claims of third parties (§5.6.2). */
const reserved: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'sid'],
  ...['at_hash', 'c_hash', 's_hash', 'cnf', 'events', 'toe', 'txn', 'sub_id', 'sub_jwk'],
  // Copying a claim of this name could replace an object's prototype.
  ...['_claim_names', '_claim_sources', '__proto__'],
]);

/** The claim that each of these verifies. Both must come from the same source: `email_verified` is about the `email` next to it. */
const verifiedClaims: ReadonlyMap<string, string> = new Map([
  ['email_verified', 'email'],
  ['phone_number_verified', 'phone_number'],
]);

/** Adds the claims from UserInfo that the ID token does not have. */
const merge = (idToken: Claims, userInfo: Claims): Claims => {
  // Maps, because a claim can have the name of a property that every object inherits.
  const [existing, offered] = [new Map(Object.entries(idToken)), new Map(Object.entries(userInfo))];
  const isTaken = (name: string): boolean => {
    const claim = verifiedClaims.get(name) ?? name;
    return (
      !reserved.has(claim) && isUsable(claim, offered.get(claim)) && !isUsable(claim, existing.get(claim))
    );
  };
  const kept = [...existing].filter(([name]) => !isTaken(name));
  const taken = [...offered].filter(([name, value]) => isTaken(name) && isUsable(name, value));
  return Object.fromEntries([...kept, ...taken]);
};
