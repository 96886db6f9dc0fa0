/** The sub-path export `assistant-auth/seal`: encrypt something under a rotatable key ring, in three lines. */

export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export type { Purpose } from './sealer.ts';
export { createSealer, listSealedPrefixes, type Opened, type Opener, type Sealer } from './sealer.ts';
