/** Randomness as it is passed in, and the identifiers drawn from it. */
import { encodeBase64url } from './base64url.ts';

/** Fills a new array with `length` cryptographically random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Draws an unguessable identifier: 256 bits as base64url, 43 characters. */
export const randomToken = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(32));

/** Draws an identifier for a database row: 128 bits as base64url, 22 characters. */
export const randomId = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(16));
