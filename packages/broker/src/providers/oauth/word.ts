/** A provider's word on a person: what its token endpoint answers to their refresh token (RFC 6749 §6). */
import type { ProviderWord } from '../identity-provider.ts';
import type { ClientSettings } from './client-settings.ts';
import { asProviderError, tokenEndpointError } from './failure.ts';
import { readTokenResponse } from './token-response.ts';

/**
 * Reads the word out of an answer. An error counts, and whether there is any token; an ID token is not verified.
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
});
