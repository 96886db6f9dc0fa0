/** The promise of docs/sealed-tokens.md: the page, the code, and what somebody else would write from the page agree. */
import { describe, expect, it } from 'vitest';
import { type Codec, decode, encode } from '../../src/seal/codec.ts';
import { createSealer, type Purpose, parseKeyRing } from '../../src/seal/index.ts';
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
import * as byThePage from './reference-decoder.ts';
import { messageVectors, payloadVectors } from './vectors.ts';

const { fromHex, toHex } = byThePage;

/** What the code writes for a value, and what it reads from bytes, written again. */
const runBatch =
  <Value>(codec: Codec<Value>) =>
  (bytes: string) => {
    const value = decode(codec, fromHex(bytes));
    return { value, written: toHex(encode(codec, value)) };
  };

const codecs: Readonly<
  Record<string, (bytes: string) => { readonly value: object; readonly written: string }>
> = {
  access: runBatch(accessToken),
  refresh: runBatch(refreshToken),
  code: runBatch(authorizationCode),
  consent: runBatch(consent),
  transaction: runBatch(transaction),
  completion: runBatch(completion),
  'form-post': runBatch(formPost),
  session: runBatch(session),
  'account-form': runBatch(accountForm),
  'pending-link': runBatch(pendingLink),
};

describe('the payload vectors', () => {
  it('are of every sealed type, in the order of the page', () => {
    expect(payloadVectors.map(({ purpose }) => purpose)).toEqual(Object.keys(codecs));
  });

  it.each(payloadVectors)('are what the code reads and writes: $purpose', ({ purpose, value, bytes }) => {
    expect(codecs[purpose]?.(bytes)).toEqual({ value, written: bytes });
  });

  it('are what the page’s words make of an access token', () => {
    const { text, list, uint } = byThePage;
    const [vector] = payloadVectors;
    const token = decode(accessToken, fromHex(vector?.bytes ?? ''));
    const { userId, grantId, clientId, scopes, claims, issuedAt, expiresAt } = token;
    const written = [text(userId), text(grantId), text(clientId), list(scopes), text(JSON.stringify(claims))];
    expect([...written, uint(issuedAt), uint(expiresAt)].join('')).toBe(vector?.bytes);
  });

  it('are what the page’s words make of the request in a consent', () => {
    const { text, list, optional } = byThePage;
    const { request } = decode(consent, fromHex(payloadVectors[3]?.bytes ?? ''));
    const { clientId, redirectUri, state, scopes, resource, codeChallenge } = request;
    const written = text(clientId) + text(redirectUri) + optional(state) + list(scopes) + text(resource);
    expect(toHex(encode(authorizationRequest, request))).toBe(written + optional(codeChallenge));
  });
});

describe.each(messageVectors)('the message vector for $purpose.name', (vector) => {
  const sealerFor = (purpose: Purpose = vector.purpose) =>
    createSealer(parseKeyRing(vector.ring), purpose, (length) => fromHex(vector.iv).slice(0, length));
  const context = fromHex(vector.context);

  it('is what the code seals', async () => {
    expect(await sealerFor().seal(fromHex(vector.plaintext), context)).toBe(vector.sealed);
  });

  it('is what the code opens', async () => {
    const value = fromHex(vector.plaintext);
    expect(await sealerFor().open(vector.sealed, context)).toEqual({ kind: 'opened', value });
  });

  it('is what the page’s words derive and open', async () => {
    const rootKey = fromHex(toHex(rootKeyOf(vector.ring)));
    expect(byThePage.info(vector.purpose)).toBe(vector.info);
    expect(await byThePage.derive(rootKey, vector.info)).toBe(vector.derivedKey);
    expect(await byThePage.open(vector.sealed, vector.derivedKey, vector.context)).toBe(vector.plaintext);
  });

  it('has the length that the page says', () => {
    const keyId = vector.ring.split('.')[0] ?? '';
    const bytes = 30 + keyId.length + fromHex(vector.plaintext).length;
    expect(vector.sealed).toHaveLength(Math.ceil((4 / 3) * bytes));
  });

  it('opens for nothing else', async () => {
    const { name, issuer, audience } = vector.purpose;
    const others: readonly Purpose[] = [
      { ...vector.purpose, name: `${name}x` },
      { ...vector.purpose, issuer: `${issuer}.evil` },
      { ...vector.purpose, audience: `${audience ?? ''}x` },
      // Parts that run into each other when written without their lengths.
      { ...vector.purpose, name: name.slice(0, -1), issuer: name.slice(-1) + issuer },
      audience === undefined ? { name, issuer, audience: '' } : { name, issuer },
    ];
    for (const other of others)
      expect(await sealerFor(other).open(vector.sealed, context)).toEqual({
        kind: 'failed',
        reason: 'forged',
      });
    const elsewhere = fromHex(`${vector.context}00`);
    expect(await sealerFor().open(vector.sealed, elsewhere)).toEqual({ kind: 'failed', reason: 'forged' });
  });
});

const rootKeyOf = (ring: string): Uint8Array => {
  const [, key = ''] = /^[^.]+\.(\S+)/.exec(ring) ?? [];
  return Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );
};
