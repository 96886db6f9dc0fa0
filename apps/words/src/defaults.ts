/** The platform's clock and randomness, which tests replace. */

/** Returns the current time in seconds. */
export const systemClock = (): number => Math.floor(Date.now() / 1000);

/** Returns cryptographically random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));
