/** The response of a provider's token endpoint (RFC 6749 §5.1): only the members that are used can make it fail. */
import { ProviderError } from '../identity-provider.ts';
import { tokenEndpointError } from './failure.ts';

/** The members that are used. A token that is not a string, or is empty, is absent. */
export interface TokenResponse {
  /** Any value but an empty one is an error, also with status 200 and beside tokens, as GitHub sends it. */
  readonly error: unknown;
  readonly accessToken: string | undefined;
  readonly tokenType: unknown;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly scope: unknown;
  /** Names and units as in draft-ietf-oauth-refresh-token-expiration and GitHub, or as in Keycloak. */
  readonly refreshTokenExpiresIn: unknown;
}

/** Reads the members out of a parsed body. Of a name that is there twice, the last one counts. */
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
 * Reads a copy of the token response. For an error status, no members are returned: `oauth4webapi` handles those.
 * @throws ProviderError for an error that came with status 200
 */
export const receiveTokens = async (response: Response): Promise<TokenResponse> => {
  if (!response.ok) return readTokenResponse(undefined);
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const tokens = readTokenResponse(body);
  if (tokens.error !== undefined) throw tokenEndpointError(String(tokens.error));
  return tokens;
};

/**
 * Makes the response fit for `oauth4webapi`, which refuses members of the wrong type whether they are used or not: it gets the ID
 * token to verify, and placeholders for the other members that it requires.
 */
export const toStrictResponse = (response: Response, idToken: string | undefined): Response => {
  const read = response.json.bind(response);
  const json = async (): Promise<unknown> => {
    const body: unknown = await read();
    // The library refuses a body that is not an object.
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
    return { access_token: 'not used', token_type: 'bearer', id_token: idToken };
  };
  return Object.assign(response, { json });
};

/**
 * Gives the access token for a request with `Authorization: Bearer`. A response without a type is common, and means Bearer.
 * @throws ProviderError `invalid` without an access token, or for one of another type (RFC 6749 §7.1)
 */
export const bearerToken = ({ accessToken, tokenType }: TokenResponse): string => {
  if (accessToken === undefined) throw new ProviderError('invalid', 'the token response has no access token');
  const isBearer = typeof tokenType === 'string' && /^(bearer)?$/i.test(tokenType);
  if (isBearer || tokenType === undefined || tokenType === null) return accessToken;
  throw new ProviderError('invalid', 'the access token is not a Bearer token');
};

const readToken = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
