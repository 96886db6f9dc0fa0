/**
 * Makes `node:crypto` deterministic while one synchronous function runs. Use it only to seed a fake provider,
 * never for a secret.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Runs `work` while `crypto.randomBytes` and `crypto.randomUUID` return values that are derived only from
 * `seed`. Afterwards, they are random again. `work` must be synchronous, so that nothing else in the process
 * gets these values.
 */
export const withSeededRandomness = (seed: string, work: () => void): void => {
  const { createHash, randomBytes, randomUUID } = crypto;
  let drawCount = 0;
  const seededBytes = (size: number): Buffer =>
    createHash('shake256', { outputLength: size }).update(`${seed} ${drawCount++}`).digest();
  const seededUuid = (): string => formatUuid(seededBytes(16));
  replaceRandomness({ randomBytes: seededBytes, randomUUID: seededUuid });
  try {
    work();
  } finally {
    replaceRandomness({ randomBytes, randomUUID });
  }
};

/** Replaces the functions, also in modules that imported them by name. */
const replaceRandomness = (functions: {
  readonly randomBytes: (size: number) => Buffer;
  readonly randomUUID: () => string;
}): void => {
  Object.assign(crypto, functions);
  syncBuiltinESMExports();
};

/** Version 4 (RFC 9562 §5.4), as the real function returns it. */
const formatUuid = (bytes: Buffer): string => {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
