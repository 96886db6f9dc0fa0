/**
 * Encrypts your own data with a key ring whose keys can be rotated: AES-256-GCM with a derived key for each
 * purpose.
 * @module
 */

export { ConfigurationError } from '../oauth/errors.ts';
export type { RandomBytes } from '../oauth/secrets.ts';
export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export {
  createSealer,
  listSealedPrefixes,
  type Opened,
  type Opener,
  type Purpose,
  type Sealer,
} from './sealer.ts';
