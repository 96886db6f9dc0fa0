/** The subpath export `assistant-auth/seal`: encrypts values with a key ring whose keys can be rotated. */

export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export {
  createSealer,
  listSealedPrefixes,
  type Opened,
  type Opener,
  type Purpose,
  type Sealer,
} from './sealer.ts';
