/** Random values, base64url, comparison of secrets, and PKCE (RFC 7636). */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCodeChallenge, verifyCodeVerifier } from '../../src/oauth/pkce.ts';
import {
  decodeBase64url,
  encodeBase64url,
  hasPattern,
  type RandomBytes,
  randomId,
  randomSecret,
  timingSafeEqual,
} from '../../src/oauth/secrets.ts';
import { challenge, verifier } from '../browser.ts';

describe('random values', () => {
  const countingBytes: RandomBytes = (length) => Uint8Array.from({ length }, (_, index) => index);
  const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

  it('encodes 256 bits as a token of 43 characters', () => {
    expect(randomSecret(countingBytes)).toBe('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
    expect(randomSecret(randomBytes)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('encodes 128 bits as an ID of 22 characters', () => {
    expect(randomId(countingBytes)).toBe('AAECAwQFBgcICQoLDA0ODw');
    expect(decodeBase64url(randomId(randomBytes))).toHaveLength(16);
  });

  it('returns a new value each time', () => {
    const values = Array.from({ length: 1000 }, () => [
      randomSecret(randomBytes),
      randomId(randomBytes),
    ]).flat();
    expect(new Set(values).size).toBe(2000);
  });
});

describe('a pattern in a secret', () => {
  const hasPatternIn = (text: string) => hasPattern([...new TextEncoder().encode(text)]);

  it.each([
    ['one character', 'a'.repeat(32)],
    ['one character but the last', `${'a'.repeat(42)}b`],
    ['two characters', 'ab'.repeat(16)],
    ['three characters in no order', 'aababcbcacbaabcbacbbacabcabcaacb'],
    ['five characters in no order', 'abcdeacebdaecbdbeacdcebadeabcdce'],
    ['a short unit', 'abcabc'.repeat(6)],
    ['a word', 'change-me-'.repeat(4)],
    ['a word and a counter', 'password1password2password3password4'],
    ['a unit of half the length', 'q8Zr1LxwT0vKq8Zr1LxwT0vKq8Zr1LxwT0vK'],
    ['a random unit twice', '9f3b1c77e0a452d89f3b1c77e0a452d8'],
    ['digits and letters in order', '0123456789abcdef0123456789abcdef'],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyzABCDEF'],
    ['a descending sequence', 'zyxwvutsrqponmlkjihgfedcba987654'],
    ['every second character', 'acegikmoqsuwyACEGIKMOQSUWY024689'],
    ['the numbers from 1', '1234567890'.repeat(4)],
  ])('is found: %s', (_, text) => {
    expect(hasPatternIn(text)).toBe(true);
  });

  // A pattern is found in fewer than 1 in 10^11 random secrets.
  it.each([
    ['32 hexadecimal characters', '0123456789abcdef', 32],
    ['64 hexadecimal characters', '0123456789abcdef', 64],
    ['78 decimal digits', '0123456789', 78],
    ['43 characters of base64url', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 43],
    ['32 bytes', undefined, 32],
  ])('is not found in random secrets: %s', (_, alphabet, length) => {
    for (let count = 0; count < 5_000; count++) {
      const numbers = [...crypto.getRandomValues(new Uint32Array(length))];
      const values = numbers.map((number) => alphabet?.charCodeAt(number % alphabet.length) ?? number % 256);
      expect(hasPattern(values), String(values)).toBe(false);
    }
  });
});

describe('base64url', () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);

  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('encodes %j as in RFC 4648 §10, without padding', (plain, text) => {
    expect(encodeBase64url(bytesOf(plain))).toBe(text);
    expect(decodeBase64url(text)).toEqual(bytesOf(plain));
  });

  it('uses the URL-safe characters for the last two values', () => {
    expect(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('-_-_');
    expect(decodeBase64url('-_-_')).toEqual(Uint8Array.of(0xfb, 0xff, 0xbf));
  });

  it('decodes every encoded sequence of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it('decodes what it encoded around the length from which the array of codes is not reused', () => {
    for (let length = 750; length < 780; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
      encodeBase64url(new Uint8Array(700).fill(255));
      expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
    }
  });

  it('encodes as the platform does, apart from alphabet and padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const platformBase64 = btoa(String.fromCharCode(...bytes));
        expect(encodeBase64url(bytes)).toBe(
          platformBase64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
        );
      }),
    );
  });

  it('decodes a string only if it is the canonical encoding', () => {
    const base64LikeText = fc.string({
      unit: fc.constantFrom(...'ABYZabyz0189-_', '=', '+', '/', ' ', '\n', '\0', 'é', 'Ā', '\ud800'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(base64LikeText, (text) => {
        const bytes = decodeBase64url(text);
        expect(bytes === undefined || encodeBase64url(bytes) === text).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['padding', 'Zg=='],
    ['half the padding', 'Zm8='],
    ['the characters of standard base64', '+/+/'],
    ['a space inside', 'Zm 9v'],
    ['a line break at the end', 'Zm9v\n'],
    ['a NUL', 'Zm9\0'],
    ['an incomplete last group', 'Zm9vY'],
    ['a single character', 'Z'],
    ['nonzero pad bits after one byte', 'Zh'],
    ['nonzero pad bits after two bytes', 'Zm9'],
    ['a non-ASCII letter', 'Zm9é'],
    ['a letter whose low bits are those of A', 'Zm9\u0141'],
    ['a lone surrogate', 'Zm9\ud800'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });
});

describe('timingSafeEqual', () => {
  const secret = 'gpt-secret-0123456789-0123456789';

  it('is true for the same secret', async () => {
    expect(await timingSafeEqual(secret, secret)).toBe(true);
    expect(await timingSafeEqual('', '')).toBe(true);
    expect(await timingSafeEqual('ключ 🔑', 'ключ 🔑')).toBe(true);
  });

  it.each([
    ['an empty string', ''],
    ['another first character', `G${secret.slice(1)}`],
    ['another last character', `${secret.slice(0, -1)}8`],
    ['a prefix of the secret', secret.slice(0, -1)],
    ['the secret with another character appended', `${secret}0`],
    ['a space at the end', `${secret} `],
    ['a NUL at the end', `${secret}\0`],
    ['the secret in another case', secret.toUpperCase()],
    ['twice the secret', secret + secret],
  ])('is false for %s', async (_, other) => {
    expect(await timingSafeEqual(secret, other)).toBe(false);
    expect(await timingSafeEqual(other, secret)).toBe(false);
  });

  it('does not normalize: two encodings of a letter differ', async () => {
    expect(await timingSafeEqual('caf\u00e9', 'cafe\u0301')).toBe(false);
  });

  it('agrees with ===', async () => {
    const shortText = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(shortText, shortText, async (one, other) => {
        expect(await timingSafeEqual(one, other)).toBe(one === other);
      }),
    );
  });
});

describe('PKCE', () => {
  const challengeOf = async (text: string): Promise<string> =>
    encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));

  const rejection = (reason: string) => expect.objectContaining({ reason });

  describe('parseCodeChallenge', () => {
    const parse = (query: string, requirement: 'required' | 'optional' = 'optional') =>
      parseCodeChallenge(new URLSearchParams(query), requirement);

    it('returns the challenge, or none if none is required', () => {
      expect(parse(`code_challenge=${challenge}&code_challenge_method=S256`)).toBe(challenge);
      expect(parse('')).toBeUndefined();
      expect(() => parse('', 'required')).toThrow(rejection('pkce.missing'));
    });

    it.each(['required', 'optional'] as const)(
      'refuses an incomplete challenge, or another method (%s)',
      (requirement) => {
        for (const query of [
          `code_challenge=${challenge}`,
          `code_challenge=${challenge}&code_challenge_method=`,
          `code_challenge=${challenge}&code_challenge_method=plain`,
          'code_challenge_method=',
        ])
          expect(() => parse(query, requirement)).toThrow(rejection('pkce.method'));
        for (const malformed of [
          '',
          challenge.slice(1),
          `${challenge}A`,
          `${challenge.slice(1)}%2B`,
          `${challenge}%0A`,
        ])
          expect(() => parse(`code_challenge=${malformed}&code_challenge_method=S256`, requirement)).toThrow(
            rejection('pkce.challenge'),
          );
        expect(() => parse('code_challenge_method=S256', requirement)).toThrow(rejection('pkce.challenge'));
      },
    );
  });

  describe('verifyCodeVerifier', () => {
    const validVerifier = fc.stringMatching(/^[A-Za-z0-9._~-]{43,128}$/);

    it('agrees with RFC 7636 appendix B', async () => {
      await expect(verifyCodeVerifier(challenge, verifier)).resolves.toBeUndefined();
    });

    it('requires no verifier if no challenge was sent', async () => {
      await expect(verifyCodeVerifier(undefined, undefined)).resolves.toBeUndefined();
    });

    it('accepts only the verifier of the challenge', async () => {
      await fc.assert(
        fc.asyncProperty(validVerifier, validVerifier, async (rightVerifier, otherVerifier) => {
          const codeChallenge = await challengeOf(rightVerifier);
          await verifyCodeVerifier(codeChallenge, rightVerifier);
          if (otherVerifier !== rightVerifier)
            await expect(verifyCodeVerifier(codeChallenge, otherVerifier)).rejects.toThrow(
              rejection('code.pkce'),
            );
          await expect(verifyCodeVerifier(codeChallenge, codeChallenge)).rejects.toThrow(
            rejection('code.pkce'),
          );
        }),
      );
    });

    it.each([
      ['a verifier without a challenge', undefined, verifier],
      ['a challenge without a verifier', challenge, undefined],
    ])('refuses %s', async (_, codeChallenge, codeVerifier) => {
      await expect(verifyCodeVerifier(codeChallenge, codeVerifier)).rejects.toThrow(rejection('code.pkce'));
    });

    it.each([
      'v'.repeat(42),
      'v'.repeat(129),
      `${'v'.repeat(43)}+`,
      `${'v'.repeat(43)}é`,
      `${'v'.repeat(43)}\n`,
    ])('refuses a malformed verifier even if it matches: %j', async (malformed) => {
      await expect(verifyCodeVerifier(await challengeOf(malformed), malformed)).rejects.toThrow(
        rejection('code.pkce'),
      );
    });
  });
});
