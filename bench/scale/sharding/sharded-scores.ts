/** The game's scores in several stores: a score is stored in the database of its user. */
import type { Scores } from '../../../apps/words/src/store/scores.ts';
import { findDatabase } from './buckets.ts';

/** Combines stores, in the order of the databases. */
export const shardedScores = (stores: readonly Scores[]): Scores => {
  const findShard = (userId: string): Scores => {
    const store = stores[findDatabase(userId, stores.length)];
    if (store === undefined) throw new RangeError(`there is no store for ${userId}`);
    return store;
  };
  return {
    read: (userId) => findShard(userId).read(userId),
    add: (userId, points) => findShard(userId).add(userId, points),
  };
};
