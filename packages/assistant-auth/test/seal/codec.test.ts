/** The bytes of sealed values, as docs/explanation/sealed-tokens.md specifies them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Codec,
  decode,
  encode,
  flag,
  json,
  list,
  optional,
  record,
  text,
  trailingFlag,
  uint,
} from '../../src/seal/codec.ts';
import { type Purpose, parseKeyRing } from '../../src/seal/index.ts';
import { createSealer } from '../../src/seal/sealer.ts';
import {
  accessToken,
  accountForm,
  authorizationCode,
  authorizationRequest,
  completion,
  consent,
  formPost,
  pendingLink,
  refreshToken,
  session,
  transaction,
} from '../../src/tokens/sealed-types.ts';
import * as referenceDecoder from './reference-decoder.ts';
import { messageVectors, payloadVectors } from './vectors.ts';

describe('codecs', () => {
  const bytes = (...values: readonly number[]) => Uint8Array.from(values);

  const recordCodec = record({
    name: text,
    count: uint,
    tags: list(text),
    note: optional(text),
    isLast: flag,
    more: list(list(uint)),
  });
  type RecordValue = Parameters<(typeof recordCodec)['write']>[0];

  const anyText = fc.string({ unit: 'binary' });
  const recordValue: fc.Arbitrary<RecordValue> = fc.record({
    name: anyText,
    count: fc.maxSafeNat(),
    tags: fc.array(anyText),
    note: fc.option(anyText, { nil: undefined }),
    isLast: fc.boolean(),
    more: fc.array(fc.array(fc.maxSafeNat())),
  });

  describe('a payload', () => {
    it('is read as it was written', () => {
      fc.assert(
        fc.property(recordValue, (value) => {
          expect(decode(recordCodec, encode(recordCodec, value))).toEqual(value);
        }),
      );
    });

    it('has exactly one encoding for each value', () => {
      fc.assert(
        fc.property(recordValue, fc.nat(), fc.nat(255), (original, position, byte) => {
          const changedBytes = encode(recordCodec, original);
          changedBytes[position % changedBytes.length] = byte;
          const value = tryDecode(recordCodec, changedBytes);
          expect(value === undefined ? changedBytes : encode(recordCodec, value)).toEqual(changedBytes);
        }),
        { numRuns: 5000 },
      );
    });

    it('refuses truncated bytes', () => {
      fc.assert(
        fc.property(recordValue, fc.nat(), (value, end) => {
          const encoded = encode(recordCodec, value);
          expect(() => decode(recordCodec, encoded.slice(0, end % encoded.length))).toThrow();
        }),
      );
    });

    it('refuses trailing bytes', () => {
      fc.assert(
        fc.property(recordValue, fc.uint8Array({ minLength: 1, maxLength: 3 }), (value, tail) => {
          const encoded = encode(recordCodec, value);
          expect(() => decode(recordCodec, bytes(...encoded, ...tail))).toThrow();
        }),
      );
    });

    it('encodes fields in order, without names', () => {
      const value = {
        name: 'é',
        count: 300,
        tags: ['a', 'bc'],
        note: undefined,
        isLast: false,
        more: [[1], []],
      };
      expect(encode(recordCodec, value)).toEqual(
        bytes(2, 0xc3, 0xa9, 0xac, 2, 2, 1, 0x61, 2, 0x62, 0x63, 0, 0, 2, 1, 1, 0),
      );
    });
  });

  describe('uint', () => {
    it.each([
      [0, [0]],
      [1, [1]],
      [127, [0x7f]],
      [128, [0x80, 1]],
      [16_383, [0xff, 0x7f]],
      [16_384, [0x80, 0x80, 1]],
      [1_800_000_000, [0x80, 0xa4, 0xa7, 0xda, 6]],
      [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
      [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ])('writes %d', (value, expected) => {
      expect(encode(uint, value)).toEqual(bytes(...expected));
      expect(decode(uint, bytes(...expected))).toBe(value);
    });

    it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses to write %d', (value) => {
      expect(() => encode(uint, value)).toThrow(new RangeError(`not a whole number: ${value}`));
    });

    it.each([
      ['zero in two bytes', [0x80, 0]],
      ['one in three bytes', [0x81, 0x80, 0]],
      ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
      ['nine bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
      ['a number that never ends', [0xff, 0xff]],
      ['no bytes', []],
    ])('refuses to read %s', (_, input) => {
      expect(() => decode(uint, bytes(...input))).toThrow(RangeError);
    });
  });

  describe('text', () => {
    it.each(['', 'plain', '\x7f', '\x80', 'é', 'aé', '日本', '🔑', '\ufeffmarked', '\0'])(
      'keeps %j',
      (value) => {
        expect(decode(text, encode(text, value))).toBe(value);
      },
    );

    it('keeps a long text', () => {
      const long = 'x'.repeat(20_000);
      expect(decode(text, encode(text, long))).toBe(long);
    });

    it('refuses to write a lone surrogate, which would be read as another character', () => {
      expect(() => encode(text, 'a\ud800')).toThrow(new RangeError('not well-formed text'));
    });

    it.each([
      ['a byte that starts no character', [1, 0x80]],
      ['an overlong slash', [2, 0xc0, 0xaf]],
      ['a surrogate', [3, 0xed, 0xa0, 0x80]],
      ['a truncated character', [1, 0xc3]],
      ['a length beyond the end', [5, 0x61]],
      ['an absurd length', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x61]],
    ])('refuses to read %s', (_, input) => {
      expect(() => decode(text, bytes(...input))).toThrow();
    });
  });

  describe('flag', () => {
    it('is one byte, 0 or 1', () => {
      expect([encode(flag, false), encode(flag, true)]).toEqual([bytes(0), bytes(1)]);
      expect(() => decode(flag, bytes(2))).toThrow(RangeError);
    });
  });

  describe('optional', () => {
    it('distinguishes an absent value from an empty text', () => {
      expect(encode(optional(text), undefined)).toEqual(bytes(0));
      expect(encode(optional(text), '')).toEqual(bytes(1, 0));
    });

    it('refuses markers other than 0 and 1', () => {
      expect(() => decode(optional(text), bytes(2, 0))).toThrow(RangeError);
    });
  });

  describe('a trailing flag', () => {
    const before = record({ name: text });
    const flagged = record({ name: text, isSpecial: trailingFlag });

    it('takes a byte only if it is true', () => {
      expect(encode(flagged, { name: 'a', isSpecial: false })).toEqual(bytes(1, 0x61));
      expect(encode(flagged, { name: 'a', isSpecial: true })).toEqual(bytes(1, 0x61, 1));
      for (const isSpecial of [false, true])
        expect(decode(flagged, encode(flagged, { name: 'a', isSpecial }))).toEqual({ name: 'a', isSpecial });
    });

    it('is false in what was written before it was added', () => {
      expect(decode(flagged, encode(before, { name: 'a' }))).toEqual({ name: 'a', isSpecial: false });
      expect(decode(before, encode(flagged, { name: 'a', isSpecial: false }))).toEqual({ name: 'a' });
      expect(() => decode(before, encode(flagged, { name: 'a', isSpecial: true }))).toThrow(RangeError);
    });

    it.each([[[0]], [[2]], [[1, 0]], [[1, 1]]])('refuses to read the bytes %j', (tail) => {
      expect(() => decode(flagged, bytes(1, 0x61, ...tail))).toThrow(RangeError);
    });
  });

  describe('list', () => {
    it('refuses an absurd length', () => {
      const input = bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);
      expect(() => decode(list(uint), input)).toThrow(RangeError);
    });
  });

  describe('json', () => {
    it('keeps every JSON value', () => {
      fc.assert(
        fc.property(fc.jsonValue(), (value) => {
          const decoded = decode(json<unknown>(), encode(json<unknown>(), value));
          expect(JSON.stringify(decoded)).toBe(JSON.stringify(value));
        }),
      );
    });

    it.each(['', '{', '{"a":1}x', 'undefined'])('refuses to read %j', (value) => {
      expect(() => decode(json<unknown>(), encode(text, value))).toThrow();
    });
  });

  const tryDecode = <Value>(codec: Codec<Value>, input: Uint8Array<ArrayBuffer>): Value | undefined => {
    try {
      return decode(codec, input);
    } catch {
      return undefined;
    }
  };
});

describe('test vectors', () => {
  const { fromHex, toHex } = referenceDecoder;

  /** Decodes the bytes, and encodes the value again. */
  const reencode =
    <Value>(codec: Codec<Value>) =>
    (bytes: string) => {
      const value = decode(codec, fromHex(bytes));
      return { value, written: toHex(encode(codec, value)) };
    };

  const codecs: Readonly<
    Record<string, (bytes: string) => { readonly value: object; readonly written: string }>
  > = {
    access: reencode(accessToken),
    refresh: reencode(refreshToken),
    code: reencode(authorizationCode),
    consent: reencode(consent),
    transaction: reencode(transaction),
    completion: reencode(completion),
    'form-post': reencode(formPost),
    session: reencode(session),
    'account-form': reencode(accountForm),
    'pending-link': reencode(pendingLink),
  };

  describe('the payload vectors', () => {
    it('cover every sealed type, in the order of docs/explanation/sealed-tokens.md', () => {
      const purposes = payloadVectors.map(({ purpose }) => purpose);
      expect([...new Set(purposes)]).toEqual(Object.keys(codecs));
    });

    it.each(payloadVectors)('match what the code reads and writes: $purpose', ({ purpose, value, bytes }) => {
      expect(codecs[purpose]?.(bytes)).toEqual({ value, written: bytes });
    });

    it.each([0, 1])('match the documented encoding of an access token: vector %i', (index) => {
      const { text, list, uint, trailingFlag } = referenceDecoder;
      const vector = payloadVectors[index];
      const token = decode(accessToken, fromHex(vector?.bytes ?? ''));
      const { userId, grantId, clientId, scopes, claims, issuedAt, expiresAt, isChatGptMcpClient } = token;
      const written = [
        text(userId),
        text(grantId),
        text(clientId),
        list(scopes),
        text(JSON.stringify(claims)),
      ];
      expect(isChatGptMcpClient).toBe(index === 1);
      expect([...written, uint(issuedAt), uint(expiresAt), trailingFlag(isChatGptMcpClient)].join('')).toBe(
        vector?.bytes,
      );
    });

    it('match the documented encoding of the request in a consent and in a login transaction', () => {
      const { text, list, optional, optionalUint, flag } = referenceDecoder;
      const { request } = decode(consent, fromHex(payloadVectors[4]?.bytes ?? ''));
      const { purpose } = decode(transaction, fromHex(payloadVectors[5]?.bytes ?? ''));
      if (purpose.kind !== 'authorize') throw new Error(`the purpose is ${purpose.kind}`);
      for (const one of [request, purpose.request]) {
        const { clientId, redirectUri, state, scopes, resource, codeChallenge, maxAge, selectAccount } = one;
        const written = text(clientId) + text(redirectUri) + optional(state) + list(scopes) + text(resource);
        expect(toHex(encode(authorizationRequest, one))).toBe(
          written + optional(codeChallenge) + optionalUint(maxAge) + flag(selectAccount),
        );
      }
    });
  });

  describe.each(messageVectors)('the message vector for $purpose.name', (vector) => {
    const sealerFor = (purpose: Purpose = vector.purpose) =>
      createSealer(parseKeyRing(vector.ring), purpose, (length) => fromHex(vector.iv).slice(0, length));
    const context = fromHex(vector.context);

    it('matches what the code seals', async () => {
      expect(await sealerFor().seal(fromHex(vector.plaintext), context)).toBe(vector.sealed);
    });

    it('matches what the code opens', async () => {
      const value = fromHex(vector.plaintext);
      expect(await sealerFor().open(vector.sealed, context)).toEqual({ kind: 'opened', value });
    });

    it('matches the documented derivation and opening', async () => {
      const rootKey = fromHex(toHex(rootKeyOf(vector.ring)));
      expect(referenceDecoder.info(vector.purpose)).toBe(vector.info);
      expect(await referenceDecoder.derive(rootKey, vector.info)).toBe(vector.derivedKey);
      expect(await referenceDecoder.open(vector.sealed, vector.derivedKey, vector.context)).toBe(
        vector.plaintext,
      );
    });

    it('has the documented length', () => {
      const keyId = vector.ring.split('.')[0] ?? '';
      const bytes = 30 + keyId.length + fromHex(vector.plaintext).length;
      expect(vector.sealed).toHaveLength(Math.ceil((4 / 3) * bytes));
    });

    it('opens for no other purpose', async () => {
      const { name, issuer, audience } = vector.purpose;
      const otherPurposes: readonly Purpose[] = [
        { ...vector.purpose, name: `${name}x` },
        { ...vector.purpose, issuer: `${issuer}.evil` },
        { ...vector.purpose, audience: `${audience ?? ''}x` },
        // Without the length prefixes, these parts would be the same bytes.
        { ...vector.purpose, name: name.slice(0, -1), issuer: name.slice(-1) + issuer },
        audience === undefined ? { name, issuer, audience: '' } : { name, issuer },
      ];
      for (const otherPurpose of otherPurposes)
        expect(await sealerFor(otherPurpose).open(vector.sealed, context)).toEqual({
          kind: 'failed',
          reason: 'forged',
        });
      const otherContext = fromHex(`${vector.context}00`);
      expect(await sealerFor().open(vector.sealed, otherContext)).toEqual({
        kind: 'failed',
        reason: 'forged',
      });
    });
  });

  const rootKeyOf = (ring: string): Uint8Array => {
    const [, key = ''] = /^[^.]+\.(\S+)/.exec(ring) ?? [];
    return Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
  };
});
