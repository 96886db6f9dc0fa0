/** Sealing: AES-256-GCM with a sub-key of its own for every purpose, a fresh random IV for every message. */
import { decodeBase64url, encodeBase64url } from '../protocol/base64url.ts';
import type { RandomBytes } from '../protocol/random.ts';
import { deriveKey, type Purpose } from './derivation.ts';
import type { KeyRing, NamedKey } from './key-ring.ts';
import { bears, headerFor, isMessage, ivLength, join } from './layout.ts';

export type Opened<Value> =
  | { readonly kind: 'opened'; readonly value: Value }
  /** Private: log the reason, tell the other side only that it did not open. */
  | { readonly kind: 'unopened'; readonly reason: 'malformed' | 'unknown-key' | 'forged' };

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
export interface Lock {
  readonly header: Uint8Array<ArrayBuffer>;
  /** A promise only until the sub-key is there. */
  subKey(): CryptoKey | Promise<CryptoKey>;
}

/** Longer than anything this project seals; a longer text is refused unread. */
const longestSealed = 65_536;
const none = new Uint8Array(0);

const webRandomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Makes the sealer of one purpose. Sub-keys are derived on first use and kept as long as the sealer lives. */
export const createSealer = (ring: KeyRing, purpose: Purpose, randomBytes = webRandomBytes): Sealer => {
  const { sealingKey } = ring;
  const header = headerFor(sealingKey.id);
  // Finished keys only, never promises: on Workers one request must not wait for another's.
  const derived = new Map<NamedKey, CryptoKey>();

  const derive = async (key: NamedKey): Promise<CryptoKey> => {
    const subKey = await deriveKey(key, purpose);
    derived.set(key, subKey);
    return subKey;
  };

  const locks = [...ring.keys.values()].map((key) => ({
    header: headerFor(key.id),
    subKey: () => derived.get(key) ?? derive(key),
  }));

  return {
    ...createOpener(locks),
    async seal(plaintext, context = none) {
      const iv = randomBytes(ivLength);
      const subKey = derived.get(sealingKey) ?? (await derive(sealingKey));
      // Copied, because WebCrypto takes no memory that a worker thread may be writing to.
      const content = new Uint8Array(plaintext);
      const ciphertext = await crypto.subtle.encrypt(gcm(iv, header, context), subKey, content);
      return encodeBase64url(join(header, iv, new Uint8Array(ciphertext)));
    },
  };
};

/** Makes what opens messages with the sub-keys of these locks. */
export const createOpener = (locks: readonly Lock[]): Opener => ({
  async open(sealed, context = none) {
    const bytes = sealed.length > longestSealed ? undefined : decodeBase64url(sealed);
    if (bytes === undefined || !isMessage(bytes)) return { kind: 'unopened', reason: 'malformed' };
    const lock = locks.find(({ header }) => bears(bytes, header));
    if (lock === undefined) return { kind: 'unopened', reason: 'unknown-key' };
    const { header } = lock;
    const iv = bytes.subarray(header.length, header.length + ivLength);
    const ciphertext = bytes.subarray(header.length + ivLength);
    const found = lock.subKey();
    // Not awaited when it is there, as it nearly always is.
    const subKey = found instanceof Promise ? await found : found;
    try {
      const plaintext = await crypto.subtle.decrypt(gcm(iv, header, context), subKey, ciphertext);
      return { kind: 'opened', value: new Uint8Array(plaintext) };
    } catch {
      // The one error that WebCrypto has here: the tag does not fit.
      return { kind: 'unopened', reason: 'forged' };
    }
  },
});

/** The header delimits itself, so header and context together are unambiguous. */
const gcm = (
  iv: Uint8Array<ArrayBuffer>,
  header: Uint8Array<ArrayBuffer>,
  context: Uint8Array,
): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: context.length === 0 ? header : join(header, context),
});
