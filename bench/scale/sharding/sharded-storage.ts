/**
 * The broker's storage on several databases. All data of one user is in one of them, so every operation on a
 * user is one atomic round trip to one database. Operations that affect all users, or whose user is not
 * known, go to all of them: revocations of a client, security events, reads of new revocations, and cleanups.
 */
import type {
  BrokerStorage,
  IdentityKey,
  Revocation,
  RevocationPage,
  RevocationTarget,
} from 'assistant-auth';
import { computeIdentityBucket, findBucketDatabase, findDatabase } from './buckets.ts';
import { createCursors } from './cursors.ts';

/** Whether there are users with IDs from before there were buckets. The first database stores them. */
export type IdPlacement = 'all-sharded' | 'some-unsharded';

/**
 * Combines storages. Their order must not change, because IDs refer to it.
 * @throws RangeError from `recordSignIn` if the grant and the new user belong to different databases, and
 * from `linkIdentity` if the identity belongs to another database than the user, which would need a directory
 * (docs/scale.md)
 */
export const shardedStorage = (shards: readonly BrokerStorage[], idPlacement: IdPlacement): BrokerStorage => {
  const cursors = createCursors(shards.length);
  const findDatabaseIndex = (id: string): number => findDatabase(id, shards.length);
  const findShard = (id: string): BrokerStorage => at(shards, findDatabaseIndex(id));
  const onEveryShard = <Answer>(ask: (storage: BrokerStorage) => Promise<Answer>) =>
    Promise.all(shards.map(ask));
  const findShardsOfTarget = ({ kind, id }: RevocationTarget): readonly BrokerStorage[] =>
    kind === 'client' ? shards : [findShard(id)];
  /** The storages that may contain the identity. Operations have no effect on the others. */
  const findShardsOfIdentity = ({ provider, subject }: IdentityKey): readonly BrokerStorage[] => {
    const own = findBucketDatabase(computeIdentityBucket(provider, subject), shards.length);
    const identityShards = idPlacement === 'all-sharded' ? [own] : new Set([own, 0]);
    return Array.from(identityShards, (index) => at(shards, index));
  };
  return {
    async recordSignIn(signIn) {
      const { grant, user } = signIn;
      const userId = user.kind === 'by-identity' ? user.newId : user.id;
      if (findDatabaseIndex(userId) !== findDatabaseIndex(grant.id))
        throw new RangeError('a grant lies in the database of its user');
      return findShard(grant.id).recordSignIn(signIn);
    },
    readGrantStatus: (grantId) => findShard(grantId).readGrantStatus(grantId),
    claimCode: (claim) => findShard(claim.grantId).claimCode(claim),
    redeemCode: (redemption) => findShard(redemption.grantId).redeemCode(redemption),
    refresh: (use) => findShard(use.grantId).refresh(use),
    isRefreshable: (question) => findShard(question.grantId).isRefreshable(question),
    async storeUpstreamToken(token) {
      await Promise.all(findShardsOfIdentity(token).map((storage) => storage.storeUpstreamToken(token)));
    },
    async recordRecheck(check) {
      await Promise.all(findShardsOfIdentity(check.usedToken).map((storage) => storage.recordRecheck(check)));
    },
    async revokeGrantsOfIdentity(asked, reason, now) {
      const identityShards = findShardsOfIdentity(asked);
      const outcomes = await Promise.all(
        identityShards.map((storage) => storage.revokeGrantsOfIdentity(asked, reason, now)),
      );
      return outcomes.includes('revoked') ? 'revoked' : 'superseded';
    },
    async resolveRecheck(asked) {
      await Promise.all(findShardsOfIdentity(asked).map((storage) => storage.resolveRecheck(asked)));
    },
    async dropUpstreamToken(drop) {
      const identityShards = findShardsOfIdentity(drop.usedToken);
      const outcomes = await Promise.all(identityShards.map((storage) => storage.dropUpstreamToken(drop)));
      return outcomes.includes('dropped') ? 'dropped' : 'superseded';
    },
    async revoke(target, reason, now, by) {
      await Promise.all(findShardsOfTarget(target).map((storage) => storage.revoke(target, reason, now, by)));
    },
    async readRevocations(cursor, now, limit) {
      const positions = cursors.readPositions(cursor);
      const pages = await Promise.all(
        shards.map((storage, index) => storage.readRevocations(positions[index], now, limit)),
      );
      const all = merge(pages, limit);
      if (all === undefined) return { kind: 'too-many' };
      return { kind: 'page', revocations: all.revocations, cursor: cursors.createCursor(all.positions) };
    },
    // Every revocation of a grant, including that of a client, adds an entry in the grant's own database.
    isRevoked: (token, now) => findShard(token.grantId).isRevoked(token, now),
    async cleanUp(cleanup) {
      await onEveryShard((storage) => storage.cleanUp(cleanup));
    },
    async findUpstreamTokens(question) {
      const found = await onEveryShard((storage) => storage.findUpstreamTokens(question));
      return found.flat().toSorted(compareIdentities).slice(0, question.limit);
    },
    // Has an effect only where the token is stored.
    async replaceUpstreamTokens(resealing) {
      await onEveryShard((storage) => storage.replaceUpstreamTokens(resealing));
    },
    useSession: (use) => findShard(use.grantId).useSession(use),
    async acquireRecheckLease(question) {
      const turns = await Promise.all(
        findShardsOfIdentity(question).map((storage) => storage.acquireRecheckLease(question)),
      );
      return turns.find(({ kind }) => kind !== 'inconclusive') ?? { kind: 'inconclusive' };
    },
    readHistory: (userId) => findShard(userId).readHistory(userId),
    readAccount: (userId) => findShard(userId).readAccount(userId),
    async findUser(identity) {
      const found = await Promise.all(
        findShardsOfIdentity(identity).map((storage) => storage.findUser(identity)),
      );
      return found.find((userId) => userId !== undefined);
    },
    async linkIdentity(link) {
      const identityShards = findShardsOfIdentity(link.identity);
      if (!identityShards.includes(findShard(link.userId)))
        throw new RangeError('an identity lies in the database of its user');
      return findShard(link.userId).linkIdentity(link);
    },
    unlinkIdentity: (unlink) => findShard(unlink.userId).unlinkIdentity(unlink),
    revokeGrants: (ending) => findShard(ending.userId).revokeGrants(ending),
    deleteUser: (deletion) => findShard(deletion.userId).deleteUser(deletion),
    // No ID shows whose session or token the event is about. If one database is unavailable, the sender
    // retries, and only that database treats the retry as new.
    async recordSecurityEvent(securityEvent) {
      const outcomes = await onEveryShard((storage) => storage.recordSecurityEvent(securityEvent));
      return outcomes.includes('recorded') ? 'recorded' : 'replayed';
    },
  };
};

const merge = (pages: readonly RevocationPage[], limit: number) => {
  const revocations: Revocation[] = [];
  const positions: number[] = [];
  for (const page of pages) {
    if (page.kind === 'too-many') return undefined;
    revocations.push(...page.revocations);
    positions.push(page.cursor);
  }
  return revocations.length > limit ? undefined : { revocations, positions };
};

/** The order that each storage uses. */
const compareIdentities = (one: IdentityKey, other: IdentityKey): number =>
  compare(one.provider, other.provider) || compare(one.subject, other.subject);

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

const at = <Value>(values: readonly Value[], index: number): Value => {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no database ${index}`);
  return value;
};
