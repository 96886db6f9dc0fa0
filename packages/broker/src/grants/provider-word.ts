/**
 * The provider's word at a refresh: whoever has signed out, withdrawn or been deleted there loses the grants that rest on it.
 * Without a clear word nothing changes: an outage at a provider signs nobody out.
 */

import type { Check, StoredToken } from '../ledger/ledger.ts';
import { Refusal } from '../protocol/errors.ts';
import type { IdentityProvider, ProviderWord } from '../providers/identity-provider.ts';
import { openProviderToken, sealProviderToken } from '../tokens/provider-token.ts';
import type { GrantRooms } from './grant.ts';

/**
 * Asks the provider about a person who is due, and does what follows from its word, before the client is answered.
 * @throws Refusal `refresh.gone` when the person is gone: all grants of the identity have ended
 */
export const heedProvider = async (rooms: GrantRooms, due: StoredToken): Promise<void> => {
  const { providers, vault, checkIo } = rooms;
  const provider = providers.get(due.provider);
  if (provider === undefined) return noteSilence(rooms, due, 'the provider is no longer configured');
  const opened = await openProviderToken(vault, due);
  // As after a key was burned: until a sign-in brings another, nobody can be asked.
  if (opened.kind === 'unopened') return noteSilence(rooms, due, `the stored token: ${opened.reason}`);
  await heed(rooms, due, provider, await provider.check(opened.value, checkIo));
};

const heed = async (
  rooms: GrantRooms,
  due: StoredToken,
  { checkEvery }: IdentityProvider,
  word: ProviderWord,
): Promise<void> => {
  const { ledger, now } = rooms;
  switch (word.kind) {
    case 'alive': {
      const checkAfter = now() + checkEvery;
      return ledger.recordCheck({
        asked: due,
        checkAfter,
        ...(await resealed(rooms, due, word)),
      });
    }
    case 'gone': {
      const outcome = await ledger.endIdentity(due, 'gone at the provider', now());
      // Superseded: the person has signed in meanwhile, and that counts more.
      if (outcome === 'ended') throw new Refusal('refresh.gone', { cause: due.provider });
      return;
    }
    case 'unknown':
      return noteSilence(rooms, due, word.reason);
  }
};

/** A provider that rotates takes the old token for stolen when it sees it again. */
const resealed = async (
  { vault }: GrantRooms,
  due: StoredToken,
  { refreshToken, tokenNames }: Extract<ProviderWord, { readonly kind: 'alive' }>,
): Promise<Pick<Check, 'sealedRefreshToken' | 'tokenNames'>> => {
  if (refreshToken === undefined) return {};
  const sealedRefreshToken = await sealProviderToken(vault, due, refreshToken);
  return { sealedRefreshToken, ...(tokenNames !== undefined && { tokenNames }) };
};

const noteSilence = ({ log }: GrantRooms, { provider }: StoredToken, cause: string): void =>
  log({ event: 'check-failed', provider, cause });
