/** How Google names a refresh token in its events. What is stored are digests, so that the names say nothing of a token either. */
import { encodeBase64url } from '../../protocol/base64url.ts';
import type { TokenNames } from '../../protocol/identity.ts';

/** Both names under which Google may speak of a token. */
export const googleTokenNames = async (refreshToken: string): Promise<TokenNames> => {
  const twice = await digest('SHA-512', await digest('SHA-512', encoder.encode(refreshToken)));
  return [
    await nameOf('prefix', refreshToken.slice(0, 16)),
    await nameOf(doubleHash, encodeBase64url(twice)),
  ];
};

/** The name as it is stored; `undefined` for one in words that are new. */
export const googleTokenName = async (algorithm: unknown, named: unknown): Promise<string | undefined> => {
  if (typeof named !== 'string') return undefined;
  switch (algorithm) {
    case 'prefix':
      return nameOf('prefix', named);
    case doubleHash:
      // Whether base64 or base64url, with padding or without, Google does not say.
      return nameOf(doubleHash, named.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
    default:
      return undefined;
  }
};

const doubleHash = 'hash_base64_sha512_sha512';

const encoder = new TextEncoder();

const nameOf = async (algorithm: string, named: string): Promise<string> =>
  encodeBase64url(await digest('SHA-256', encoder.encode(`${algorithm} ${named}`)));

const digest = async (algorithm: string, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
