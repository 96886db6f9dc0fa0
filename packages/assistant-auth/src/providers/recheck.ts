/**
 * What happens to a stored refresh token: rechecks, which send it to the provider's token endpoint (RFC 6749
 * §6), and revocation when it is no longer needed (RFC 7009).
 */
import type { ProviderOptions } from './config.ts';
import type { ProviderResponse } from './http.ts';
import {
  createRevocationError,
  createTokenEndpointError,
  readTokenResponse,
  toProviderError,
} from './oauth-client.ts';
import { type ClientEndpoint, requestRevocation } from './oauth-requests.ts';
import { ProviderError, type ProviderIo, type RecheckResult } from './provider.ts';

/**
 * Sends the refresh token and reads the response: its `error`, and whether it has any token. An ID token is
 * not verified.
 * @param prepare does what comes before the refresh token is sent, and returns the function that sends it
 * @returns `unknown` if one of the two functions throws
 */
export const checkRefreshToken = async (
  { revokedErrors }: Pick<Required<ProviderOptions>, 'revokedErrors'>,
  prepare: () => Promise<() => Promise<ProviderResponse>>,
): Promise<RecheckResult> => {
  let isSent = false;
  try {
    const send = await prepare();
    isSent = true;
    return await read(await send(), revokedErrors);
  } catch (error) {
    const { message: reason } = toProviderError(error);
    return { kind: 'unknown', reason, ...(!isSent && { isTokenUnchanged: true }) };
  }
};

const read = async (
  response: ProviderResponse,
  revokedErrors: readonly unknown[],
): Promise<RecheckResult> => {
  const { error, accessToken, idToken, refreshToken } = readTokenResponse(await response.json());
  // Checked before the status and before any token, because GitHub sends errors with status 200.
  if (error !== undefined)
    return revokedErrors.includes(error) ? { kind: 'revoked' } : createInconclusiveResult(error);
  const hasToken = (accessToken ?? idToken ?? refreshToken) !== undefined;
  if (!response.ok || !hasToken) return { kind: 'unknown', reason: 'the response has no token' };
  return { kind: 'active', ...(refreshToken !== undefined && { refreshToken }) };
};

const createInconclusiveResult = (error: unknown): RecheckResult => ({
  kind: 'unknown',
  reason: createTokenEndpointError(String(error)).message,
  ...(rejectionCodes.includes(error) && { isTokenUnchanged: true }),
});

/**
 * Errors that reject the request before the refresh token is used (RFC 6749 §5.2; the last one is GitHub's).
 */
const rejectionCodes: readonly unknown[] = [
  ...['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
  'incorrect_client_credentials',
];

/** The result for a stored token that must not be sent, because `offlineAccess` is now `never`. */
export const tokenNotUsed: RecheckResult = {
  kind: 'unknown',
  reason: 'refresh tokens of this provider are not used',
  isTokenUnchanged: true,
};

// Revocation of a refresh token that is no longer needed (RFC 7009).

/** @throws ProviderError */
export const revokeToken = async (
  endpoint: ClientEndpoint,
  refreshToken: string,
  io: ProviderIo,
): Promise<void> => {
  const response = await requestRevocation(endpoint, refreshToken, io);
  const { error } = Object(await response.json().catch(() => undefined));
  // Google's error for a token that is already invalid, which RFC 7009 §2.2 treats as a success.
  if (error === 'invalid_token') return;
  if (error) throw createRevocationError(String(error));
  if (!response.ok)
    throw new ProviderError('invalid', `the revocation endpoint responded with status ${response.status}`);
};
