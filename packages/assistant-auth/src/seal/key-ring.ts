/**
 * Parses the key ring and generates keys. A ring has named 256-bit keys: the first key seals, all keys open.
 * A sealed text contains the ID of its key, and only that key is tried (`createOpener` in `sealer.ts`). To
 * rotate, the operator adds a key at the end, promotes it to the front, waits until stored upstream tokens
 * are resealed (`tokens/key-rotation.ts`), and retires the old key when no unexpired token can need it
 * (`readKeyUsage` in `storage/sqlite/storage-admin.ts`).
 */

import { ConfigurationError } from '../oauth/errors.ts';
import {
  decodeBase64url,
  encodeBase64url,
  hasPattern,
  type RandomBytes,
  systemRandom,
} from '../oauth/secrets.ts';

/** A key of a key ring. */
export interface NamedKey {
  /**
   * The ID of the key: 1 to 16 characters a–z, 0–9 and hyphen. Everything that the key seals contains it
   * unencrypted.
   */
  readonly id: string;
  /** The key: 32 bytes. Secret. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A key ring, which has at least one key. {@link parseKeyRing} creates it. */
export interface KeyRing {
  /** The first key in the ring. It seals. */
  readonly sealingKey: NamedKey;
  /** All keys by ID, in the order of the ring. All of them open. */
  readonly keys: ReadonlyMap<string, NamedKey>;
}

const idPattern = /^[a-z0-9-]{1,16}$/;
const keyLength = 32;

/**
 * Parses a key ring. The first key seals, all keys open.
 * @param text the keys, separated by whitespace, each written `<id>.<base64url of 32 bytes>`. Secret
 * @throws ConfigurationError `sealingKeys` if there is no key, if one is malformed, has the wrong length or
 *   is obviously not random, or if two have the same ID or bytes
 * @example
 * ```ts
 * import { parseKeyRing } from 'assistant-auth/seal';
 *
 * const ring = parseKeyRing(env.APP_KEYS);
 * console.log(`sealing with ${ring.sealingKey.id}, opening with ${[...ring.keys.keys()]}`);
 * ```
 */
export const parseKeyRing = (text: string): KeyRing => {
  // A variable that is not set is `undefined`, whatever its type says.
  const all = String(text)
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(parseKey);
  const [sealingKey] = all;
  if (sealingKey === undefined) throw new ConfigurationError('sealingKeys', 'must contain at least one key.');
  const keys = new Map(all.map((key) => [key.id, key]));
  const material = new Set(all.map((key) => encodeBase64url(key.bytes)));
  if (keys.size < all.length || material.size < all.length) {
    throw new ConfigurationError('sealingKeys', 'must not contain the same key or key ID twice.');
  }
  return { sealingKey, keys };
};

/**
 * Generates a key, in the form in which it is written in a ring.
 * @param id the ID of the key: 1 to 16 characters a–z, 0–9 and hyphen, such as a year and a month. Never
 *   reuse an ID for another key
 * @param randomBytes the source of randomness. Default: `crypto.getRandomValues`
 * @returns `<id>.<base64url of 32 bytes>`. Secret
 * @throws ConfigurationError `sealingKeys` if `id` is not a valid key ID
 * @example
 * ```ts
 * import { generateKey } from 'assistant-auth/seal';
 *
 * const nextKey = generateKey('2026-12');
 * // Add it at the end first, so that every instance can open with it. Then move it to the front to seal.
 * const nextRing = `${env.APP_KEYS} ${nextKey}`;
 * ```
 */
export const generateKey = (id: string, randomBytes: RandomBytes = systemRandom): string => {
  if (!idPattern.test(id))
    throw new ConfigurationError('sealingKeys', 'must have IDs of 1 to 16 characters: a-z, 0-9 and hyphens.');
  return `${id}.${encodeBase64url(randomBytes(keyLength))}`;
};

const parseKey = (word: string): NamedKey => {
  const [id = '', text = '', ...rest] = word.split('.');
  const bytes = decodeBase64url(text);
  if (!idPattern.test(id) || rest.length > 0 || bytes?.length !== keyLength) {
    throw new ConfigurationError(
      'sealingKeys',
      'must be keys written <id>.<43 characters of base64url>, separated by spaces.',
    );
  }
  // Rejects placeholders, such as a key of zeros.
  if (hasPattern([...bytes]))
    throw new ConfigurationError('sealingKeys', 'must be random. Generate new keys with the command `keys`.');
  return { id, bytes };
};
