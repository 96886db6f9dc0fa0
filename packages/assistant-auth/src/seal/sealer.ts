/** Sealing: AES-256-GCM with a sub-key of its own for every purpose, a fresh random IV for every message. */

import { ConfigurationError } from '../oauth/errors.ts';
import { decodeBase64url, encodeBase64url, type RandomBytes } from '../oauth/secrets.ts';
import { encode, optional, record, text } from './codec.ts';
import { type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';

export type Opened<Value> =
  | { readonly kind: 'opened'; readonly value: Value }
  /** Private: log the reason, tell the other side only that it did not open. */
  | { readonly kind: 'failed'; readonly reason: 'malformed' | 'unknown-key' | 'forged' };

export interface Opener {
  /** Gives the plaintext back, or says why not; never throws on bad input. */
  open(sealed: string, context?: Uint8Array): Promise<Opened<Uint8Array<ArrayBuffer>>>;
}

export interface Sealer extends Opener {
  /**
   * Encrypts and authenticates.
   * @param context public bytes that must be given again to open, such as the id of the row that holds the message
   * @returns base64url, about 4/3 × (plaintext + 30 + length of the key id) characters
   */
  seal(plaintext: Uint8Array, context?: Uint8Array): Promise<string>;
}

/** What opens the messages of one header. */
export interface OpeningKey {
  readonly header: Uint8Array<ArrayBuffer>;
  /** A promise only until the sub-key is there. */
  derivedKey(): CryptoKey | Promise<CryptoKey>;
}

/** Longer than anything this project seals; a longer text is refused unread. */
const maxSealedLength = 65_536;
const emptyContext = new Uint8Array(0);

const webRandomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Makes the sealer of one purpose. Sub-keys are derived on first use and kept as long as the sealer lives. */
export const createSealer = (ring: KeyRing, purpose: Purpose, randomBytes = webRandomBytes): Sealer => {
  const { sealingKey } = ring;
  const header = buildHeader(sealingKey.id);
  // Finished keys only, never promises: on Workers one request must not wait for another's.
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
      // Copied, because WebCrypto takes no memory that a worker thread may be writing to.
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

/** Makes what opens messages with the sub-keys of these locks. */
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
    // Not awaited when it is there, as it nearly always is.
    const derivedKey = found instanceof Promise ? await found : found;
    try {
      const plaintext = await crypto.subtle.decrypt(
        buildGcmParameters(iv, header, context),
        derivedKey,
        ciphertext,
      );
      return { kind: 'opened', value: new Uint8Array(plaintext) };
    } catch {
      // The one error that WebCrypto has here: the tag does not fit.
      return { kind: 'failed', reason: 'forged' };
    }
  },
});

/** The header delimits itself, so header and context together are unambiguous. */
const buildGcmParameters = (
  iv: Uint8Array<ArrayBuffer>,
  header: Uint8Array<ArrayBuffer>,
  context: Uint8Array,
): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: context.length === 0 ? header : concatBytes(header, context),
});

// Sub-keys: one for every key of the ring and every purpose (HKDF-SHA-256, RFC 5869).

/** What a sealed message is for. Any difference in it makes other keys, so nothing opens in another's place. */
export interface Purpose {
  /** For example `access`. */
  readonly name: string;
  /** The origin of the deployment. */
  readonly issuer: string;
  /** For whom, when one purpose serves several. */
  readonly audience?: string;
}

/** Derives the key that seals and opens. */
const deriveKey = async (key: NamedKey, purpose: Purpose): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(
    buildHkdfParameters(purpose),
    await importRootKey(key, 'deriveKey'),
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );

/** Derives the same key as bytes that can be handed on, under the same name; a secret. */
const deriveNamedKey = async (key: NamedKey, purpose: Purpose): Promise<NamedKey> => {
  const bits = await crypto.subtle.deriveBits(
    buildHkdfParameters(purpose),
    await importRootKey(key, 'deriveBits'),
    256,
  );
  return { id: key.id, bytes: new Uint8Array(bits) };
};

/** The key's own context: every part bears its length, so that no two purposes write the same. */
const hkdfInfo = record({ format: text, name: text, issuer: text, audience: optional(text) });

const buildHkdfParameters = ({ name, issuer, audience }: Purpose) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: encode(hkdfInfo, { format: `sealed-v${version}`, name, issuer, audience }),
});

const importRootKey = ({ bytes }: NamedKey, usage: 'deriveKey' | 'deriveBits'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, 'HKDF', false, [usage]);

// The bytes of a sealed message: `version ‖ length of key id ‖ key id ‖ IV ‖ ciphertext and tag`.

/** Format version; a change of layout or derivation is a new number, and a new number is a new set of keys. */
const version = 1;
const ivLength = 12;
const tagLength = 16;

/** All bytes before the IV: in the clear, and authenticated. */
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

/** Tells whether the bytes are of this version and long enough to be a message. */
const isSealedMessage = (bytes: Uint8Array): boolean =>
  bytes[0] === version && bytes.length >= 2 + (bytes[1] ?? 0) + ivLength + tagLength;

/** Tells whether a message begins with this header; as headers bear their length, with no other. */
const hasHeader = (message: Uint8Array, header: Uint8Array): boolean => {
  for (let at = 0; at < header.length; at++) if (message[at] !== header[at]) return false;
  return true;
};

// How sealed texts begin, by their key: for finding in a database what one key sealed, without opening anything.

/**
 * Gives every way in which a text begins that this key sealed, and no other key's text does: one to sixteen beginnings of one
 * length, because a character of base64url holds six bits and the header may end within one.
 * @param keyId the key's id in its ring
 */
export const listSealedPrefixes = (keyId: string): readonly string[] => {
  const header = buildHeader(keyId);
  const length = Math.ceil((header.length * 8) / 6);
  const next = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  return [...new Set(next.map((byte) => encodeBase64url(concatBytes(header, byte)).slice(0, length)))];
};

// Sub-keys of one purpose on their own: what a process gets that opens messages of that purpose and must not have the ring. They are written `sub.<id>.<base64url of 32 bytes>`, so that neither is taken for the other.

const prefix = 'sub.';

/** Writes the sub-keys of every key of the ring, in its order, separated by spaces; a secret. */
export const exportDerivedKeys = async (ring: KeyRing, purpose: Purpose): Promise<string> => {
  const derivedKeys = await Promise.all([...ring.keys.values()].map((key) => deriveNamedKey(key, purpose)));
  return derivedKeys.map(({ id, bytes }) => `${prefix}${id}.${encodeBase64url(bytes)}`).join(' ');
};

/**
 * Makes what opens messages with sub-keys that were exported.
 * @throws ConfigurationError `keys` when there is none, one is malformed, or it is a key ring
 */
export const createDerivedKeyOpener = (text: string): Opener =>
  createOpener([...parseDerivedKeys(text).keys.values()].map(toOpeningKey));

const parseDerivedKeys = (text: string): KeyRing => {
  const all = text.split(/\s+/).filter((word) => word !== '');
  if (all.some((word) => !word.startsWith(prefix)))
    throw new ConfigurationError('keys', 'must be sub-keys of an audience; a key ring must not be here.');
  try {
    return parseKeyRing(all.map((word) => word.slice(prefix.length)).join(' '));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      'keys',
      'must be written sub.<id>.<43 characters>, at least one and each once.',
    );
  }
};

const toOpeningKey = ({ id, bytes }: NamedKey): OpeningKey => {
  let imported: CryptoKey | undefined;
  const load = async (): Promise<CryptoKey> => {
    // Sub-keys can seal as well as open: what only opens is not given a key that seals.
    imported = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
    return imported;
  };
  return { header: buildHeader(id), derivedKey: () => imported ?? load() };
};
