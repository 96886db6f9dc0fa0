/**
 * The tokens of the fake provider. ID tokens are signed with a key that exists only in memory (OpenID Connect
 * Core §2). Access and refresh tokens are JWTs that only the provider reads, signed with the client secret,
 * so that they stay valid when the process is restarted: otherwise, the next recheck after a restart would
 * revoke every grant.
 */
import { calculateJwkThumbprint, errors, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import type { Clock, EpochSeconds, Seconds } from '../../oauth/identifiers.ts';
import { computeDigest, randomId, systemRandom } from '../../oauth/secrets.ts';

/** What a user granted to the broker. */
export interface TokenGrant {
  readonly subject: string;
  /** Separated by spaces. Can be empty. */
  readonly scope: string;
  /** When the user signed in. */
  readonly authTime: EpochSeconds;
}

type TokenKind = 'access' | 'refresh';

export interface Tokens {
  /** Issues an access token or a refresh token. A refresh token does not expire. */
  issue(kind: TokenKind, grant: TokenGrant): Promise<string>;
  /** Returns the grant of a token; `undefined` if it is not valid, has expired or was revoked. */
  verify(kind: TokenKind, token: string): Promise<TokenGrant | undefined>;
  /** Revokes all tokens that were issued for a user until now. */
  revoke(subject: string): void;
  /** Signs an ID token with these claims of the user. */
  signIdToken(grant: TokenGrant, claims: object): Promise<string>;
  /** Returns the public key that verifies ID tokens, as a JWK (RFC 7517). */
  readKey(): Promise<object>;
}

/** How long access tokens and ID tokens are valid. */
export const tokenLifetime: Seconds = 3600;

interface TokenOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly now: Clock;
}

const algorithm = 'ES256';

export const createTokens = ({ issuer, clientId, clientSecret, now }: TokenOptions): Tokens => {
  const secret = new TextEncoder().encode(clientSecret);
  /** For each user whose access was revoked, the IDs of the tokens that were issued afterwards. */
  const issuedSinceRevocation = new Map<string, Set<string>>();
  let signingKey: Awaited<ReturnType<typeof generateSigningKey>> | undefined;
  // Caches the value, not the promise: on Workers, one request must not wait for a promise of another.
  const getSigningKey = async () => {
    const generated = signingKey ?? (await generateSigningKey());
    signingKey ??= generated;
    return signingKey;
  };
  const prepare = (claims: object, subject: string) =>
    new SignJWT({ ...claims }).setIssuer(issuer).setAudience(clientId).setSubject(subject).setIssuedAt(now());

  return {
    async issue(kind, { subject, scope, authTime }) {
      const jti = randomId(systemRandom);
      issuedSinceRevocation.get(subject)?.add(jti);
      const token = prepare({ jti, scope, auth_time: authTime }, subject);
      if (kind === 'access') token.setExpirationTime(now() + tokenLifetime);
      return token.setProtectedHeader({ alg: 'HS256', typ: `${kind}+jwt` }).sign(secret);
    },
    async verify(kind, token) {
      const claims = await verifyToken(token, secret, {
        ...{ issuer, audience: clientId, algorithms: ['HS256'], typ: `${kind}+jwt` },
        currentDate: new Date(now() * 1000),
      });
      const { jti = '', sub: subject = '', scope, auth_time: authTime } = claims ?? {};
      if (typeof scope !== 'string' || typeof authTime !== 'number') return undefined;
      const isRevoked = issuedSinceRevocation.get(subject)?.has(jti) === false;
      return isRevoked ? undefined : { subject, scope, authTime };
    },
    revoke(subject) {
      issuedSinceRevocation.set(subject, new Set());
    },
    async signIdToken({ subject, authTime }, claims) {
      const { privateKey, kid } = await getSigningKey();
      return prepare({ ...claims, auth_time: authTime }, subject)
        .setExpirationTime(now() + tokenLifetime)
        .setProtectedHeader({ alg: algorithm, kid })
        .sign(privateKey);
    },
    async readKey() {
      const { publicJwk, kid } = await getSigningKey();
      return { ...publicJwk, kid, alg: algorithm, use: 'sig' };
    },
  };
};

const generateSigningKey = async () => {
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const publicJwk = await exportJWK(publicKey);
  return { privateKey, publicJwk, kid: await calculateJwkThumbprint(publicJwk) };
};

/** Returns `undefined` for every token that this provider did not issue for this purpose. */
const verifyToken = async (
  token: string,
  secret: Uint8Array,
  expected: Parameters<typeof jwtVerify>[2],
): Promise<Awaited<ReturnType<typeof jwtVerify>>['payload'] | undefined> => {
  try {
    return (await jwtVerify(token, secret, expected)).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
};

/** Returns the stable `sub` of a user: 22 characters, derived from the email address. */
export const computeSubject = async (email: string): Promise<string> =>
  (await computeDigest(email)).slice(0, 22);
