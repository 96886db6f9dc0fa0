/** Sub-keys: one for every key of the ring and every purpose (HKDF-SHA-256, RFC 5869). */
import type { NamedKey } from './key-ring.ts';
import { version } from './layout.ts';
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

/** Derives the key that seals and opens. */
export const deriveKey = async (key: NamedKey, purpose: Purpose): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(
    parametersFor(purpose),
    await rootOf(key, 'deriveKey'),
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );

/** Derives the same key as bytes that can be handed on, under the same name; a secret. */
export const deriveNamedKey = async (key: NamedKey, purpose: Purpose): Promise<NamedKey> => {
  const bits = await crypto.subtle.deriveBits(parametersFor(purpose), await rootOf(key, 'deriveBits'), 256);
  return { id: key.id, bytes: new Uint8Array(bits) };
};

/** The key's own context: every part bears its length, so that no two purposes write the same. */
const derivation = record({ format: text, name: text, issuer: text, audience: optional(text) });

const parametersFor = ({ name, issuer, audience }: Purpose) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: encode(derivation, { format: `sealed-v${version}`, name, issuer, audience }),
});

const rootOf = ({ bytes }: NamedKey, usage: 'deriveKey' | 'deriveBits'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bytes, 'HKDF', false, [usage]);
