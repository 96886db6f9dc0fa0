import { expect, it } from 'vitest';
import { decodeBase64url, type RandomBytes, randomId, randomToken } from '../../src/oauth/secrets.ts';

const counting: RandomBytes = (length) => Uint8Array.from({ length }, (_, at) => at);
const real: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

it('writes 256 bits as a token of 43 characters', () => {
  expect(randomToken(counting)).toBe('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
  expect(randomToken(real)).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

it('writes 128 bits as an id of 22 characters', () => {
  expect(randomId(counting)).toBe('AAECAwQFBgcICQoLDA0ODw');
  expect(decodeBase64url(randomId(real))).toHaveLength(16);
});

it('draws anew each time', () => {
  const draws = Array.from({ length: 1000 }, () => [randomToken(real), randomId(real)]).flat();
  expect(new Set(draws).size).toBe(2000);
});
