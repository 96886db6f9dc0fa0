import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buckets,
  buildShardedId,
  computeIdentityBucket,
  findBucketDatabase,
  findDatabase,
  parseBucket,
} from '../sharding/buckets.ts';

const bucket = fc.integer({ min: 0, max: buckets - 1 });

describe('a bucket', () => {
  it('is read from every id that was placed in it', () => {
    fc.assert(fc.property(bucket, fc.string(), (own, id) => parseBucket(buildShardedId(own, id)) === own));
  });

  it('is not read from an id that was drawn without one', () => {
    fc.assert(fc.property(fc.stringMatching(/^[\w-]{22}$/), (drawn) => parseBucket(drawn) === undefined));
    expect(parseBucket('')).toBeUndefined();
    expect(parseBucket('é!.x')).toBeUndefined();
  });

  it('tells provider and subject apart', () => {
    expect(computeIdentityBucket('a', 'b:c')).not.toBe(computeIdentityBucket('a:b', 'c'));
  });

  it('gets its share of the people', () => {
    const counts = new Uint32Array(buckets);
    for (let n = 0; n < 100 * buckets; n++) {
      const own = computeIdentityBucket('google', `1${String(n).padStart(20, '0')}`);
      counts[own] = (counts[own] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(160);
  });
});

describe('a database', () => {
  it.each([1, 2, 3, 8, 48])('keeps as many buckets as every other: of %i', (databases) => {
    const counts = Array.from({ length: databases }, () => 0);
    for (let own = 0; own < buckets; own++) {
      const index = findBucketDatabase(own, databases);
      counts[index] = (counts[index] ?? Number.NaN) + 1;
    }
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('gives half of its buckets away, to one other, when the number is doubled', () => {
    fc.assert(
      fc.property(
        bucket,
        fc.constantFrom(1, 2, 4, 8),
        (own, databases) =>
          Math.floor(findBucketDatabase(own, 2 * databases) / 2) === findBucketDatabase(own, databases),
      ),
    );
  });

  it('keeps the ids of before if it is the first', () => {
    expect(findDatabase('Zx3kQ9w_1-aBcDeFgHiJkL', 8)).toBe(0);
  });
});
