/** The users of the simulation, one for each number, generated from that number and so always the same. */
import { buildShardedId, computeIdentityBucket } from '../sharding/buckets.ts';

export interface SimulatedUser {
  readonly number: number;
  readonly provider: string;
  readonly subject: string;
  readonly userId: string;
  readonly grantId: string;
}

/** Creates a user whose IDs are as long and as random as the broker's. */
export const createSimulatedUser = (number: number): SimulatedUser => {
  const random = createRandomSource(number);
  const subject = `1${digits(random)}${digits(random)}`;
  const bucket = computeIdentityBucket('google', subject);
  return {
    number,
    provider: 'google',
    subject,
    userId: buildShardedId(bucket, generateId(random)),
    grantId: buildShardedId(bucket, generateId(random)),
  };
};

/** Returns numbers from 0 (inclusive) to 1 (exclusive), the same for the same seed. */
export type RandomSource = () => number;

export const createRandomSource = (seed: number): RandomSource => {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const digits = (random: RandomSource): string =>
  Math.floor(random() * 1e10)
    .toString()
    .padStart(10, '0');

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const generateId = (random: RandomSource): string =>
  Array.from({ length: 22 }, () => alphabet.charAt(random() * 64)).join('');
