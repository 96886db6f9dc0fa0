/**
 * Assigns users to 4,096 permanent buckets, and buckets to databases. An ID starts with its bucket, as two
 * base64url characters and a dot, so that the database of an ID is known without a lookup, also after buckets
 * have moved.
 */

export const buckets = 4096;

/** Computes the bucket of a person, from nothing but the key of their identity at the provider. */
export const computeIdentityBucket = (provider: string, subject: string): number =>
  hash(`${provider.length}:${provider}${subject}`) % buckets;

/** Builds an ID that contains its bucket. */
export const buildShardedId = (bucket: number, id: string): string => `${encodeBucket(bucket)}.${id}`;

/** Returns the bucket of an ID, or `undefined` if it was created before there were buckets. */
export const parseBucket = (id: string): number | undefined => {
  if (id[2] !== '.') return undefined;
  const [high, low] = [alphabet.indexOf(id.charAt(0)), alphabet.indexOf(id.charAt(1))];
  return high < 0 || low < 0 ? undefined : high * alphabet.length + low;
};

/**
 * Returns the index of the database that stores a bucket. Buckets are assigned in ranges, so doubling the
 * number of databases moves half of each one, and changes no ID.
 */
export const findBucketDatabase = (bucket: number, databases: number): number =>
  Math.floor((bucket * databases) / buckets);

/** Returns the index of the database that stores an ID. The first one stores those without a bucket. */
export const findDatabase = (id: string, databases: number): number =>
  findBucketDatabase(parseBucket(id) ?? 0, databases);

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const encodeBucket = (bucket: number): string => {
  const low = bucket % alphabet.length;
  return alphabet.charAt((bucket - low) / alphabet.length) + alphabet.charAt(low);
};

/** FNV-1a with a finalizer that mixes the low bits. It distributes evenly, and has no security purpose. */
const hash = (text: string): number => {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
};
