/** The response of a provider's token endpoint (RFC 6749 §5.1). Only members that are used can make it fail. */
import { ProviderError } from '../identity-provider.ts';
import { tokenEndpointError } from './failure.ts';

/** The members that are used. A token that is empty or not a string counts as absent. */
export interface TokenResponse {
  /** Any truthy value is an error, even in a response with status 200 or with tokens. GitHub sends errors with status 200. */
  readonly error: unknown;
  readonly accessToken: string | undefined;
  readonly tokenType: unknown;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly scope: unknown;
  /** In seconds: `refresh_token_expires_in` (draft-ietf-oauth-refresh-token-expiration, GitHub) or `refresh_expires_in` (Keycloak). */
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
 * Reads a copy of the token response. For an error status, it returns no members, because `oauth4webapi` handles those responses.
 * @throws ProviderError for an `error` in a successful response
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
 * Prepares the response for `oauth4webapi`, which rejects members of the wrong type even if they are not used. The library gets the ID
 * token to verify, and placeholders for the other members that it requires.
 */
export const toStrictResponse = (response: Response, idToken: string | undefined): Response => {
  const read = response.json.bind(response);
  const json = async (): Promise<unknown> => {
    const body: unknown = await read();
    // The library rejects a body that is not an object.
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
    return { access_token: 'not used', token_type: 'bearer', id_token: idToken };
  };
  return Object.assign(response, { json });
};

/**
 * Returns the access token for a request with `Authorization: Bearer`. Responses without a token type are common and mean Bearer.
 * @throws ProviderError `invalid` if there is no access token, or if it has another type (RFC 6749 §7.1)
 */
export const bearerToken = ({ accessToken, tokenType }: TokenResponse): string => {
  if (accessToken === undefined) throw new ProviderError('invalid', 'the token response has no access token');
  const isBearer = typeof tokenType === 'string' && /^(bearer)?$/i.test(tokenType);
  if (isBearer || tokenType === undefined || tokenType === null) return accessToken;
  throw new ProviderError('invalid', 'the access token is not a Bearer token');
};

const readToken = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
