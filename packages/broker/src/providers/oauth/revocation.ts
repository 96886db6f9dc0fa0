/** Revoking a refresh token that is no longer needed, at the provider that gave it (RFC 7009). */
import { type AuthorizationServer, type ClientAuth, revocationRequest } from 'oauth4webapi';
import { ProviderError, type ProviderIo } from '../identity-provider.ts';
import { clientOf } from './client.ts';
import type { ClientSettings } from './client-settings.ts';
import { revocationError } from './failure.ts';
import { transport } from './transport.ts';

/** Who revokes, and where. */
export interface Revoker {
  readonly party: ClientSettings;
  /** Its `revocation_endpoint` was checked. */
  readonly server: AuthorizationServer;
  readonly auth: ClientAuth;
}

/** @throws the library's errors and ProviderError; `orProviderError` makes all of them the latter */
export const revokeToken = async (
  { party, server, auth }: Revoker,
  refreshToken: string,
  io: ProviderIo,
): Promise<void> => {
  const response = await revocationRequest(server, clientOf(party), auth, refreshToken, {
    ...transport(io),
    additionalParameters: { token_type_hint: 'refresh_token' },
  });
  const { error } = Object(await response.json().catch(() => undefined));
  // Google's word for a token that is dead already, which by the letter is a success (§2.2).
  if (error === 'invalid_token') return;
  if (error) throw revocationError(String(error));
  if (!response.ok)
    throw new ProviderError('invalid', `the revocation endpoint answered with status ${response.status}`);
};
