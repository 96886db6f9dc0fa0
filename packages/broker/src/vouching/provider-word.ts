/**
 * The provider's word on a person who signed in before: whoever has signed out, withdrawn or been deleted there loses the grants
 * that rest on it. Without a clear word nothing changes: an outage at a provider signs nobody out.
 */
import type { Check, Ledger, StoredToken } from '../ledger/ledger.ts';
import type { Log } from '../protocol/log.ts';
import type { Clock } from '../protocol/time.ts';
import type { IdentityProvider, ProviderIo, ProviderWord } from '../providers/identity-provider.ts';
import { openProviderToken, sealProviderToken } from '../tokens/provider-token.ts';
import type { Vault } from '../tokens/vault.ts';

export interface VouchingRooms {
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  /** For asking a provider while somebody waits. */
  readonly checkIo: ProviderIo;
  readonly now: Clock;
  readonly log: Log;
}

/** `gone`: all grants of the identity have ended. `no-word`: nothing was said that counts, the reason is logged. */
export type Heard = 'alive' | 'gone' | 'no-word';

/** Asks the provider about a person whose turn it is, and does what follows from its word before anybody is answered. */
export const heedProvider = async (rooms: VouchingRooms, due: StoredToken): Promise<Heard> => {
  const { providers, vault, checkIo } = rooms;
  const provider = providers.get(due.provider);
  if (provider === undefined) return noteSilence(rooms, due, 'the provider is no longer configured');
  const opened = await openProviderToken(vault, due);
  // As after a key was burned: until a sign-in brings another, nobody can be asked.
  if (opened.kind === 'unopened') return noteSilence(rooms, due, `the stored token: ${opened.reason}`);
  return heed(rooms, due, provider, await provider.check(opened.value, checkIo));
};

const heed = async (
  rooms: VouchingRooms,
  due: StoredToken,
  { checkEvery }: IdentityProvider,
  word: ProviderWord,
): Promise<Heard> => {
  const { ledger, now } = rooms;
  switch (word.kind) {
    case 'alive': {
      const checkAfter = now() + checkEvery;
      const news = await resealed(rooms, due, word);
      await ledger.recordCheck({ asked: due, checkAfter, ...news });
      return 'alive';
    }
    case 'gone': {
      const outcome = await ledger.endIdentity(due, 'gone at the provider', now());
      // Superseded: the person has signed in meanwhile, and that counts more.
      return outcome === 'ended' ? 'gone' : 'no-word';
    }
    case 'unknown':
      return noteSilence(rooms, due, word.reason);
  }
};

/** A provider that rotates takes the old token for stolen when it sees it again. */
const resealed = async (
  { vault }: VouchingRooms,
  due: StoredToken,
  { refreshToken, tokenNames }: Extract<ProviderWord, { readonly kind: 'alive' }>,
): Promise<Pick<Check, 'sealedRefreshToken' | 'tokenNames'>> => {
  if (refreshToken === undefined) return {};
  const sealedRefreshToken = await sealProviderToken(vault, due, refreshToken);
  return { sealedRefreshToken, ...(tokenNames !== undefined && { tokenNames }) };
};

const noteSilence = ({ log }: VouchingRooms, { provider }: StoredToken, cause: string): 'no-word' => {
  log({ event: 'check-failed', provider, cause });
  return 'no-word';
};
