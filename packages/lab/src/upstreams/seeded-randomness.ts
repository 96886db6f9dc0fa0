/** Gives node:crypto a known stream of bytes while one synchronous function runs: only to seed a stand-in, never for a secret. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Runs `work` with `crypto.randomBytes` replaced by bytes that follow from `seed` alone; afterwards randomness is real again.
 * `work` must be synchronous: nothing else in the process may draw meanwhile.
 */
export const withSeededRandomness = (seed: string, work: () => void): void => {
  const { createHash, randomBytes } = crypto;
  let draws = 0;
  const seededBytes = (size: number): Buffer =>
    createHash('shake256', { outputLength: size }).update(`${seed} ${draws++}`).digest();
  replaceRandomBytes(seededBytes);
  try {
    work();
  } finally {
    replaceRandomBytes(randomBytes);
  }
};

/** Also reaches modules that imported the function by name. */
const replaceRandomBytes = (randomBytes: (size: number) => Buffer): void => {
  Object.assign(crypto, { randomBytes });
  syncBuiltinESMExports();
};
