/** Sealing and opening, and the key ring. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { decodeBase64url, encodeBase64url } from '../../src/oauth/secrets.ts';
import {
  generateKey,
  listSealedPrefixes,
  type Opened,
  type Purpose,
  parseKeyRing,
} from '../../src/seal/index.ts';
import { createDerivedKeyOpener, createSealer, exportDerivedKeys } from '../../src/seal/sealer.ts';

describe('createSealer', () => {
  const older = '2026-11.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';
  const newer = '2027-01.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';
  const purpose: Purpose = { name: 'notes', issuer: 'https://words.example' };

  const sealerOf = (ring: string, sealerPurpose = purpose) => createSealer(parseKeyRing(ring), sealerPurpose);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const failed = (reason: string) => ({ kind: 'failed', reason });

  const anyBytes = fc.uint8Array({ maxLength: 300 }).map((array) => Uint8Array.from(array));

  const readText = ({ kind, ...rest }: Opened<Uint8Array>): string =>
    'value' in rest ? new TextDecoder().decode(rest.value) : kind;

  describe('sealed text', () => {
    it('opens with the same value and context', async () => {
      const sealer = sealerOf(newer);
      await fc.assert(
        fc.asyncProperty(anyBytes, fc.option(anyBytes, { nil: undefined }), async (value, context) => {
          expect(await sealer.open(await sealer.seal(value, context), context)).toEqual({
            kind: 'opened',
            value,
          });
        }),
      );
    });

    it('is base64url of a length that depends on its content', async () => {
      const sealer = sealerOf(newer);
      await fc.assert(
        fc.asyncProperty(anyBytes, async (value) => {
          const sealed = await sealer.seal(value);
          expect(sealed).toMatch(/^[\w-]+$/);
          expect(sealed).toHaveLength(Math.ceil((4 / 3) * (30 + '2027-01'.length + value.length)));
        }),
      );
    });

    it('opens in another isolate of the same deployment', async () => {
      const sealed = await sealerOf(newer).seal(bytes('met at the library'), bytes('row 1'));
      expect(readText(await sealerOf(newer).open(sealed, bytes('row 1')))).toBe('met at the library');
    });

    it('differs each time, with an IV of its own', async () => {
      let drawCount = 0;
      const requestedLengths: number[] = [];
      const sealer = createSealer(parseKeyRing(newer), purpose, (length) => {
        requestedLengths.push(length);
        drawCount += 1;
        return new Uint8Array(length).fill(drawCount);
      });
      const texts = [await sealer.seal(bytes('same')), await sealer.seal(bytes('same'))];
      expect(requestedLengths).toEqual([12, 12]);
      expect(texts.map((text) => decodeBase64url(text)?.slice(9, 21))).toEqual([
        new Uint8Array(12).fill(1),
        new Uint8Array(12).fill(2),
      ]);
    });
  });

  describe('text that does not open', () => {
    it('includes sealed text with any bit changed', async () => {
      const sealer = sealerOf(newer);
      await fc.assert(
        fc.asyncProperty(anyBytes, fc.nat(), fc.nat(7), async (value, position, bit) => {
          const sealed = decodeBase64url(await sealer.seal(value, bytes('row'))) ?? new Uint8Array();
          const index = position % sealed.length;
          sealed[index] = (sealed[index] ?? 0) ^ (1 << bit);
          expect(await sealer.open(encodeBase64url(sealed), bytes('row'))).toHaveProperty('kind', 'failed');
        }),
      );
    });

    it('includes any unsealed text, without an exception', async () => {
      const sealer = sealerOf(`${newer} ${older}`);
      const plausibleText = fc
        .uint8Array({ minLength: 1, maxLength: 60 })
        .map((tail) => encodeBase64url(Uint8Array.from([1, 7, ...bytes('2027-01'), ...tail])));
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), plausibleText), async (text) => {
          expect(await sealer.open(text)).toHaveProperty('kind', 'failed');
        }),
        { numRuns: 1000 },
      );
    });

    it('includes sealed text with another context or none', async () => {
      const sealer = sealerOf(newer);
      const sealed = await sealer.seal(bytes('x'), bytes('row 1'));
      expect(await sealer.open(sealed, bytes('row 2'))).toEqual(failed('forged'));
      expect(await sealer.open(sealed, bytes('row 1 '))).toEqual(failed('forged'));
      expect(await sealer.open(sealed)).toEqual(failed('forged'));
      expect(await sealer.open(await sealer.seal(bytes('x')), bytes('row 1'))).toEqual(failed('forged'));
    });

    it.each([
      ['another version', [2], 'malformed'],
      ['no version', [0], 'malformed'],
      ['only a version', [1], 'malformed'],
      ['a key ID longer than the message', [1, 200, ...bytes('2027-01')], 'malformed'],
      ['an empty key ID', [1, 0], 'unknown-key'],
      ['a key ID that is only a prefix', [1, 6, ...bytes('2027-0')], 'unknown-key'],
      ['a key ID that is too long', [1, 8, ...bytes('2027-01x')], 'unknown-key'],
      ['a valid header and nothing valid after it', [1, 7, ...bytes('2027-01')], 'forged'],
    ] as const)('includes text with %s', async (_, prefix, reason) => {
      const tail = reason === 'malformed' && prefix.length === 1 && prefix[0] === 1 ? 0 : 60;
      const text = encodeBase64url(Uint8Array.from([...prefix, ...new Uint8Array(tail)]));
      expect(await sealerOf(newer).open(text)).toEqual(failed(reason));
    });

    it('includes text that is one byte too short for IV and tag', async () => {
      const sealed = decodeBase64url(await sealerOf(newer).seal(new Uint8Array())) ?? new Uint8Array();
      expect(await sealerOf(newer).open(encodeBase64url(sealed.slice(0, -1)))).toEqual(failed('malformed'));
    });

    it('includes text of more than 65,536 characters, which is not decrypted', async () => {
      const sealer = sealerOf(newer);
      // 9 bytes of header and 28 around the content, so that 49,115 more make 65,536 characters.
      const longest = await sealer.seal(new Uint8Array(49_115));
      expect(longest).toHaveLength(65_536);
      expect(await sealer.open(longest)).toHaveProperty('kind', 'opened');
      const tooLong = await sealer.seal(new Uint8Array(49_116));
      const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
      expect(await sealer.open(tooLong)).toEqual(failed('malformed'));
      expect(decrypt).not.toHaveBeenCalled();
    });
  });

  describe('a ring of several keys', () => {
    const sealerOfBoth = sealerOf(`${newer} ${older}`);

    it('seals with the first key, and opens what the other key sealed', async () => {
      const sealed = await sealerOfBoth.seal(bytes('new'));
      expect(readText(await sealerOf(newer).open(sealed))).toBe('new');
      expect(await sealerOf(older).open(sealed)).toEqual(failed('unknown-key'));
      expect(readText(await sealerOfBoth.open(await sealerOf(older).seal(bytes('old'))))).toBe('old');
    });

    it('opens only with the key that is named', async () => {
      await sealerOfBoth.seal(bytes('x'));
      const sealed = await sealerOf(older).seal(bytes('old'));
      await sealerOfBoth.open(sealed);
      const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
      await sealerOfBoth.open(`${sealed.slice(0, -2)}AA`);
      expect(decrypt).toHaveBeenCalledTimes(1);
    });
  });

  describe('the derived key', () => {
    it('is derived once for each key of the ring, and is not extractable', async () => {
      const deriveKey = vi.spyOn(crypto.subtle, 'deriveKey');
      const sealer = sealerOf(`${newer} ${older}`);
      expect(deriveKey).not.toHaveBeenCalled();
      for (let attempt = 0; attempt < 3; attempt++) await sealer.open(await sealer.seal(bytes('x')));
      expect(deriveKey).toHaveBeenCalledTimes(1);
      const old = await sealerOf(older).seal(bytes('x'));
      deriveKey.mockClear();
      for (let attempt = 0; attempt < 3; attempt++) await sealer.open(old);
      expect(deriveKey).toHaveBeenCalledTimes(1);
      const [, , , extractable] = deriveKey.mock.calls[0] ?? [];
      expect(extractable).toBe(false);
    });

    it('is not derived for text that names no key of the ring', async () => {
      const deriveKey = vi.spyOn(crypto.subtle, 'deriveKey');
      const sealer = sealerOf(newer);
      for (const text of ['', 'AQ', await sealerOf(older).seal(bytes('x'))]) await sealer.open(text);
      // The one call comes from the older sealer.
      expect(deriveKey).toHaveBeenCalledTimes(1);
    });
  });
});

describe('derived keys', () => {
  const older = 'old-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';
  const newer = 'new-1.Y_EWFDw4Pt7muInnvySzcV8LKWyYjQ_TqZFlDL80OFM';
  const ring = parseKeyRing(`${newer} ${older}`);
  const purpose = { name: 'access', issuer: 'https://words.example', audience: 'https://api.example' };
  const plaintext = new TextEncoder().encode('who calls');

  const sealed = (keys = ring, changes: Partial<typeof purpose> = {}) =>
    createSealer(keys, { ...purpose, ...changes }).seal(plaintext);

  it.each([
    ['first', ring],
    ['last', parseKeyRing(older)],
  ])('open text that the %s key of the ring sealed for their purpose, repeatedly', async (_, keys) => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    const opened = { kind: 'opened', value: plaintext };
    expect(await opener.open(await sealed(keys))).toEqual(opened);
    expect(await opener.open(await sealed(keys))).toEqual(opened);
  });

  it.each([
    ['name', { name: 'refresh' }],
    ['issuer', { issuer: 'https://other.example' }],
    ['audience', { audience: 'https://api.example/' }],
  ])('do not open text with another %s', async (_, changes) => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    expect(await opener.open(await sealed(ring, changes))).toEqual({ kind: 'failed', reason: 'forged' });
  });

  it('are imported for opening only', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    importKey.mockClear();
    await opener.open(await sealed());
    const imports = importKey.mock.calls.filter(([, , algorithm]) => algorithm === 'AES-GCM');
    importKey.mockRestore();
    expect(imports.map(([, , , extractable, usages]) => [extractable, usages])).toEqual([
      [false, ['decrypt']],
    ]);
  });

  it('do not open text that a newer key sealed', async () => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(parseKeyRing(older), purpose));
    expect(await opener.open(await sealed())).toEqual({ kind: 'failed', reason: 'unknown-key' });
  });

  it('have the key IDs and order of the ring, and differ from its keys', async () => {
    const exported = await exportDerivedKeys(ring, purpose);
    expect(exported).toMatch(/^sub\.new-1\.[\w-]{43} sub\.old-1\.[\w-]{43}$/);
    for (const key of [older, newer]) expect(exported).not.toContain(key.split('.')[1]);
  });

  it('are refused as a key ring', async () => {
    const exported = await exportDerivedKeys(ring, purpose);
    expect(() => parseKeyRing(exported)).toThrow(/^sealingKeys must be keys written/);
  });

  it.each([
    [
      'none',
      '',
      'keys must contain one or more unique keys, each written sub.<id>.<43 characters of base64url>.',
    ],
    ['a key ring', `${newer} ${older}`, 'keys must be the derived keys of a resource, not a key ring.'],
    [
      'too short',
      'sub.new-1.AAEC',
      'keys must contain one or more unique keys, each written sub.<id>.<43 characters of base64url>.',
    ],
    [
      'duplicates',
      `sub.${newer} sub.${newer}`,
      'keys must contain one or more unique keys, each written sub.<id>.<43 characters of base64url>.',
    ],
  ])('that are %s fail at startup, and the message does not repeat them', (_, text, message) => {
    expect(() => createDerivedKeyOpener(text)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'keys', message }),
    );
  });
});

describe('the key ring', () => {
  const spring = '2027-spring.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';
  const winter = '2026-winter.Y_EWFDw4Pt7muInnvySzcV8LKWyYjQ_TqZFlDL80OFM';
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
      expect(encodeBase64url(ring.sealingKey.bytes)).toBe(material);
      expect([...ring.keys.keys()]).toEqual(['2027-spring', '2026-winter']);
      expect(ring.keys.get('2027-spring')).toBe(ring.sealingKey);
    });

    it('accepts any whitespace between and around keys', () => {
      const ring = parseKeyRing(`\n  ${spring}\r\n\t${winter}\n`);
      expect([...ring.keys.keys()]).toEqual(['2027-spring', '2026-winter']);
    });

    it('accepts IDs of 1 to 16 characters', () => {
      expect(parseKeyRing(`a.${material}`).sealingKey.id).toBe('a');
      expect(parseKeyRing(`abcdefghij-45678.${material}`).sealingKey.id).toBe('abcdefghij-45678');
    });

    const formatMessage =
      'sealingKeys must be keys written <id>.<43 characters of base64url>, separated by spaces.';
    it.each([
      ['no key', '', 'sealingKeys must contain at least one key.'],
      ['only whitespace', ' \n\t ', 'sealingKeys must contain at least one key.'],
      ['a key without an ID', material, formatMessage],
      ['an empty ID', `.${material}`, formatMessage],
      ['an ID of 17 characters', `abcdefghij-456789.${material}`, formatMessage],
      ['capital letters in an ID', `Spring.${material}`, formatMessage],
      ['an underscore in an ID', `my_key.${material}`, formatMessage],
      ['a non-ASCII letter in an ID', `clé.${material}`, formatMessage],
      ['an ID without a key', '2027-spring.', formatMessage],
      ['an ID alone', '2027-spring', formatMessage],
      ['a second dot', `${spring}.x`, formatMessage],
      ['a dot at the end', `${spring}.`, formatMessage],
      ['31 bytes', `a.${encodeBase64url(new Uint8Array(31).map((_, index) => index))}`, formatMessage],
      ['33 bytes', `a.${encodeBase64url(new Uint8Array(33).map((_, index) => index))}`, formatMessage],
      ['padding', `a.${material}=`, formatMessage],
      ['spare bits', `a.${material.slice(0, -1)}9`, formatMessage],
      ['plain base64', `a.${material.slice(0, -2)}+/`, formatMessage],
      ['hexadecimal', `a.${'00112233'.repeat(8)}`, formatMessage],
      ['keys separated by commas', `${spring},${winter}`, formatMessage],
      ['quotes around the ring', `"${spring}"`, formatMessage],
      ['a good key and a bad one', `${spring} nonsense`, formatMessage],
      [
        'zeros for a key',
        `a.${'A'.repeat(43)}`,
        'sealingKeys must be random. Generate new keys with the command `keys`.',
      ],
      [
        'seven different bytes for a key',
        `a.${encodeBase64url(new Uint8Array(32).map((_, index) => index % 7))}`,
        'sealingKeys must be random. Generate new keys with the command `keys`.',
      ],
      [
        'an ID twice',
        `${spring} 2027-spring.${winter.slice(12)}`,
        'sealingKeys must not contain the same key or key ID twice.',
      ],
      [
        'a key with two IDs',
        `${spring} other.${material}`,
        'sealingKeys must not contain the same key or key ID twice.',
      ],
      [
        'the same key twice',
        `${spring} ${spring}`,
        'sealingKeys must not contain the same key or key ID twice.',
      ],
    ])('refuses %s, names the option and shows no key', (_, text, message) => {
      const error = captureError(text);
      expect(error.option).toBe('sealingKeys');
      expect(error.message).toBe(message);
      expect(error.cause).toBeUndefined();
    });

    it('fails only with a ConfigurationError, whatever is passed', () => {
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
    it('generates 32 bytes in the format of a ring', () => {
      const requestedLengths: number[] = [];
      const key = generateKey('2027-spring', (length) => {
        requestedLengths.push(length);
        return Uint8Array.from({ length }, (_, index) => index);
      });
      expect(key).toBe('2027-spring.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
      expect(requestedLengths).toEqual([32]);
    });

    it('generates keys that a ring accepts, with the platform’s randomness by default', () => {
      const keys = Array.from({ length: 50 }, (_, index) => generateKey(`key-${index}`));
      expect(parseKeyRing(keys.join(' ')).keys.size).toBe(50);
    });

    it.each(['', 'Spring', 'a b', 'a.b', 'abcdefghij-456789', 'é', 'a\n'])('refuses the ID %j', (id) => {
      expect(() => generateKey(id, (length) => new Uint8Array(length))).toThrow(
        new ConfigurationError('sealingKeys', 'must have IDs of 1 to 16 characters: a-z, 0-9 and hyphens.'),
      );
    });
  });
});

describe('key prefixes', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

  const sealedWith = (keyId: string, plaintext: Uint8Array): Promise<string> => {
    const ring = parseKeyRing(generateKey(keyId, randomBytes));
    return createSealer(ring, { name: 'notes', issuer: 'https://words.example' }).seal(plaintext);
  };

  const keyId = fc.stringMatching(/^[a-z0-9-]{1,16}$/);
  const matchingPrefixes = (sealed: string, id: string): readonly string[] =>
    listSealedPrefixes(id).filter((prefix) => sealed.startsWith(prefix));

  it('match every text that the key sealed', () =>
    fc.assert(
      fc.asyncProperty(keyId, fc.uint8Array({ maxLength: 40 }), async (id, plaintext) => {
        expect(matchingPrefixes(await sealedWith(id, plaintext), id)).toHaveLength(1);
      }),
    ));

  it('match no text that another key sealed', () =>
    fc.assert(
      fc.asyncProperty(keyId, keyId, async (id, other) => {
        fc.pre(id !== other);
        expect(matchingPrefixes(await sealedWith(other, new Uint8Array(8)), id)).toEqual([]);
      }),
    ));

  it.each([
    ['a', 1],
    ['ab', 16],
    ['abc', 4],
    ['2026-11-24', 1],
  ])('have one length and are as few as possible: for %s', (id, count) => {
    const prefixes = listSealedPrefixes(id);
    expect(new Set(prefixes).size).toBe(count);
    expect(new Set(prefixes.map(({ length }) => length)).size).toBe(1);
    expect(prefixes).toHaveLength(count);
  });
});
