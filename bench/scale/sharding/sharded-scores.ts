/** The game's scores over several stores: a score lies where its user lies. */
import type { Scores } from '../../../apps/words/src/store/scores.ts';
import { findDatabase } from './buckets.ts';

/** Puts stores side by side, in the order of the ledgers. */
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
