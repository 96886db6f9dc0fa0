/** A provider's word on a person: what its token endpoint answers to their refresh token (RFC 6749 §6). */
import type { ProviderWord } from '../identity-provider.ts';
import type { ClientSettings } from './client-settings.ts';
import { asProviderError, tokenEndpointError } from './failure.ts';
import { readTokenResponse } from './token-response.ts';

/**
 * Sends the refresh token and reads the response: its `error`, and whether it has any token. An ID token is not verified.
 * @param prepare does what comes before the refresh token is sent, and returns the function that sends it
 * @returns `unknown` if one of the two functions throws
 */
export const wordFrom = async (
  { gone }: Pick<Required<ClientSettings>, 'gone'>,
  prepare: () => Promise<() => Promise<Response>>,
): Promise<ProviderWord> => {
  let isSent = false;
  try {
    const send = await prepare();
    isSent = true;
    return await read(await send(), gone);
  } catch (error) {
    const { message: reason } = asProviderError(error);
    return { kind: 'unknown', reason, ...(!isSent && { isTokenUnchanged: true }) };
  }
};

const read = async (response: Response, gone: readonly string[]): Promise<ProviderWord> => {
  const { error, accessToken, idToken, refreshToken } = readTokenResponse(await response.json());
  // Before the status, and before a token beside it: GitHub answers errors with 200.
  if (error !== undefined) return isIn(gone, error) ? { kind: 'gone' } : unclear(error);
  const hasToken = (accessToken ?? idToken ?? refreshToken) !== undefined;
  if (!response.ok || !hasToken) return { kind: 'unknown', reason: 'the answer holds no token' };
  return { kind: 'alive', ...(refreshToken !== undefined && { refreshToken }) };
};

const isIn = (codes: readonly unknown[], error: unknown): boolean => codes.includes(error);

const unclear = (error: unknown): ProviderWord => ({
  kind: 'unknown',
  reason: tokenEndpointError(String(error)).message,
  ...(rejections.includes(error) && { isTokenUnchanged: true }),
});

/** Errors that reject the request before the refresh token is used (RFC 6749 §5.2; the last one is GitHub's). */
const rejections: readonly unknown[] = [
  ...['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
  'incorrect_client_credentials',
];
