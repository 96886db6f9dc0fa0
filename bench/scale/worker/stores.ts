/**
 * Creates the product's own stores on the databases of the simulation, and counts the round trips by kind.
 */
import type { BrokerStorage } from 'assistant-auth';
import { d1Storage } from 'assistant-auth/d1';
import { d1Scores, type Scores } from '../../../apps/words/src/store/scores.ts';
import { shardedScores } from '../sharding/sharded-scores.ts';
import { shardedStorage } from '../sharding/sharded-storage.ts';
import { type BatchingD1, createBatchingD1, type DatabaseUsage } from './batching-d1.ts';

export interface Stores {
  readonly storage: BrokerStorage;
  readonly scores: Scores;
  /** The costs of every database, by kind of round trip. */
  usage(): readonly Readonly<Record<string, DatabaseUsage>>[];
}

export const createStores = (databases: readonly D1Database[]): Stores => {
  const batchingDatabases = databases.map(createBatchingD1);
  return {
    storage: shardedStorage(batchingDatabases.map(createCountedStorage), 'all-sharded'),
    scores: shardedScores(batchingDatabases.map(createCountedScores)),
    usage: () => batchingDatabases.map((database) => database.usage()),
  };
};

const createCountedStorage = (database: BatchingD1): BrokerStorage => {
  const on = (kind: string): BrokerStorage => d1Storage(database.forKind(kind));
  return {
    ...on('account'),
    recordSignIn: on('sign-in').recordSignIn,
    readGrantStatus: on('grant-status').readGrantStatus,
    claimCode: on('claim-code').claimCode,
    redeemCode: on('redeem').redeemCode,
    refresh: on('refresh').refresh,
    isRefreshable: on('is-refreshable').isRefreshable,
    storeUpstreamToken: on('store-token').storeUpstreamToken,
    recordRecheck: on('recheck').recordRecheck,
    revokeGrantsOfIdentity: on('revoke-identity').revokeGrantsOfIdentity,
    revoke: on('sign-out').revoke,
    readRevocations: (cursor, now, limit) =>
      on(cursor === undefined ? 'allRevocations' : 'newRevocations').readRevocations(cursor, now, limit),
    isRevoked: on('is-revoked').isRevoked,
    cleanUp: on('cleanUp').cleanUp,
  };
};

const createCountedScores = (database: BatchingD1): Scores => ({
  read: d1Scores(database.forKind('read')).read,
  add: d1Scores(database.forKind('point')).add,
});
