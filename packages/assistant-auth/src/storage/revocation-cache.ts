/**
 * Checks whether access tokens were revoked, without a storage read per call.
 *
 * Each isolate keeps the unexpired revocations in memory. Before a call, it reads new ones from storage if
 * its last read is ten seconds old (`isFresh`). So a revoked token is refused within ten seconds, or within
 * 60 while storage is unavailable (`loadRevocations`); after that, and in an isolate that has read none yet,
 * calls fail. If there are more than 10,000 revocations, none are kept: for ten minutes, every call reads
 * storage, and fails at once if storage is unavailable. Calls fail with the error of storage; one other than
 * `StorageUnavailable` fails at once. Expired revocations are dropped from memory every ten minutes.
 */
import { allClients, type Clock, type EpochSeconds, type Seconds } from '../oauth/identifiers.ts';
import {
  type BrokerStorage,
  cleanupMargin,
  type RevocableToken,
  type Revocation,
  type RevocationTarget,
  StorageUnavailable,
} from './broker-storage.ts';

/** A call reads storage if the last read is at least this old. */
export const maxRevocationAge: Seconds = 10;
/** While storage is unavailable, a call fails if the last read is older than this. */
export const maxRevocationAgeInOutage: Seconds = 60;
/** After this time, all revocations are read again, so that expired ones are dropped from memory. */
const fullReloadInterval: Seconds = 600;
/** The maximum number of unexpired revocations that are kept in memory. */
const maxCachedRevocations = 10_000;

/**
 * Reads revocations: the part of {@link BrokerStorage} that checks access tokens. An API in another process
 * can implement it with a request to a service of the publisher.
 */
export type RevocationSource = Pick<BrokerStorage, 'readRevocations' | 'isRevoked'>;

export interface RevocationCache {
  /**
   * Returns whether a token was revoked. Returns a promise only if storage has to be read.
   * @throws StorageUnavailable (as a rejection) if storage is unavailable, and the last read is too old or
   *   found too many revocations to keep
   */
  isRevoked(token: RevocableToken): boolean | Promise<boolean>;
}

/** One read of storage. */
interface CacheRead {
  /** Orders reads by their start. Times can't, because a clock may be set back. */
  readonly sequence: number;
  readonly at: EpochSeconds;
}

/** The state of an isolate's cache: the unexpired revocations, or that there are too many to keep. */
type CacheState = RevocationSnapshot | { readonly kind: 'too-many'; readonly lastRead: CacheRead };

interface RevocationSnapshot {
  readonly kind: 'snapshot';
  readonly revokedAtById: RevokedAtById;
  readonly cursor: number;
  readonly loadedAt: EpochSeconds;
  readonly lastRead: CacheRead;
}

/** By target ID: tokens of the target that were issued at or before this time are revoked. */
type RevokedAtById = Readonly<Record<RevocationTarget['kind'], ReadonlyMap<string, EpochSeconds>>>;

export const createRevocationCache = (storage: RevocationSource, now: Clock): RevocationCache => {
  let cached: CacheState | undefined;
  let sequence = 0;

  const loadRevocations = async (at: EpochSeconds): Promise<CacheState> => {
    sequence += 1;
    try {
      // Concurrent calls may each read: on Workers, a request must not wait for another request's promise.
      const found = await readCacheState(storage, cached, { sequence, at });
      // Of two concurrent reads, the one that started later has newer data.
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

/**
 * Unsigned, because concurrent requests see slightly different times, and because old data must not count as
 * new after a clock was set back.
 */
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
  // Entries that have just expired are kept: the clock may be ahead, and be set back.
  const expiredBy = at - cleanupMargin;
  const page = await storage.readRevocations(snapshot?.cursor, expiredBy, maxCachedRevocations);
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
  isListed(grant, grantId, issuedAt) ||
  isListed(user, userId, issuedAt) ||
  isListed(client, clientId, issuedAt) ||
  isListed(client, allClients, issuedAt);

/** Usually, the map is empty. Then the ID is not looked up, because that would compute its hash. */
const isListed = (
  revokedAt: ReadonlyMap<string, EpochSeconds>,
  id: string,
  issuedAt: EpochSeconds,
): boolean => revokedAt.size > 0 && issuedAt <= (revokedAt.get(id) ?? -1);
