/** Proof Key for Code Exchange (RFC 7636), S256 only: `plain` does not exist here. */

import { ProtocolError } from './errors.ts';
import { encodeBase64url, timingSafeEqual } from './secrets.ts';

/** A challenge: base64url of a SHA-256 digest, 43 characters. */
export type CodeChallenge = string & { readonly brand: unique symbol };

const challengePattern = /^[A-Za-z0-9_-]{43}$/;
const verifierPattern = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Reads the challenge of an authorization request.
 * @param demand `required` for every client but a GPT Action, whose requests carry none
 * @throws ProtocolError `invalid_request` when it is missing though required, malformed, or of another method
 */
export const parseCodeChallenge = (
  query: URLSearchParams,
  requirement: 'required' | 'optional',
): CodeChallenge | undefined => {
  const challenge = query.get('code_challenge');
  const method = query.get('code_challenge_method');
  if (challenge === null && method === null) {
    if (requirement === 'required') throw new ProtocolError('pkce.missing');
    return undefined;
  }
  // RFC 7636 §4.3 lets a missing method mean `plain`: refused like the word itself.
  if (method !== 'S256') throw new ProtocolError('pkce.method');
  // An empty challenge is a downgrade that hopes to be read as none.
  if (challenge === null || !isChallenge(challenge)) throw new ProtocolError('pkce.challenge');
  return challenge;
};

/**
 * Holds the verifier of a token request against the code's challenge, in both directions (RFC 9700 §2.1.1).
 * @throws ProtocolError `invalid_grant` when either comes without the other, or they do not belong together
 */
export const verifyCodeVerifier = async (
  challenge: string | undefined,
  verifier: string | undefined,
): Promise<void> => {
  if (challenge === undefined && verifier === undefined) return;
  if (challenge === undefined || verifier === undefined || !verifierPattern.test(verifier)) {
    throw new ProtocolError('code.pkce');
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  if (!(await timingSafeEqual(encodeBase64url(new Uint8Array(digest)), challenge)))
    throw new ProtocolError('code.pkce');
};

const isChallenge = (text: string): text is CodeChallenge => challengePattern.test(text);
