/**
 * Seals and opens with AES-256-GCM: a derived key for each purpose (HKDF-SHA-256, RFC 5869), and a fresh
 * random IV for each message. `seal` uses the first key in the ring; `createOpener` tries only the key whose
 * ID is in the message.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import {
  type CryptoKey,
  decodeBase64url,
  encodeBase64url,
  type RandomBytes,
  systemRandom,
} from '../oauth/secrets.ts';
import { encode, optional, record, text } from './codec.ts';
import { type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';

/**
 * The result of opening a sealed text.
 * @typeParam Value the type of the plaintext
 */
export type Opened<Value> =
  /** The text is authentic. */
  | {
      readonly kind: 'opened';
      /** The plaintext. */
      readonly value: Value;
    }
  /** The text cannot be opened. */
  | {
      readonly kind: 'failed';
      /**
       * `malformed`: it is not a sealed text. `unknown-key`: it was sealed with a key that is not in the
       * ring. `forged`: it was changed, or sealed for another purpose or context. Log the reason, but do not
       * disclose it in a response.
       */
      readonly reason: 'malformed' | 'unknown-key' | 'forged';
    };

/** Opens sealed texts of one purpose. */
export interface Opener {
  /**
   * Returns the plaintext, or the reason why it cannot be opened. Never throws on bad input.
   * @param sealed the text that `seal` returned. Texts longer than 65,536 characters are `malformed`
   * @param context the bytes that were passed to `seal`. Default: none
   */
  open(sealed: string, context?: Uint8Array): Promise<Opened<Uint8Array<ArrayBuffer>>>;
}

/** Seals and opens texts of one purpose. */
export interface Sealer extends Opener {
  /**
   * Encrypts and authenticates data. Two calls with the same plaintext return different texts.
   * @param plaintext the bytes to encrypt: at most 49,000, so that `open` accepts the result
   * @param context public bytes that `open` needs too, such as the ID of the row that the text is stored in,
   *   so that nobody can move it to another row. They are not part of the result. Default: none
   * @returns base64url, about 4/3 × (plaintext + 30 + length of the key ID) characters
   */
  seal(plaintext: Uint8Array, context?: Uint8Array): Promise<string>;
}

/** The key for all messages with one header. */
export interface OpeningKey {
  readonly header: Uint8Array<ArrayBuffer>;
  /** Returns a promise only until the key is derived. */
  derivedKey(): CryptoKey | Promise<CryptoKey>;
}

/** Longer than anything that this project seals. Longer texts are rejected without being decoded. */
const maxSealedLength = 65_536;
const emptyContext = new Uint8Array(0);

/**
 * Creates the sealer of one purpose. Create it once: it derives each key of the ring on first use and caches
 * it. A publisher's own data has purposes of its own: see `createSealer` in `index.ts`.
 * @see NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF)
 */
export const createSealer = (
  ring: KeyRing,
  purpose: Purpose,
  randomBytes: RandomBytes = systemRandom,
): Sealer => {
  const { sealingKey } = ring;
  const header = buildHeader(sealingKey.id);
  // Caches keys, not promises: on Workers, one request must not wait for a promise of another.
  const derived = new Map<NamedKey, CryptoKey>();

  const derive = async (key: NamedKey): Promise<CryptoKey> => {
    const derivedKey = await deriveKey(key, purpose);
    derived.set(key, derivedKey);
    return derivedKey;
  };

  const openingKeys = [...ring.keys.values()].map((key) => ({
    header: buildHeader(key.id),
    derivedKey: () => derived.get(key) ?? derive(key),
  }));

  return {
    ...createOpener(openingKeys),
    async seal(plaintext, context = emptyContext) {
      const iv = randomBytes(ivLength);
      const derivedKey = derived.get(sealingKey) ?? (await derive(sealingKey));
      // Copied, because WebCrypto rejects shared memory, which another thread could change.
      const content = new Uint8Array(plaintext);
      const ciphertext = await crypto.subtle.encrypt(
        buildGcmParameters(iv, header, context),
        derivedKey,
        content,
      );
      return encodeBase64url(concatBytes(header, iv, new Uint8Array(ciphertext)));
    },
  };
};

/** Creates an opener from these keys. */
const createOpener = (openingKeys: readonly OpeningKey[]): Opener => ({
  async open(sealed, context = emptyContext) {
    const bytes = sealed.length > maxSealedLength ? undefined : decodeBase64url(sealed);
    if (bytes === undefined || !isSealedMessage(bytes)) return { kind: 'failed', reason: 'malformed' };
    const openingKey = openingKeys.find(({ header }) => hasHeader(bytes, header));
    if (openingKey === undefined) return { kind: 'failed', reason: 'unknown-key' };
    const { header } = openingKey;
    const iv = bytes.subarray(header.length, header.length + ivLength);
    const ciphertext = bytes.subarray(header.length + ivLength);
    const found = openingKey.derivedKey();
    // A cached key is not awaited, which is faster.
    const derivedKey = found instanceof Promise ? await found : found;
    try {
      const plaintext = await crypto.subtle.decrypt(
        buildGcmParameters(iv, header, context),
        derivedKey,
        ciphertext,
      );
      return { kind: 'opened', value: new Uint8Array(plaintext) };
    } catch {
      // WebCrypto fails here only if the authentication tag does not match.
      return { kind: 'failed', reason: 'forged' };
    }
  },
});

/** The header contains its own length, so header and context together are unambiguous. */
const buildGcmParameters = (
  iv: Uint8Array<ArrayBuffer>,
  header: Uint8Array<ArrayBuffer>,
  context: Uint8Array,
): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: context.length === 0 ? header : concatBytes(header, context),
});

// Derived keys: one for each key of the ring and each purpose (HKDF-SHA-256, RFC 5869).

/**
 * What a text is sealed for. Purposes that differ in any part have different keys, so a text cannot be opened
 * for another purpose.
 */
export interface Purpose {
  /** The kind of data, for example `note`. */
  readonly name: string;
  /** The origin of the deployment, so that texts of a test system cannot be opened in production. */
  readonly issuer: string;
  /** The audience, if one purpose has several, for example the resource of access tokens. Default: none. */
  readonly audience?: string;
}

const deriveKey = async (key: NamedKey, purpose: Purpose): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(
    buildHkdfParameters(purpose),
    await importRootKey(key, 'deriveKey'),
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );

/** Derives the same key as exportable bytes, with the ID of the root key. A secret. */
const deriveNamedKey = async (key: NamedKey, purpose: Purpose): Promise<NamedKey> => {
  const bits = await crypto.subtle.deriveBits(
    buildHkdfParameters(purpose),
    await importRootKey(key, 'deriveBits'),
    256,
  );
  return { id: key.id, bytes: new Uint8Array(bits) };
};

/** The `info` of HKDF. Each part starts with its length, so two purposes never have the same encoding. */
const hkdfInfo = record({ format: text, name: text, issuer: text, audience: optional(text) });

const buildHkdfParameters = ({ name, issuer, audience }: Purpose) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: encode(hkdfInfo, { format: `sealed-v${version}`, name, issuer, audience }),
});

const importRootKey = ({ bytes }: NamedKey, usage: 'deriveKey' | 'deriveBits'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, 'HKDF', false, [usage]);

// The bytes of a sealed message: `version ‖ length of key ID ‖ key ID ‖ IV ‖ ciphertext and tag`.

/**
 * The version of the format. Increase it if the layout or the key derivation changes; a new version has new
 * keys.
 */
const version = 1;
const ivLength = 12;
const tagLength = 16;

/** All bytes before the IV. They are not encrypted, but authenticated. */
const buildHeader = (keyId: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.of(version, keyId.length, ...new TextEncoder().encode(keyId));

const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Returns whether the bytes have this version and are long enough for a message. */
const isSealedMessage = (bytes: Uint8Array): boolean =>
  bytes[0] === version && bytes.length >= 2 + (bytes[1] ?? 0) + ivLength + tagLength;

/** Returns whether a message has this header. Headers contain their length, so at most one can match. */
const hasHeader = (message: Uint8Array, header: Uint8Array): boolean => {
  for (let at = 0; at < header.length; at++) if (message[at] !== header[at]) return false;
  return true;
};

// Prefixes of sealed texts by key, to find in a database what one key sealed without opening it.

/**
 * Lists all prefixes of texts that this key sealed. Texts of other keys have none of them. There are up to 16
 * prefixes, all of one length, because a base64url character holds six bits and the header can end within
 * one.
 * @param keyId the ID of the key in its ring
 * @example
 * ```ts
 * import { listSealedPrefixes } from 'assistant-auth/seal';
 *
 * // Finds the rows that still need the key `2026-06`, without opening them.
 * const condition = listSealedPrefixes('2026-06')
 *   .map((prefix) => `substr(sealed_note, 1, ${prefix.length}) = '${prefix}'`)
 *   .join(' OR ');
 * ```
 */
export const listSealedPrefixes = (keyId: string): readonly string[] => {
  const header = buildHeader(keyId);
  const length = Math.ceil((header.length * 8) / 6);
  const next = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  return [...new Set(next.map((byte) => encodeBase64url(concatBytes(header, byte)).slice(0, length)))];
};

// Exported derived keys, for a process that must not have the ring. Written `sub.<id>.<base64url of 32
// bytes>`.

const prefix = 'sub.';

/** Exports the derived keys of all keys of the ring, in order and separated by spaces. A secret. */
export const exportDerivedKeys = async (ring: KeyRing, purpose: Purpose): Promise<string> => {
  const derivedKeys = await Promise.all([...ring.keys.values()].map((key) => deriveNamedKey(key, purpose)));
  return derivedKeys.map(({ id, bytes }) => `${prefix}${id}.${encodeBase64url(bytes)}`).join(' ');
};

/**
 * Creates an opener from exported keys.
 * @throws ConfigurationError `keys` if there is none, if one is malformed, or if the text is a key ring
 */
export const createDerivedKeyOpener = (text: string): Opener =>
  createOpener([...parseDerivedKeys(text).keys.values()].map(toOpeningKey));

const parseDerivedKeys = (text: string): KeyRing => {
  // A variable that is not set is `undefined`, whatever its type says.
  const all = String(text)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (all.some((word) => !word.startsWith(prefix)))
    throw new ConfigurationError('keys', 'must be the derived keys of a resource, not a key ring.');
  try {
    return parseKeyRing(all.map((word) => word.slice(prefix.length)).join(' '));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      'keys',
      'must contain one or more unique keys, each written sub.<id>.<43 characters of base64url>.',
    );
  }
};

const toOpeningKey = ({ id, bytes }: NamedKey): OpeningKey => {
  let imported: CryptoKey | undefined;
  const load = async (): Promise<CryptoKey> => {
    // Derived keys could also seal. An opener imports them for decryption only.
    imported = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
    return imported;
  };
  return { header: buildHeader(id), derivedKey: () => imported ?? load() };
};
