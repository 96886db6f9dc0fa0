/**
 * Buckets: the 4,096 shares into which all users fall for good, and which database keeps which of them. An id begins with its
 * bucket, two letters of base64url and a dot, so that whoever holds an id knows where its rows are, today and after a move.
 */

export const buckets = 4096;

/** The bucket of a person, found before anything is known of them but what the provider says. */
export const computeIdentityBucket = (provider: string, subject: string): number =>
  hash(`${provider.length}:${provider}${subject}`) % buckets;

/** Writes an id that knows its bucket. */
export const buildShardedId = (bucket: number, id: string): string => `${encodeBucket(bucket)}.${id}`;

/** Reads the bucket of an id; an id without one was given before there were buckets. */
export const parseBucket = (id: string): number | undefined => {
  if (id[2] !== '.') return undefined;
  const [high, low] = [alphabet.indexOf(id.charAt(0)), alphabet.indexOf(id.charAt(1))];
  return high < 0 || low < 0 ? undefined : high * alphabet.length + low;
};

/** Which of `databases` keeps a bucket: ranges, so that doubling the number moves half of every database, and no id. */
export const findBucketDatabase = (bucket: number, databases: number): number =>
  Math.floor((bucket * databases) / buckets);

/** Which of `databases` keeps an id; the first one keeps those of before. */
export const findDatabase = (id: string, databases: number): number =>
  findBucketDatabase(parseBucket(id) ?? 0, databases);

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const encodeBucket = (bucket: number): string => {
  const low = bucket % alphabet.length;
  return alphabet.charAt((bucket - low) / alphabet.length) + alphabet.charAt(low);
};

/** FNV-1a with a finish that stirs the low bits; spreads, and guards nothing. */
const hash = (text: string): number => {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
};
