/** Reads the claims of JSON Web Tokens (RFC 7519 §3) whose signature is verified later. */
import { decodeBase64url } from './secrets.ts';

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
