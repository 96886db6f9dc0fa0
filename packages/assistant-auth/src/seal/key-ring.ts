/**
 * Parses the key ring and generates keys. A ring has named 256-bit keys: the first key seals, all keys open.
 * A sealed text contains the ID of its key, and only that key is tried (`createOpener` in `sealer.ts`). To
 * rotate, the operator adds a key at the end, promotes it to the front, waits until stored upstream tokens
 * are resealed (`tokens/key-rotation.ts`), and retires the old key when no unexpired token can need it
 * (`readKeyUsage` in `storage/sqlite/admin.ts`).
 */

import { ConfigurationError } from '../oauth/errors.ts';
import { decodeBase64url, encodeBase64url, type RandomBytes } from '../oauth/secrets.ts';

export interface NamedKey {
  /** 1 to 16 characters a–z, 0–9 and hyphen. Not encrypted in what the key seals. */
  readonly id: string;
  /** 32 bytes. A secret. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Has at least one key. */
export interface KeyRing {
  /** The first key in the ring. It seals. */
  readonly sealingKey: NamedKey;
  /** All keys by ID, in the order of the ring. All of them open. */
  readonly keys: ReadonlyMap<string, NamedKey>;
}

const idPattern = /^[a-z0-9-]{1,16}$/;
const keyLength = 32;

/**
 * Parses a key ring: keys separated by whitespace, each written `<id>.<base64url of 32 bytes>`. The first
 * key seals.
 * @throws ConfigurationError `sealingKeys` if there is no key, if one is malformed, has the wrong length or
 *   is obviously not random, or if two have the same ID or bytes
 */
export const parseKeyRing = (text: string): KeyRing => {
  const all = text
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
 * Generates a key, in the form in which it is written in a ring. The result is a secret.
 * @throws ConfigurationError `sealingKeys` if `id` is not a valid key ID
 */
export const generateKey = (id: string, randomBytes: RandomBytes): string => {
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
  // Rejects placeholders, such as a key of zeros: a random key practically never has fewer than 8 different
  // bytes.
  if (new Set(bytes).size < 8)
    throw new ConfigurationError('sealingKeys', 'must be random. Generate new keys.');
  return { id, bytes };
};
