/** The authorization request (RFC 6749 §4.1.1), always with PKCE (RFC 7636 §4.3). */
import { calculatePKCECodeChallenge } from 'oauth4webapi';
import type { ProviderLeg } from '../identity-provider.ts';
import type { ClientSettings } from './client-settings.ts';

/**
 * Builds the URL that a browser is sent to. The endpoint's own query stays.
 * @param more what this kind of provider wants besides
 */
export const authorizationUrl = async (
  endpoint: string,
  { clientId, scopes, authorizationParameters, reauthentication }: Required<ClientSettings>,
  leg: ProviderLeg,
  more: Readonly<Record<string, string>> = {},
): Promise<URL> => {
  const url = new URL(endpoint);
  const parameters = {
    ...authorizationParameters,
    ...(leg.fresh !== undefined && reauthentication),
    client_id: clientId,
    response_type: 'code',
    redirect_uri: leg.redirectUri,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    state: leg.state,
    ...more,
    code_challenge: await calculatePKCECodeChallenge(leg.codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
};
