/** Sealing: AES-256-GCM with a sub-key of its own for every purpose (HKDF-SHA-256, RFC 5869), a fresh random IV for every message. */
import { decodeBase64url, encodeBase64url } from '../protocol/base64url.ts';
import type { RandomBytes } from '../protocol/random.ts';
import type { KeyRing, NamedKey } from './key-ring.ts';
import { bears, headerFor, isMessage, ivLength, join, version } from './layout.ts';
import { encode, optional, record, text } from './payload.ts';

/** What a sealed message is for. Any difference in it makes other keys, so nothing opens in another's place. */
export interface Purpose {
  /** For example `access`. */
  readonly name: string;
  /** The origin of the deployment. */
  readonly issuer: string;
  /** For whom, when one purpose serves several. */
  readonly audience?: string;
}

export type Opened<Value> =
  | { readonly kind: 'opened'; readonly value: Value }
  /** Private: log the reason, tell the other side only that it did not open. */
  | { readonly kind: 'unopened'; readonly reason: 'malformed' | 'unknown-key' | 'forged' };

export interface Sealer {
  /**
   * Encrypts and authenticates.
   * @param context public bytes that must be given again to open, such as the id of the row that holds the message
   * @returns base64url, about 4/3 × (plaintext + 30 + length of the key id) characters
   */
  seal(plaintext: Uint8Array<ArrayBuffer>, context?: Uint8Array<ArrayBuffer>): Promise<string>;
  /** Gives the plaintext back, or says why not; never throws on bad input. */
  open(sealed: string, context?: Uint8Array<ArrayBuffer>): Promise<Opened<Uint8Array<ArrayBuffer>>>;
}

/** Longer than anything this project seals; a longer text is refused unread. */
const longestSealed = 65_536;
const none = new Uint8Array(0);

const webRandomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Makes the sealer of one purpose. Sub-keys are derived on first use and kept as long as the sealer lives. */
export const createSealer = (ring: KeyRing, purpose: Purpose, randomBytes = webRandomBytes): Sealer => {
  const { newest } = ring;
  const locks = [...ring.keys.values()].map((key) => ({ key, header: headerFor(key.id) }));
  // Finished keys only, never promises: on Workers one request must not wait for another's.
  const derived = new Map<NamedKey, CryptoKey>();

  const derive = async (key: NamedKey): Promise<CryptoKey> => {
    const subKey = await deriveKey(key, purpose);
    derived.set(key, subKey);
    return subKey;
  };

  return {
    async seal(plaintext, context = none) {
      const header = headerFor(newest.id);
      const iv = randomBytes(ivLength);
      const subKey = derived.get(newest) ?? (await derive(newest));
      const ciphertext = await crypto.subtle.encrypt(gcm(iv, header, context), subKey, plaintext);
      return encodeBase64url(join(header, iv, new Uint8Array(ciphertext)));
    },

    async open(sealed, context = none) {
      const bytes = sealed.length > longestSealed ? undefined : decodeBase64url(sealed);
      if (bytes === undefined || !isMessage(bytes)) return { kind: 'unopened', reason: 'malformed' };
      const lock = locks.find(({ header }) => bears(bytes, header));
      if (lock === undefined) return { kind: 'unopened', reason: 'unknown-key' };
      const { key, header } = lock;
      const iv = bytes.subarray(header.length, header.length + ivLength);
      const ciphertext = bytes.subarray(header.length + ivLength);
      const subKey = derived.get(key) ?? (await derive(key));
      try {
        const plaintext = await crypto.subtle.decrypt(gcm(iv, header, context), subKey, ciphertext);
        return { kind: 'opened', value: new Uint8Array(plaintext) };
      } catch {
        // The one error that WebCrypto has here: the tag does not fit.
        return { kind: 'unopened', reason: 'forged' };
      }
    },
  };
};

/** The header delimits itself, so header and context together are unambiguous. */
const gcm = (
  iv: Uint8Array<ArrayBuffer>,
  header: Uint8Array<ArrayBuffer>,
  context: Uint8Array<ArrayBuffer>,
): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: context.length === 0 ? header : join(header, context),
});

/** The key's own context: every part bears its length, so that no two purposes write the same. */
const derivation = record({ format: text, name: text, issuer: text, audience: optional(text) });

const deriveKey = async (key: NamedKey, { name, issuer, audience }: Purpose): Promise<CryptoKey> => {
  const info = encode(derivation, { format: `sealed-v${version}`, name, issuer, audience });
  const root = await crypto.subtle.importKey('raw', key.bytes, 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: none, info },
    root,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
};
