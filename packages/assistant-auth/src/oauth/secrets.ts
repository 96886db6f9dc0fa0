/**
 * Random identifiers, comparison of secrets in constant time, base64url (RFC 4648 §5), and the type of
 * imported keys.
 */

/** Returns a new array of `length` cryptographically random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** The platform's randomness: the default of every option and parameter of this type. */
export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** A key imported by WebCrypto. With `@types/node` alone, a project has no global type `CryptoKey`. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Generates a secret, such as a `state` or a code verifier: 256 bits as base64url, 43 characters. */
export const randomSecret = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(32));

/** Generates an ID or the value of a binding cookie: 128 bits as base64url, 22 characters. */
export const randomId = (randomBytes: RandomBytes): string => encodeBase64url(randomBytes(16));

/**
 * Returns whether a secret or a key has an obvious pattern: fewer than 6 different values, or steps (the
 * differences between neighboring values) that repeat at a fixed distance in at least three quarters of the
 * places, as in a repeated unit or an ascending sequence.
 *
 * Fewer than 1 in 10^11 random secrets of 32 hexadecimal characters have one. The probability of fewer than 6
 * different characters is at most C(16,5) (5/16)^32, and that of k repeated steps of n is at most
 * C(n,k)/16^k, summed over all distances. It is lower for longer secrets and for larger alphabets.
 */
export const hasPattern = (values: readonly number[]): boolean => {
  const steps = values.slice(1).map((value, at) => value - (values[at] ?? 0));
  return (
    new Set(values).size < 6 ||
    steps.some(
      (_, distance) =>
        distance > 0 &&
        distance * 2 <= values.length &&
        steps.filter((step, at) => step === steps[at - distance]).length >= (steps.length - distance) * 0.75,
    )
  );
};

/**
 * Compares two texts by their SHA-256 digests, so that the time does not reveal how much of a secret matches.
 */
export const timingSafeEqual = async (one: string, other: string): Promise<boolean> => {
  const [a, b] = await Promise.all([digest(one), digest(other)]);
  return isSameDigest(a, b);
};

/** Compares two digests in a time that does not depend on them. */
export const isSameDigest = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
};

const utf8 = new TextEncoder();

/** Returns the SHA-256 digest of a text, 32 bytes. */
export const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)));

/** Returns the SHA-256 digest of a text as base64url, 43 characters. */
export const computeDigest = async (text: string): Promise<string> => encodeBase64url(await digest(text));

// base64url without padding (RFC 4648 §5). Strict: each value has exactly one encoding.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const shifts = [18, 12, 6, 0];
const latin1 = new TextDecoder('latin1');
const invalid = 255;
const sextetByCharCode = new Uint8Array(128).fill(invalid);
for (let value = 0; value < 64; value++) sextetByCharCode[alphabet.charCodeAt(value)] = value;

export const encodeBase64url = (bytes: Uint8Array): string => {
  const length = Math.ceil((bytes.length * 4) / 3);
  const codes = length > reusedCodes.length - 4 ? new Uint8Array(length) : reusedCodes;
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const triple = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (const shift of shifts) codes[to++] = alphabet.charCodeAt((triple >> shift) & 63);
  }
  return latin1.decode(codes.subarray(0, length));
};

/** Most values are shorter. The garbage collection of an array for each of them would take longer than the rest. */
const reusedCodes = new Uint8Array(1024);

/**
 * Returns `undefined` for characters outside the alphabet, padding, impossible lengths, and unused bits that
 * are not zero.
 */
export const decodeBase64url = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  const remainder = text.length % 4;
  if (remainder === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let pendingBits = 0;
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const value = sextetByCharCode[text.charCodeAt(at)] ?? invalid;
    if (value === invalid) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    pendingBits += 6;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      bytes[to++] = (bits >> pendingBits) & 0xff;
    }
  }
  return (bits & ((1 << pendingBits) - 1)) === 0 ? bytes : undefined;
};
