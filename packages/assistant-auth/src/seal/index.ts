/**
 * Encrypts your own data with a key ring whose keys can be rotated: AES-256-GCM with a derived key for each
 * purpose.
 * @module
 */

import { type RandomBytes, systemRandom } from '../oauth/secrets.ts';
import type { KeyRing } from './key-ring.ts';
import { createSealer as createSealerForPurpose, type Purpose, type Sealer } from './sealer.ts';

export { ConfigurationError } from '../oauth/errors.ts';
export type { RandomBytes } from '../oauth/secrets.ts';
export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export { listSealedPrefixes, type Opened, type Opener, type Purpose, type Sealer } from './sealer.ts';

/**
 * Creates the sealer of one purpose. Create it once: it derives each key of the ring on first use and caches
 * it.
 *
 * The broker never accepts a text that this function seals, whatever its purpose, even if both use the same
 * key ring. Use a key ring of its own for your data all the same: `readKeyUsage` of `assistant-auth/d1`,
 * which finds out whether a key can be retired, knows only the broker's data.
 * @param ring the keys
 * @param purpose what the texts are for
 * @param randomBytes the source of the IVs. Default: `crypto.getRandomValues`
 * @see NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF)
 * @example
 * ```ts
 * import { createSealer, parseKeyRing } from 'assistant-auth/seal';
 *
 * const sealer = createSealer(parseKeyRing(env.APP_KEYS), { name: 'note', issuer: 'https://words.example' });
 * const sealed = await sealer.seal(new TextEncoder().encode('Meet at noon'));
 * const opened = await sealer.open(sealed);
 *
 * if (opened.kind === 'opened') console.log(new TextDecoder().decode(opened.value));
 * ```
 */
export const createSealer = (
  ring: KeyRing,
  purpose: Purpose,
  randomBytes: RandomBytes = systemRandom,
): Sealer =>
  // No purpose of the broker starts with `app:`.
  createSealerForPurpose(ring, { ...purpose, name: `app:${purpose.name}` }, randomBytes);
