/** Telling providers that their tokens are needed no longer (RFC 7009). What is gone here is gone, whatever they answer. */
import type { Visit } from '../../doors/endpoint.ts';
import type { StoredToken } from '../../ledger/ledger.ts';
import { describeCause } from '../../protocol/cause.ts';
import { openProviderToken } from '../../tokens/provider-token.ts';
import type { AccountRooms } from './rooms.ts';

/** Revokes each where its provider has an endpoint for it; a failure is logged. */
export const revokeAtProviders = async (
  rooms: Pick<AccountRooms, 'providers' | 'vault' | 'checkIo'>,
  { log }: Pick<Visit, 'log'>,
  tokens: readonly StoredToken[],
): Promise<void> => {
  const { providers, vault, checkIo } = rooms;
  const revoke = async (token: StoredToken): Promise<void> => {
    const opened = await openProviderToken(vault, token);
    if (opened.kind === 'opened') await providers.get(token.provider)?.revoke?.(opened.value, checkIo);
  };
  const settled = await Promise.allSettled(tokens.map(revoke));
  settled.forEach((one, at) => {
    const provider = tokens[at]?.provider;
    if (one.status === 'rejected' && provider !== undefined)
      log({ event: 'revocation-failed', provider, cause: describeCause(one.reason) });
  });
};
