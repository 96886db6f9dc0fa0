/** Refresh tokens of providers at rest, each sealed for the identity that it belongs to: in another row it does not open. */

import type { StoredToken } from '../ledger/ledger.ts';
import type { Opened } from '../seal/sealer.ts';
import type { Vault } from './vault.ts';

type IdentityName = Pick<StoredToken, 'provider' | 'subject'>;

export const sealProviderToken = (
  { providerToken }: Vault,
  identity: IdentityName,
  refreshToken: string,
): Promise<string> => providerToken.seal(new TextEncoder().encode(refreshToken), contextOf(identity));

export const openProviderToken = async (
  { providerToken }: Vault,
  stored: StoredToken,
): Promise<Opened<string>> => {
  const opened = await providerToken.open(stored.sealedRefreshToken, contextOf(stored));
  if (opened.kind === 'unopened') return opened;
  return { kind: 'opened', value: new TextDecoder().decode(opened.value) };
};

/** A provider's id holds no NUL, so that the two cannot be cut elsewhere. */
const contextOf = ({ provider, subject }: IdentityName): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${provider}\0${subject}`);
