import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import { generateKey, parseKeyRing } from '../../src/seal/key-ring.ts';

const spring = '2027-spring.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const winter = '2026-winter.Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA';
const material = spring.slice('2027-spring.'.length);

const captureError = (text: string): ConfigurationError => {
  try {
    parseKeyRing(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the ring was accepted');
};

describe('parseKeyRing', () => {
  it('reads the keys in order, and the first one seals', () => {
    const ring = parseKeyRing(`${spring} ${winter}`);
    expect(ring.sealingKey.id).toBe('2027-spring');
    expect(ring.sealingKey.bytes).toEqual(Uint8Array.from({ length: 32 }, (_, at) => at));
    expect([...ring.keys.keys()]).toEqual(['2027-spring', '2026-winter']);
    expect(ring.keys.get('2027-spring')).toBe(ring.sealingKey);
  });

  it('takes any white space between keys and around them', () => {
    const ring = parseKeyRing(`\n  ${spring}\r\n\t${winter}\n`);
    expect([...ring.keys.keys()]).toEqual(['2027-spring', '2026-winter']);
  });

  it('takes ids of 1 to 16 characters', () => {
    expect(parseKeyRing(`a.${material}`).sealingKey.id).toBe('a');
    expect(parseKeyRing(`abcdefghij-45678.${material}`).sealingKey.id).toBe('abcdefghij-45678');
  });

  const shape = 'sealingKeys must be keys written <id>.<43 characters of base64url>, separated by spaces.';
  it.each([
    ['no key', '', 'sealingKeys must hold at least one key.'],
    ['white space alone', ' \n\t ', 'sealingKeys must hold at least one key.'],
    ['a key without id', material, shape],
    ['an empty id', `.${material}`, shape],
    ['an id of 17 characters', `abcdefghij-456789.${material}`, shape],
    ['capitals in an id', `Spring.${material}`, shape],
    ['an underscore in an id', `my_key.${material}`, shape],
    ['a letter beyond ASCII in an id', `clé.${material}`, shape],
    ['an id without key', '2027-spring.', shape],
    ['an id alone', '2027-spring', shape],
    ['a second dot', `${spring}.x`, shape],
    ['a dot at the end', `${spring}.`, shape],
    ['31 bytes', `a.${encodeBase64url(new Uint8Array(31).map((_, at) => at))}`, shape],
    ['33 bytes', `a.${encodeBase64url(new Uint8Array(33).map((_, at) => at))}`, shape],
    ['padding', `a.${material}=`, shape],
    ['spare bits', `a.${material.slice(0, -1)}9`, shape],
    ['plain base64', `a.${material.slice(0, -2)}+/`, shape],
    ['hexadecimal', `a.${'00112233'.repeat(8)}`, shape],
    ['keys separated by commas', `${spring},${winter}`, shape],
    ['quotes around the ring', `"${spring}"`, shape],
    ['a good key and a bad one', `${spring} nonsense`, shape],
    ['zeros for a key', `a.${'A'.repeat(43)}`, 'sealingKeys must be random; generate them.'],
    [
      'seven different bytes for a key',
      `a.${encodeBase64url(new Uint8Array(32).map((_, at) => at % 7))}`,
      'sealingKeys must be random; generate them.',
    ],
    ['an id twice', `${spring} 2027-spring.${winter.slice(12)}`, 'sealingKeys must not name a key twice.'],
    ['a key under two ids', `${spring} other.${material}`, 'sealingKeys must not name a key twice.'],
    ['the same key twice', `${spring} ${spring}`, 'sealingKeys must not name a key twice.'],
  ])('refuses %s, names the option and shows no key', (_, text, message) => {
    const error = captureError(text);
    expect(error.option).toBe('sealingKeys');
    expect(error.message).toBe(message);
    expect(error.cause).toBeUndefined();
  });

  it('never fails in another way, whatever is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((tail) => spring + tail),
        ),
        (text) => {
          try {
            parseKeyRing(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigurationError);
          }
        },
      ),
    );
  });
});

describe('generateKey', () => {
  it('draws 32 bytes and writes them as they stand in a ring', () => {
    const asked: number[] = [];
    const key = generateKey('2027-spring', (length) => {
      asked.push(length);
      return Uint8Array.from({ length }, (_, at) => at);
    });
    expect(key).toBe(spring);
    expect(asked).toEqual([32]);
  });

  it('makes keys that a ring accepts', () => {
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
    const keys = Array.from({ length: 50 }, (_, at) => generateKey(`key-${at}`, random));
    expect(parseKeyRing(keys.join(' ')).keys.size).toBe(50);
  });

  it.each(['', 'Spring', 'a b', 'a.b', 'abcdefghij-456789', 'é', 'a\n'])('refuses the id %j', (id) => {
    expect(() => generateKey(id, (length) => new Uint8Array(length))).toThrow(
      new ConfigurationError('sealingKeys', 'need ids of 1 to 16 characters a-z, 0-9 and hyphen.'),
    );
  });
});
