import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../src/oauth/secrets.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('base64url', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes %j as RFC 4648 §10 does, without padding', (plain, text) => {
    expect(encodeBase64url(bytesOf(plain))).toBe(text);
    expect(decodeBase64url(text)).toEqual(bytesOf(plain));
  });

  it('uses the URL-safe letters for the last two values', () => {
    expect(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('-_-_');
    expect(decodeBase64url('-_-_')).toEqual(Uint8Array.of(0xfb, 0xff, 0xbf));
  });

  it('gives back every sequence of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it('writes as the platform does, letters and padding aside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const platform = btoa(String.fromCharCode(...bytes));
        expect(encodeBase64url(bytes)).toBe(
          platform.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
        );
      }),
    );
  });

  it('reads a text only if it is the one spelling of its bytes', () => {
    const nearly = fc.string({
      unit: fc.constantFrom(...'ABYZabyz0189-_', '=', '+', '/', ' ', '\n', '\0', 'é', 'Ā', '\ud800'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nearly, (text) => {
        const bytes = decodeBase64url(text);
        expect(bytes === undefined || encodeBase64url(bytes) === text).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['padding', 'Zg=='],
    ['half the padding', 'Zm8='],
    ['the letters of plain base64', '+/+/'],
    ['a space within', 'Zm 9v'],
    ['a line break at the end', 'Zm9v\n'],
    ['a NUL', 'Zm9\0'],
    ['one letter too few', 'Zm9vY'],
    ['one letter alone', 'Z'],
    ['spare bits after one byte', 'Zh'],
    ['spare bits after two bytes', 'Zm9'],
    ['a letter beyond ASCII', 'Zm9é'],
    ['a letter whose low bits are those of A', 'Zm9\u0141'],
    ['a lone surrogate', 'Zm9\ud800'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });
});
