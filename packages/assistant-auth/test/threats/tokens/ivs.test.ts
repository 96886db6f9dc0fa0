/** What AES-GCM does not survive: two messages under one key with one IV. */
import { expect, it } from 'vitest';
import { decodeBase64url } from '../../../src/oauth/secrets.ts';
import { createSealer, generateKey, parseKeyRing } from '../../../src/seal/index.ts';

const million = 1_000_000;
const atOnce = 1000;

const systemRandom = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Behind a header of three bytes the IV is the characters 4 to 19. Its first 8 bytes of 12 must differ already. */
const ivOf = (sealed: string): bigint => {
  const iv = decodeBase64url(sealed.slice(4, 20));
  if (iv?.length !== 12) throw new Error('no IV');
  return new DataView(iv.buffer).getBigUint64(0);
};

it('T2.1 unique: a million messages of one sealer bear a million IVs', async () => {
  const ring = parseKeyRing(generateKey('k', systemRandom));
  const sealer = createSealer(ring, { name: 'test', issuer: 'https://words.example' });
  const nothing = new Uint8Array();
  const ivs = new BigUint64Array(million);
  for (let at = 0; at < million; at += atOnce) {
    const sealed = await Promise.all(Array.from({ length: atOnce }, () => sealer.seal(nothing)));
    ivs.set(sealed.map(ivOf), at);
  }
  ivs.sort();
  expect(ivs.findIndex((iv, at) => iv === ivs[at - 1])).toBe(-1);
});
