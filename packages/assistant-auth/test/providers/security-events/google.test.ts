/** The names of a refresh token: Google's own are found among those that were stored, and nothing stored can be used. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { google } from '../../../src/index.ts';
import {
  computeGoogleTokenIdentifiers,
  parseGoogleTokenIdentifier,
} from '../../../src/providers/security-events/google.ts';
import { callback, clientId, clientSecret, createIssuer, upstreamRequest } from '../hostile-issuer.ts';
import { doubleHash } from './double-hash.ts';

const theirs = '1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789';

test('a token is found by its first 16 characters, and by its double digest in any base64', async () => {
  const [start, digest] = await computeGoogleTokenIdentifiers(theirs);
  expect(await parseGoogleTokenIdentifier('prefix', theirs.slice(0, 16))).toBe(start);
  const hash = await doubleHash(theirs);
  for (const spelling of [
    hash,
    hash.replaceAll('=', ''),
    hash.replaceAll('+', '-').replaceAll('/', '_'),
    hash.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
  ])
    expect(await parseGoogleTokenIdentifier('hash_base64_sha512_sha512', spelling)).toBe(digest);
});

test('what is no name of a token finds none', async () => {
  for (const [algorithm, named] of [
    ['prefix', undefined],
    ['prefix', 7],
    ['hash_base64_sha256', 'x'],
    [undefined, theirs],
  ])
    expect(await parseGoogleTokenIdentifier(algorithm, named)).toBeUndefined();
});

test('names are 43 characters, and tell nothing of the token', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ minLength: 20 }), fc.string({ minLength: 20 }), async (one, other) => {
      const [names, others] = [
        await computeGoogleTokenIdentifiers(one),
        await computeGoogleTokenIdentifiers(other),
      ];
      for (const name of names) expect(name).toMatch(/^[\w-]{43}$/);
      expect(names[0] === others[0]).toBe(one.slice(0, 16) === other.slice(0, 16));
      expect(names[1] === others[1]).toBe(one === other);
      expect(names[0]).not.toBe(names[1]);
    }),
    { numRuns: 50 },
  ));

test('they come with every token of Google’s, and without one there are none', async () => {
  const issuer = createIssuer('https://accounts.google.com');
  const provider = google({ clientId, clientSecret });
  const identity = await provider.handleCallback(callback(), upstreamRequest, issuer.io);
  expect(identity.tokenIdentifiers).toEqual(await computeGoogleTokenIdentifiers('their-refresh-token'));
  issuer.override({ tokens: { refresh_token: 'their-next' } });
  const rotated = {
    refreshToken: 'their-next',
    tokenIdentifiers: await computeGoogleTokenIdentifiers('their-next'),
  };
  expect(await provider.validateRefreshToken(theirs, issuer.io)).toEqual({ kind: 'active', ...rotated });
  issuer.override({ tokens: { refresh_token: undefined } });
  expect(await provider.handleCallback(callback(), upstreamRequest, issuer.io)).not.toHaveProperty(
    'tokenIdentifiers',
  );
  expect(await provider.validateRefreshToken(theirs, issuer.io)).toEqual({ kind: 'active' });
});
