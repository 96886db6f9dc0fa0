/** Randomness as it is passed in, and the identifiers drawn from it. */
import { encodeBase64url } from './base64url.ts';

/** Fills a new array with `length` cryptographically random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Draws an unguessable identifier: 256 bits as base64url, 43 characters. */
export const randomToken = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(32));

/** Draws an identifier for a database row: 128 bits as base64url, 22 characters. */
export const randomId = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(16));

// Comparing secrets without telling by the time it takes how much of them was right.

/** Compares two texts by their SHA-256 digests, so that neither content nor length shows in the time it takes. */
export const timingSafeEqual = async (one: string, other: string): Promise<boolean> => {
  const [a, b] = await Promise.all([digest(one), digest(other)]);
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
};

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
