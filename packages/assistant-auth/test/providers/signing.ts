/** Keys and signatures of the issuer in the tests: valid ones, and forged ones. */
import { base64url, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

export type Claims = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** As in a JWKS. */
  readonly published: JWK;
}

/** The start of a JWT whose header has the algorithm first (`{"alg":"`). Too long to occur in random text. */
export const jwtPrefix = 'eyJhbGciOi';

export const generateKey = async (kid: string, algorithm = 'RS256'): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const published = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return { algorithm, kid, privateKey, publicKey, published };
};

export const sign = (claims: Claims, key: SigningKey, header: Claims = {}): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey);

/** An unsecured JWT: a token without a signature (RFC 7519 §6). */
export const createUnsignedToken = async (claims: Claims, alg: string): Promise<string> =>
  `${encode({ alg })}.${encode(claims)}.`;

/** A token whose HMAC key is the public key, which anyone can read. */
export const signWithPublicKey = async (claims: Claims, key: SigningKey): Promise<string> =>
  signWithSecret(claims, await exportSPKI(key.publicKey), key.kid);

export const signWithSecret = (claims: Claims, secret: string, kid: string): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(secret));

/** Replaces the claims of a token, and keeps its signature. */
export const replaceClaims = (token: string, claims: Claims): string => {
  const [header, , signature] = token.split('.');
  return `${header}.${encode(claims)}.${signature}`;
};

const encode = (value: Claims): string => base64url.encode(JSON.stringify(value));
