import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer, generateKey, listSealedPrefixes, parseKeyRing } from '../../src/seal/index.ts';

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const sealedWith = (keyId: string, plaintext: Uint8Array): Promise<string> => {
  const ring = parseKeyRing(generateKey(keyId, randomBytes));
  return createSealer(ring, { name: 'notes', issuer: 'https://words.example' }).seal(plaintext);
};

const keyId = fc.stringMatching(/^[a-z0-9-]{1,16}$/);
const beginsAs = (sealed: string, id: string): readonly string[] =>
  listSealedPrefixes(id).filter((beginning) => sealed.startsWith(beginning));

describe('the prefixes of what a key sealed', () => {
  it('hold one for every text that it sealed', () =>
    fc.assert(
      fc.asyncProperty(keyId, fc.uint8Array({ maxLength: 40 }), async (id, plaintext) => {
        expect(beginsAs(await sealedWith(id, plaintext), id)).toHaveLength(1);
      }),
    ));

  it('hold none for a text of another key', () =>
    fc.assert(
      fc.asyncProperty(keyId, keyId, async (id, other) => {
        fc.pre(id !== other);
        expect(beginsAs(await sealedWith(other, new Uint8Array(8)), id)).toEqual([]);
      }),
    ));

  it.each([
    ['a', 1],
    ['ab', 16],
    ['abc', 4],
    ['2026-11-24', 1],
  ])('are all of one length and as few as can be: of %s', (id, count) => {
    const prefixes = listSealedPrefixes(id);
    expect(new Set(prefixes).size).toBe(count);
    expect(new Set(prefixes.map(({ length }) => length)).size).toBe(1);
    expect(prefixes).toHaveLength(count);
  });
});
