/** The sub-path export `@words-with-chat/broker/seal`: encrypt something under a rotatable key ring, in three lines. */
export { generateKey, type KeyRing, type NamedKey, parseKeyRing } from './key-ring.ts';
export { createSealer, type Opened, type Purpose, type Sealer } from './sealer.ts';
