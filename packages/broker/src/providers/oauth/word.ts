/** A provider's word on a person: what its token endpoint answers to their refresh token (RFC 6749 §6). */
import type { ProviderWord } from '../identity-provider.ts';
import type { ClientSettings } from './client-settings.ts';
import { asProviderError, tokenEndpointError } from './failure.ts';

/**
 * Reads the word out of an answer. Of the answer only three members count: an ID token in it is not asked for, and not read.
 * @param ask sends the refresh token
 * @returns `unknown` for whatever `ask` throws
 */
export const wordFrom = async (
  { gone }: Pick<Required<ClientSettings>, 'gone'>,
  ask: () => Promise<Response>,
): Promise<ProviderWord> => {
  try {
    return await read(await ask(), gone);
  } catch (error) {
    return { kind: 'unknown', reason: asProviderError(error).message };
  }
};

const read = async (response: Response, gone: readonly string[]): Promise<ProviderWord> => {
  const answer = Object(await response.json());
  const { error, access_token: accessToken, refresh_token: refreshToken } = answer;
  // Before the status, and before a token beside it: GitHub answers errors with 200.
  if (error !== undefined) return gone.includes(error) ? { kind: 'gone' } : unclear(error);
  if (!response.ok || !isToken(accessToken)) return { kind: 'unknown', reason: 'the answer holds no token' };
  return { kind: 'alive', ...(isToken(refreshToken) && { refreshToken }) };
};

const unclear = (error: unknown): ProviderWord => ({
  kind: 'unknown',
  reason: tokenEndpointError(String(error)).message,
  ...(rejections.includes(error) && { isTokenUnchanged: true }),
});

/** The request was rejected before the refresh token was looked at (RFC 6749 §5.2; the last one is GitHub's). */
const rejections: readonly unknown[] = [
  ...['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
  'incorrect_client_credentials',
];

const isToken = (value: unknown): value is string => typeof value === 'string' && value !== '';
