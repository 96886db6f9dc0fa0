/** The platform's clock and randomness, which tests replace. */
import type { RandomBytes } from './game/game.ts';

/** Returns the current time in seconds. */
export const systemClock = (): number => Math.floor(Date.now() / 1000);

/** Returns cryptographically random bytes. */
export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));
