/**
 * Sub-keys of one purpose on their own: what a process gets that opens messages of that purpose and must not have the ring. They are
 * written `sub.<id>.<base64url of 32 bytes>`, so that neither is taken for the other.
 */
import { encodeBase64url } from '../protocol/base64url.ts';
import { ConfigurationError } from '../protocol/errors.ts';
import { deriveNamedKey, type Purpose } from './derivation.ts';
import { type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
import { headerFor } from './layout.ts';
import { createOpener, type Lock, type Opener } from './sealer.ts';

const prefix = 'sub.';

/** Writes the sub-keys of every key of the ring, in its order, separated by spaces; a secret. */
export const exportSubKeys = async (ring: KeyRing, purpose: Purpose): Promise<string> => {
  const subKeys = await Promise.all([...ring.keys.values()].map((key) => deriveNamedKey(key, purpose)));
  return subKeys.map(({ id, bytes }) => `${prefix}${id}.${encodeBase64url(bytes)}`).join(' ');
};

/**
 * Makes what opens messages with sub-keys that were exported.
 * @throws ConfigurationError `keys` when there is none, one is malformed, or it is a key ring
 */
export const createSubKeyOpener = (text: string): Opener =>
  createOpener([...parseSubKeys(text).keys.values()].map(lockOf));

const parseSubKeys = (text: string): KeyRing => {
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

const lockOf = ({ id, bytes }: NamedKey): Lock => {
  let imported: CryptoKey | undefined;
  const load = async (): Promise<CryptoKey> => {
    // Sub-keys can seal as well as open: what only opens is not given a key that seals.
    imported = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
    return imported;
  };
  return { header: headerFor(id), subKey: () => imported ?? load() };
};
