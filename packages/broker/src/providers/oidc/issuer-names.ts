/** The names of an issuer that goes by several: one for each of its tenants, as Microsoft does. */
import type { AuthorizationServer } from 'oauth4webapi';
import { decodeBase64url } from '../../protocol/base64url.ts';

export interface IssuerNames {
  /** What its metadata call it: one of the names, or the pattern of all. */
  readonly inMetadata: string;
  /** Tells whether tokens and answers under this name are the issuer's. */
  readonly isOne: (name: string) => boolean;
}

/** The metadata under the name that is claimed. Under any other, the pattern of all names included, nothing fits them. */
export const underName = (
  server: AuthorizationServer,
  names: IssuerNames | undefined,
  claimed: unknown,
): AuthorizationServer => {
  if (names === undefined) return server;
  return { ...server, issuer: typeof claimed === 'string' && names.isOne(claimed) ? claimed : nobodysName };
};

/** An issuer identifier is an https URL. */
const nobodysName = 'about:blank';

/** Reads whom a token claims to be from. Nothing is verified yet. */
export const issuerIn = (token: string): unknown => {
  try {
    const claims = decodeBase64url(token.split('.')[1] ?? '');
    return Object(JSON.parse(new TextDecoder().decode(claims))).iss;
  } catch {
    // Whatever is wrong with it, the library says when it reads the same.
    return undefined;
  }
};
