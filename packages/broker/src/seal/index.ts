/** The sub-path export `@words-with-chat/broker/seal`: encrypt something under a rotatable key ring, in three lines. */
export { sealedBeginnings } from './beginnings.ts';
export type { Purpose } from './derivation.ts';
export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export { createSealer, type Opened, type Opener, type Sealer } from './sealer.ts';
