/** The product's own stores over the databases of the simulation, each operation counted by its kind. */
import type { Ledger } from 'assistant-auth';
import { d1Ledger } from 'assistant-auth/d1';
import { d1Scores, type Scores } from '../../../apps/words/src/store/scores.ts';
import { shardedLedger } from '../sharding/sharded-ledger.ts';
import { shardedScores } from '../sharding/sharded-scores.ts';
import { type GatheringD1, gatheringD1, type Spent } from './gathering-d1.ts';

export interface Stores {
  readonly ledger: Ledger;
  readonly scores: Scores;
  /** What every database was asked for, by kind of trip. */
  spent(): readonly Readonly<Record<string, Spent>>[];
}

export const createStores = (databases: readonly D1Database[]): Stores => {
  const gathering = databases.map(gatheringD1);
  return {
    ledger: shardedLedger(gathering.map(countedLedger), 'all-placed'),
    scores: shardedScores(gathering.map(countedScores)),
    spent: () => gathering.map((database) => database.spent()),
  };
};

const countedLedger = (database: GatheringD1): Ledger => {
  const on = (kind: string): Ledger => d1Ledger(database.forKind(kind));
  return {
    ...on('account'),
    recordSignIn: on('sign-in').recordSignIn,
    grantStatus: on('grant-status').grantStatus,
    claimCode: on('claim-code').claimCode,
    redeemCode: on('redeem').redeemCode,
    refresh: on('refresh').refresh,
    isRefreshable: on('is-refreshable').isRefreshable,
    storeToken: on('store-token').storeToken,
    recordCheck: on('check').recordCheck,
    endIdentity: on('gone').endIdentity,
    revoke: on('sign-out').revoke,
    revocationsSince: (cursor, now, limit) =>
      on(cursor === undefined ? 'all-news' : 'news').revocationsSince(cursor, now, limit),
    isRevoked: on('is-revoked').isRevoked,
    sweep: on('sweep').sweep,
  };
};

const countedScores = (database: GatheringD1): Scores => ({
  read: d1Scores(database.forKind('read')).read,
  add: d1Scores(database.forKind('point')).add,
});
