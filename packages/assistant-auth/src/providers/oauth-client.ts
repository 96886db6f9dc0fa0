/**
 * The OAuth client that `oidc` and `oauth2` share: the authorization request with PKCE (RFC 6749 §4.1.1, RFC
 * 7636 §4.3), the token response (RFC 6749 §5.1), and errors.
 */

import type { Seconds } from '../oauth/identifiers.ts';
import { computeDigest } from '../oauth/secrets.ts';
import type { ClientConfig, OfflineAccess, ProviderOptions } from './config.ts';
import type { ProviderResponse } from './http.ts';
import { ProviderError, type ProviderIo, type UpstreamRequest } from './provider.ts';

/**
 * Builds the URL that a browser is sent to. Keeps the endpoint's own query.
 * @param promptParameters parameters that determine what the provider asks the user for
 * @param extraParameters parameters of this kind of provider, such as `nonce`
 */
export const buildAuthorizationUrl = async (
  endpoint: string,
  { clientId, scopes, pkce }: ClientConfig,
  upstreamRequest: UpstreamRequest,
  promptParameters: Readonly<Record<string, string>>,
  extraParameters: Readonly<Record<string, string>> = {},
): Promise<URL> => {
  const url = new URL(endpoint);
  const parameters = {
    ...promptParameters,
    client_id: clientId,
    response_type: 'code',
    redirect_uri: upstreamRequest.redirectUri,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    state: upstreamRequest.state,
    ...extraParameters,
    // S256 (RFC 7636 §4.2).
    ...(pkce && {
      code_challenge: await computeDigest(upstreamRequest.codeVerifier),
      code_challenge_method: 'S256',
    }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
};

/** Returns the fixed parameters, with those that request reauthentication if it is necessary. */
export const buildPromptParameters = (
  { authorizationParameters, reauthentication }: ClientConfig,
  { reauthenticate }: UpstreamRequest,
): Readonly<Record<string, string>> => ({
  ...authorizationParameters,
  ...(reauthenticate !== undefined && withMaxAge(reauthentication, reauthenticate.maxAge)),
});

/** Like `buildPromptParameters`, and adds the parameters that request an account chooser if it is necessary. */
export const buildAccountPromptParameters = (
  options: ClientConfig,
  upstreamRequest: UpstreamRequest,
): Readonly<Record<string, string>> => {
  const { accountSelection } = options;
  const { selectAccount = false } = upstreamRequest;
  const parameters = buildPromptParameters(options, upstreamRequest);
  if (!selectAccount) return parameters;
  const values = [parameters, accountSelection].flatMap(({ prompt = '' }) => prompt.split(' '));
  const prompt = [...new Set(values)].filter((value) => value !== '').join(' ');
  return { ...parameters, ...accountSelection, ...(prompt !== '' && { prompt }) };
};

/**
 * Replaces a fixed `max_age` with the client's. Omits `prompt`, because `prompt=login` would make it
 * ineffective.
 */
const withMaxAge = (
  reauthentication: Readonly<Record<string, string>>,
  maxAge: Seconds | undefined,
): Readonly<Record<string, string>> => {
  const { prompt: _, ...others } = reauthentication;
  const isReplaced = maxAge !== undefined && 'max_age' in others;
  return isReplaced ? { ...others, max_age: String(maxAge) } : reauthentication;
};

/** Returns the client secret for one request. */
export const resolveClientSecret = async (
  { clientSecret }: ProviderOptions,
  { now }: ProviderIo,
): Promise<string> => (typeof clientSecret === 'string' ? clientSecret : clientSecret(now()));

// The response of a provider's token endpoint (RFC 6749 §5.1). Only members that are used can make it fail.

/** The members that are used. A token that is empty or not a string counts as absent. */
export interface TokenResponse {
  /**
   * Any truthy value is an error, even in a response with status 200 or with tokens. GitHub sends errors with
   * status 200.
   */
  readonly error: unknown;
  readonly accessToken: string | undefined;
  readonly tokenType: unknown;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly scope: unknown;
  /**
   * In seconds: `refresh_token_expires_in` (draft-ietf-oauth-refresh-token-expiration, GitHub) or
   * `refresh_expires_in` (Keycloak).
   */
  readonly refreshTokenExpiresIn: unknown;
}

/** Reads the members of a parsed body. If a name occurs twice in the JSON, the last one counts. */
export const readTokenResponse = (body: unknown): TokenResponse => {
  const members = Object(body);
  return {
    error: members.error || undefined,
    accessToken: readToken(members.access_token),
    tokenType: members.token_type,
    idToken: readToken(members.id_token),
    refreshToken: readToken(members.refresh_token),
    scope: members.scope,
    refreshTokenExpiresIn: members.refresh_token_expires_in ?? members.refresh_expires_in,
  };
};

/**
 * Reads the token response for an authorization code.
 * @throws ProviderError for an error response (RFC 6749 §5.2), for any other status than 2xx, and for a
 *   response that is not JSON
 */
export const receiveTokens = async (response: ProviderResponse): Promise<TokenResponse> => {
  // The cause is nearly always a wrong client secret.
  if (!response.ok && response.headers.has('www-authenticate'))
    throw new ProviderError('invalid', 'the token endpoint rejected the client credentials');
  const body: unknown = await response.json().catch(() => {
    throw new ProviderError('invalid', 'the response of the token endpoint is not JSON');
  });
  const tokens = readTokenResponse(body);
  if (tokens.error !== undefined) throw createTokenEndpointError(String(tokens.error));
  if (!response.ok)
    throw new ProviderError('invalid', `the token endpoint responded with status ${response.status}`);
  return tokens;
};

/**
 * Returns the access token for a request with `Authorization: Bearer`. Responses without a token type are
 * common and mean Bearer.
 * @throws ProviderError `invalid` if there is no access token, if it has another type (RFC 6749 §7.1), or if
 *   it has characters that no access token can have
 */
export const requireBearerToken = ({ accessToken, tokenType }: TokenResponse): string => {
  if (accessToken === undefined) throw new ProviderError('invalid', 'the token response has no access token');
  const isBearer = typeof tokenType === 'string' && /^(bearer)?$/i.test(tokenType);
  if (!isBearer && tokenType !== undefined && tokenType !== null)
    throw new ProviderError('invalid', 'the access token is not a Bearer token');
  // VSCHAR (RFC 6749 appendix A.12): other characters are not possible in a header.
  if (!/^[\x20-\x7E]+$/.test(accessToken))
    throw new ProviderError('invalid', 'the access token has invalid characters');
  return accessToken;
};

const readToken = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

// Which refresh tokens can be used for rechecks: those that outlive the session (OpenID Connect Core §11).

interface OfflineAccessOptions {
  readonly scopes: readonly string[];
  readonly offlineAccess: OfflineAccess;
}

const offlineAccessScope = 'offline_access';

/**
 * The shortest lifetime of an upstream token that is worth storing: a day, which is also the longest
 * `recheckInterval`. A token that expires sooner can expire before the next recheck.
 */
const minLifetime: Seconds = 86_400;

/**
 * Returns the scopes to request, with `offline_access` if the issuer supports it and the option is
 * `by-scope`.
 * @param supported `scopes_supported` of the issuer's metadata, which is optional
 */
export const resolveRequestedScopes = (
  { scopes, offlineAccess }: OfflineAccessOptions,
  supported: unknown,
): readonly string[] => {
  const isAdded =
    offlineAccess === 'by-scope' &&
    Array.isArray(supported) &&
    supported.includes(offlineAccessScope) &&
    !scopes.includes(offlineAccessScope);
  return isAdded ? [...scopes, offlineAccessScope] : scopes;
};

/**
 * Returns the refresh token of a response if it can be used for rechecks. When a token that is bound to a
 * session expires, the provider responds with `invalid_grant` (RFC 6749 §5.2), which does not mean that the
 * user's grant was revoked.
 * @param options the scopes of the authorization request, and which tokens outlive the session
 */
export const selectOfflineToken = (
  tokens: TokenResponse,
  { scopes, offlineAccess }: OfflineAccessOptions,
): string | undefined =>
  isOfflineAccessGranted(offlineAccess, parseGrantedScopes(tokens.scope, scopes))
    ? selectLongLivedToken(tokens)
    : undefined;

/** Returns the refresh token of a response, unless it expires soon. */
export const selectLongLivedToken = ({
  refreshToken,
  refreshTokenExpiresIn,
}: TokenResponse): string | undefined => (isShortLived(refreshTokenExpiresIn) ? undefined : refreshToken);

const isOfflineAccessGranted = (offlineAccess: OfflineAccess, granted: readonly unknown[]): boolean => {
  switch (offlineAccess) {
    case 'always':
      return true;
    case 'by-scope':
      return granted.includes(offlineAccessScope);
    case 'never':
      return false;
  }
};

/**
 * A response without `scope` grants what was requested (RFC 6749 §5.1). Some servers send an array or
 * separate scopes with commas.
 */
const parseGrantedScopes = (scope: unknown, requested: readonly string[]): readonly unknown[] => {
  if (scope === undefined || scope === null) return requested;
  if (typeof scope === 'string') return scope.split(/[\s,]+/);
  return Array.isArray(scope) ? scope : [];
};

/** Keycloak sends 0 for a token that does not expire. */
const isShortLived = (expiresIn: unknown): boolean => {
  const seconds = typeof expiresIn === 'string' && expiresIn !== '' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && seconds > 0 && seconds < minLifetime;
};

// Converts every error of a request to the provider to one of the three kinds of ProviderError.

/** Runs a step of a request to the provider. Throws only ProviderError. */
export const withProviderError = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw toProviderError(error);
  }
};

/**
 * The error of a token endpoint. GitHub reports an unverified email address only here, and the user has to
 * verify it.
 */
export const createTokenEndpointError = (code: string): ProviderError =>
  new ProviderError(
    code === 'unverified_user_email' ? 'denied' : 'invalid',
    `the token endpoint responded with ${sanitizeErrorCode(code)}`,
  );

/** The error of a revocation endpoint (RFC 7009 §2.2.1). */
export const createRevocationError = (code: string): ProviderError =>
  new ProviderError('invalid', `the revocation endpoint responded with ${sanitizeErrorCode(code)}`);

/** Converts any error, without its message and cause, which could contain codes and tokens. */
export const toProviderError = (error: unknown): ProviderError =>
  error instanceof ProviderError ? error : new ProviderError('invalid', 'the response could not be read');

/** The error of an authorization response (RFC 6749 §4.1.2.1). */
export const createAuthorizationError = (code: string): ProviderError =>
  new ProviderError(classifyErrorCode(code), `the provider responded with ${sanitizeErrorCode(code)}`);

/** The user canceled. The second code is Apple's. */
const denialCodes = ['access_denied', 'user_cancelled_authorize'];

/**
 * `server_error` and `temporarily_unavailable` correspond to the statuses 500 and 503, which a redirect
 * cannot have (RFC 6749 §4.1.2.1).
 */
const classifyErrorCode = (code: string): ProviderError['kind'] => {
  if (denialCodes.includes(code)) return 'denied';
  return code === 'server_error' || code === 'temporarily_unavailable' ? 'unavailable' : 'invalid';
};

const knownCodes = [
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'unauthorized_client'],
  ...['unsupported_grant_type', 'unsupported_response_type', ...denialCodes, 'server_error'],
  ...['temporarily_unavailable', 'login_required', 'consent_required', 'interaction_required'],
  ...['account_selection_required', 'unsupported_token_type'],
  // GitHub's.
  ...[
    'incorrect_client_credentials',
    'redirect_uri_mismatch',
    'bad_verification_code',
    'unverified_user_email',
  ],
  ...['application_suspended'],
];

/**
 * Only codes from specifications and documentation are logged: a provider could send anything else, even the
 * authorization code.
 */
const sanitizeErrorCode = (code: string): string =>
  knownCodes.includes(code) ? code : 'an unregistered error code';
