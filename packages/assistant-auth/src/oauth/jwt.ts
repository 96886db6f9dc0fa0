/**
 * JSON Web Tokens (RFC 7519): the signature algorithms that are accepted, and the claims of a token whose
 * signature is verified later.
 */
import { decodeBase64url } from './secrets.ts';

/**
 * The algorithms that are accepted, all of them asymmetric. No `none`. No HS*: its key would be the client
 * secret, or a public key that an attacker uses as the secret.
 */
export const asymmetricAlgorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export const isAsymmetricAlgorithm = (name: unknown): name is string =>
  typeof name === 'string' && asymmetricAlgorithms.includes(name);

/** The claims of a token, or the members of another JSON object from a provider. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Reads the claims of a signed token before its signature is verified.
 * @returns `undefined` if the payload is not JSON, for example if the token is encrypted
 */
export const readUnverifiedClaims = (token: string): Claims | undefined => {
  try {
    const payload = decodeBase64url(token.split('.')[1] ?? '');
    return Object(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    return undefined;
  }
};
