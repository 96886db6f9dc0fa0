/** Texts that no sealer made: changed, cut, continued, and what never was a token. */
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../../src/oauth/secrets.ts';
import { expectInvalidToken } from '../../expect-error.ts';
import {
  collect,
  deployWithFormPost,
  expectedErrors,
  present,
  type SealedType,
  sealedTypes,
} from './sealed.ts';

const bytesOf = (sealed: string): Uint8Array<ArrayBuffer> => {
  const bytes = decodeBase64url(sealed);
  if (bytes === undefined) throw new Error('nothing that was sealed');
  return bytes;
};

const withFlipped = (sealed: string, at: number, bit: number): string =>
  encodeBase64url(bytesOf(sealed).map((byte, index) => (index === at ? byte ^ (1 << bit) : byte)));

/** Presents every text in its kind's place, and tells that each was refused and storage not asked. */
const expectRefused = async (kind: SealedType, vary: (sealed: string) => readonly string[]) => {
  const { deployment, storage } = deployWithFormPost();
  const sealed = await collect(deployment);
  const before = storage.calls.length;
  const texts = vary(sealed.texts[kind]);
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts)
    expect(await present(deployment, sealed, kind, text)).toMatchObject(expectedErrors[kind]);
  expect(storage.calls).toHaveLength(before);
  // What was refused is the change: unchanged, it still opens.
  const { reason = '' } = await present(deployment, sealed, kind, sealed.texts[kind]);
  expect(reason).not.toContain('unreadable');
};

describe('T1', () => {
  it.each(sealedTypes)('T1.1 every byte flipped: %s does not open with any byte changed', async (kind) => {
    await expectRefused(kind, (sealed) =>
      Array.from(bytesOf(sealed), (_, at) => withFlipped(sealed, at, at % 8)),
    );
  });

  it('T1.1 every bit flipped: the API knows no token with any bit changed, and says the same of all', async () => {
    const { deployment } = deployWithFormPost();
    const { texts } = await collect(deployment);
    const { length } = bytesOf(texts.access);
    for (let at = 0; at < length; at++)
      for (let bit = 0; bit < 8; bit++)
        await expectInvalidToken(deployment, withFlipped(texts.access, at, bit));
    expect(length).toBeGreaterThan(100);
  });
});

const places = sealedTypes.filter((kind) => kind !== 'access');

describe('T3', () => {
  it.each(sealedTypes)(
    'T3.1 truncated: %s does not open without its end, nor its beginning',
    async (kind) => {
      await expectRefused(kind, (sealed) => [
        ...Array.from({ length: sealed.length - 1 }, (_, at) => sealed.slice(0, at + 1)),
        ...[1, 2, 3, 4].map((at) => sealed.slice(at)),
      ]);
    },
  );

  it.each(sealedTypes)('T3.2 extended: %s does not open with anything before or after it', async (kind) => {
    await expectRefused(kind, (sealed) => [
      ...['A', 'AA', 'AAA', 'AAAA', sealed].map((more) => sealed + more),
      `AAAA${sealed}`,
      encodeBase64url(Uint8Array.from([...bytesOf(sealed), 0])),
    ]);
  });

  it.each([
    ['refresh', 'refresh.missing'],
    ['code', 'code.missing'],
    ['consent', 'consent.unreadable'],
    ['transaction', 'transaction.unreadable'],
    ['answer', 'form-post.missing'],
  ] as const)('T3.3 empty: nothing is no %s', async (kind, reason) => {
    const { deployment } = deployWithFormPost();
    const sealed = await collect(deployment);
    expect(await present(deployment, sealed, kind, '')).toMatchObject({ status: 400, reason });
  });

  it.each(places)('T3.4 huge: 15,000 characters are no %s', async (kind) => {
    await expectRefused(kind, (sealed) => ['A'.repeat(15_000), sealed.padEnd(15_000, 'A')]);
  });

  it.each([
    ['refresh', 413, 'request.too-large'],
    ['code', 413, 'request.too-large'],
    ['consent', 413, 'request.too-large'],
    ['transaction', 400, 'transaction.unreadable'],
    ['answer', 400, 'form-post.unreadable'],
  ] as const)('T3.4 huge: 100,000 characters are refused as %s with %i', async (kind, status, reason) => {
    const { deployment, storage } = deployWithFormPost();
    const sealed = await collect(deployment);
    const before = storage.calls.length;
    const huge = sealed.texts[kind].padEnd(100_000, 'A');
    expect(await present(deployment, sealed, kind, huge)).toMatchObject({ status, reason });
    expect(storage.calls).toHaveLength(before);
  });

  it.each(places)('T3.5 not base64url: %s has one spelling', async (kind) => {
    await expectRefused(kind, (sealed) => [
      ...['=', '==', '%3D', '.', '~', '%', '+', '/'].map((odd) => sealed + odd),
      ...['+', '/', '=', '.', '%'].map((odd) => sealed.slice(0, 40) + odd + sealed.slice(41)),
    ]);
  });

  it.each([
    ['T3.3 empty', '', 'token.malformed'],
    ['T3.4 huge: 5,000 characters', 'A'.repeat(5000), 'token.malformed'],
    ['T3.4 huge: a million characters', 'A'.repeat(1_000_000), 'token.malformed'],
    ['T3.5 not base64url: padding', 'AAAA=', 'token.malformed'],
    ['T3.5 not base64url: base64', 'AA+/', 'token.malformed'],
    ['T3.5 not base64url: letters of elsewhere', 'AA\u00e4A', 'token.malformed'],
    ['T3.5 not base64url: a JWT', 'e30.e30.AAAA', 'token.malformed'],
    ['T3.5 not base64url: an impossible length', 'AAAAA', 'token.unreadable'],
    ['T3.6 Bearer %', '%', 'token.malformed'],
    ['T3.6 Bearer %: half an escape', '%4', 'token.malformed'],
    ['T3.6 Bearer %: a NUL', '%00', 'token.malformed'],
    ['T3.6 Bearer %: an escaped letter', '%41AAA', 'token.malformed'],
  ])('%s is no token', async (_, token, reason) => {
    const { deployment, storage } = deployWithFormPost();
    await expectInvalidToken(deployment, token);
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', endpoint: 'protect', reason });
    expect(storage.calls).toEqual([]);
  });
});
