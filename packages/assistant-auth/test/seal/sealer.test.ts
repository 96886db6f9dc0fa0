import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../src/oauth/secrets.ts';
import { createSealer, type Opened, type Purpose, parseKeyRing } from '../../src/seal/index.ts';

const older = '2026-11.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const newer = '2027-01.ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8';
const purpose: Purpose = { name: 'notes', issuer: 'https://words.example' };

const sealerOf = (ring: string, of = purpose) => createSealer(parseKeyRing(ring), of);
const bytes = (text: string) => new TextEncoder().encode(text);
const failed = (reason: string) => ({ kind: 'failed', reason });

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((drawn) => Uint8Array.from(drawn));

const readable = ({ kind, ...rest }: Opened<Uint8Array>): string =>
  'value' in rest ? new TextDecoder().decode(rest.value) : kind;

afterEach(() => void vi.restoreAllMocks());

describe('what is sealed', () => {
  it('comes back, with and without context, whatever it is', async () => {
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

  it('is base64url, in the length that its content gives it', async () => {
    const sealer = sealerOf(newer);
    await fc.assert(
      fc.asyncProperty(anyBytes, async (value) => {
        const sealed = await sealer.seal(value);
        expect(sealed).toMatch(/^[\w-]+$/);
        expect(sealed).toHaveLength(Math.ceil((4 / 3) * (30 + '2027-01'.length + value.length)));
      }),
    );
  });

  it('opens in another isolate of the same deployment, as the page’s three lines say', async () => {
    const sealed = await sealerOf(newer).seal(bytes('met at the library'), bytes('row 1'));
    expect(readable(await sealerOf(newer).open(sealed, bytes('row 1')))).toBe('met at the library');
  });

  it('is another text each time, with an IV drawn for it alone', async () => {
    let drawn = 0;
    const asked: number[] = [];
    const sealer = createSealer(parseKeyRing(newer), purpose, (length) => {
      asked.push(length);
      drawn += 1;
      return new Uint8Array(length).fill(drawn);
    });
    const texts = [await sealer.seal(bytes('same')), await sealer.seal(bytes('same'))];
    expect(asked).toEqual([12, 12]);
    expect(texts.map((text) => decodeBase64url(text)?.slice(9, 21))).toEqual([
      new Uint8Array(12).fill(1),
      new Uint8Array(12).fill(2),
    ]);
  });
});

describe('what does not open', () => {
  it('is everything with a bit changed', async () => {
    const sealer = sealerOf(newer);
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.nat(), fc.nat(7), async (value, place, bit) => {
        const sealed = decodeBase64url(await sealer.seal(value, bytes('row'))) ?? new Uint8Array();
        const at = place % sealed.length;
        sealed[at] = (sealed[at] ?? 0) ^ (1 << bit);
        expect(await sealer.open(encodeBase64url(sealed), bytes('row'))).toHaveProperty('kind', 'failed');
      }),
    );
  });

  it('is any text that nobody sealed, and it throws at none', async () => {
    const sealer = sealerOf(`${newer} ${older}`);
    const likely = fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map((tail) => encodeBase64url(Uint8Array.from([1, 7, ...bytes('2027-01'), ...tail])));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), likely), async (text) => {
        expect(await sealer.open(text)).toHaveProperty('kind', 'failed');
      }),
      { numRuns: 1000 },
    );
  });

  it('is one under another context, or none', async () => {
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
    ['a key id longer than the message', [1, 200, ...bytes('2027-01')], 'malformed'],
    ['a key id of no letters', [1, 0], 'unknown-key'],
    ['a key id that only begins alike', [1, 6, ...bytes('2027-0')], 'unknown-key'],
    ['a key id that goes on', [1, 8, ...bytes('2027-01x')], 'unknown-key'],
    ['the right header and nothing right behind it', [1, 7, ...bytes('2027-01')], 'forged'],
  ] as const)('is one with %s', async (_, start, reason) => {
    const tail = reason === 'malformed' && start.length === 1 && start[0] === 1 ? 0 : 60;
    const text = encodeBase64url(Uint8Array.from([...start, ...new Uint8Array(tail)]));
    expect(await sealerOf(newer).open(text)).toEqual(failed(reason));
  });

  it('is one that is too short for IV and tag, by a byte', async () => {
    const sealed = decodeBase64url(await sealerOf(newer).seal(new Uint8Array())) ?? new Uint8Array();
    expect(await sealerOf(newer).open(encodeBase64url(sealed.slice(0, -1)))).toEqual(failed('malformed'));
  });

  it('is one beyond 65,536 characters, which is not read at all', async () => {
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
  const both = sealerOf(`${newer} ${older}`);

  it('seals with the first key, and opens what the other key sealed', async () => {
    const sealed = await both.seal(bytes('new'));
    expect(readable(await sealerOf(newer).open(sealed))).toBe('new');
    expect(await sealerOf(older).open(sealed)).toEqual(failed('unknown-key'));
    expect(readable(await both.open(await sealerOf(older).seal(bytes('old'))))).toBe('old');
  });

  it('opens with the key that is named, and tries no other', async () => {
    await both.seal(bytes('x'));
    const sealed = await sealerOf(older).seal(bytes('old'));
    await both.open(sealed);
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
    await both.open(`${sealed.slice(0, -2)}AA`);
    expect(decrypt).toHaveBeenCalledTimes(1);
  });
});

describe('the derived key', () => {
  it('is derived once for each key of the ring, and cannot be taken out', async () => {
    const deriveKey = vi.spyOn(crypto.subtle, 'deriveKey');
    const sealer = sealerOf(`${newer} ${older}`);
    expect(deriveKey).not.toHaveBeenCalled();
    for (let time = 0; time < 3; time++) await sealer.open(await sealer.seal(bytes('x')));
    expect(deriveKey).toHaveBeenCalledTimes(1);
    const old = await sealerOf(older).seal(bytes('x'));
    deriveKey.mockClear();
    for (let time = 0; time < 3; time++) await sealer.open(old);
    expect(deriveKey).toHaveBeenCalledTimes(1);
    const [, , , extractable] = deriveKey.mock.calls[0] ?? [];
    expect(extractable).toBe(false);
  });

  it('is not derived for what names no key of the ring', async () => {
    const deriveKey = vi.spyOn(crypto.subtle, 'deriveKey');
    const sealer = sealerOf(newer);
    for (const text of ['', 'AQ', await sealerOf(older).seal(bytes('x'))]) await sealer.open(text);
    // One: the older sealer's own.
    expect(deriveKey).toHaveBeenCalledTimes(1);
  });
});
