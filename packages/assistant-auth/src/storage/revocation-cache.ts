/**
 * Revocation without reads: an isolate keeps the living revocations in memory and asks the ledger for news at most every ten
 * seconds, before it answers. A revoked token is thus dead within ten seconds, and a call on a busy isolate reads nothing.
 */
import type { Clock, EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import {
  type BrokerStorage,
  type RevocableToken,
  type Revocation,
  type RevocationTarget,
  StorageUnavailable,
} from './broker-storage.ts';

/** How old the picture may be when a call is answered. */
export const maxRevocationAge: Seconds = 10;
/** How old it may be while the ledger is out of reach. */
export const maxRevocationAgeInOutage: Seconds = 60;
/** Past this age the picture is read anew, and forgets what has died. */
const fullReloadInterval: Seconds = 600;
/** More living revocations than this are not kept in memory. */
const maxCachedRevocations = 10_000;

/** What of a ledger tells of revocations. */
export type RevocationSource = Pick<BrokerStorage, 'readRevocations' | 'isRevoked'>;

export interface RevocationCache {
  /**
   * Tells whether a token was revoked; a promise only where memory does not suffice.
   * @throws StorageUnavailable (as a rejection) when there is no picture fresh enough to answer from
   */
  isRevoked(token: RevocableToken): boolean | Promise<boolean>;
}

/** One reading of the ledger. */
interface CacheRead {
  /** Which of two began later; instants do not tell, for a clock may be set back. */
  readonly sequence: number;
  readonly at: EpochSeconds;
}

/** What an isolate knows: the living revocations, or that there are too many to keep. */
type CacheState = RevocationSnapshot | { readonly kind: 'too-many'; readonly lastRead: CacheRead };

interface RevocationSnapshot {
  readonly kind: 'snapshot';
  readonly revokedAtById: RevokedAtById;
  readonly cursor: number;
  readonly loadedAt: EpochSeconds;
  readonly lastRead: CacheRead;
}

/** By id: tokens of the target issued at or before the instant are dead. */
type RevokedAtById = Readonly<Record<RevocationTarget['kind'], ReadonlyMap<string, EpochSeconds>>>;

export const createRevocationCache = (storage: RevocationSource, now: Clock): RevocationCache => {
  let cached: CacheState | undefined;
  let sequence = 0;

  const loadRevocations = async (at: EpochSeconds): Promise<CacheState> => {
    sequence += 1;
    try {
      // Concurrent calls may each read: on Workers one request must not wait for another's promise.
      const found = await readCacheState(storage, cached, { sequence, at });
      // Of two readings side by side the one that began later knows more.
      if (cached === undefined || cached.lastRead.sequence < found.lastRead.sequence) cached = found;
      return cached;
    } catch (error) {
      const isOutage = error instanceof StorageUnavailable;
      if (isOutage && cached?.kind === 'snapshot' && computeAge(cached, at) <= maxRevocationAgeInOutage)
        return cached;
      throw error;
    }
  };

  const checkToken = (
    state: CacheState,
    token: RevocableToken,
    at: EpochSeconds,
  ): boolean | Promise<boolean> =>
    state.kind === 'snapshot' ? isTokenRevoked(token, state.revokedAtById) : storage.isRevoked(token, at);

  return {
    isRevoked(token) {
      const at = now();
      if (cached !== undefined && isFresh(cached, at)) return checkToken(cached, token, at);
      return loadRevocations(at).then((state) => checkToken(state, token, at));
    },
  };
};

const isFresh = (cached: CacheState, at: EpochSeconds): boolean =>
  computeAge(cached, at) < (cached.kind === 'snapshot' ? maxRevocationAge : fullReloadInterval);

const computeAge = ({ lastRead }: CacheState, at: EpochSeconds): Seconds =>
  absoluteDifference(lastRead.at, at);

/** Without sign: requests side by side see slightly different times, and a clock that was set back makes nothing young. */
const absoluteDifference = (one: EpochSeconds, other: EpochSeconds): Seconds => Math.abs(one - other);

const readCacheState = async (
  storage: RevocationSource,
  cached: CacheState | undefined,
  lastRead: CacheRead,
): Promise<CacheState> => {
  const { at } = lastRead;
  const snapshot =
    cached?.kind === 'snapshot' && absoluteDifference(cached.loadedAt, at) < fullReloadInterval
      ? cached
      : undefined;
  const page = await storage.readRevocations(snapshot?.cursor, at, maxCachedRevocations);
  if (page.kind === 'too-many') return { kind: 'too-many', lastRead };
  const revokedAtById = mergeRevocations(page.revocations, snapshot?.revokedAtById);
  if (revokedAtById.grant.size + revokedAtById.user.size + revokedAtById.client.size > maxCachedRevocations)
    return { kind: 'too-many', lastRead };
  return {
    kind: 'snapshot',
    revokedAtById,
    cursor: page.cursor,
    loadedAt: snapshot?.loadedAt ?? at,
    lastRead,
  };
};

const mergeRevocations = (
  added: readonly Revocation[],
  earlier: RevokedAtById | undefined,
): RevokedAtById => {
  const revokedAtById = {
    grant: new Map(earlier?.grant),
    user: new Map(earlier?.user),
    client: new Map(earlier?.client),
  };
  for (const { kind, id, revokedAt } of added) {
    revokedAtById[kind].set(id, Math.max(revokedAt, revokedAtById[kind].get(id) ?? 0));
  }
  return revokedAtById;
};

const isTokenRevoked = (
  { grantId, userId, clientId, issuedAt }: RevocableToken,
  { grant, user, client }: RevokedAtById,
): boolean =>
  issuedAt <= (grant.get(grantId) ?? -1) ||
  issuedAt <= (user.get(userId) ?? -1) ||
  issuedAt <= (client.get(clientId) ?? -1);
