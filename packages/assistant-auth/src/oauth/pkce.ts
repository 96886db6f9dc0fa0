/**
 * Proof Key for Code Exchange (RFC 7636). Only S256 is supported, not `plain`. `parseCodeChallenge` and
 * `verifyCodeVerifier` prevent a downgrade at the authorization and at the token endpoint.
 */

import { authorizationError, tokenEndpointError } from './protocol-error.ts';
import { computeDigest, timingSafeEqual } from './secrets.ts';

/** A challenge: base64url of a SHA-256 digest, 43 characters. */
export type CodeChallenge = string & { readonly brand: unique symbol };

const challengePattern = /^[A-Za-z0-9_-]{43}$/;
const verifierPattern = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Reads the code challenge of an authorization request.
 * @param requirement `optional` only for a client that cannot use PKCE, such as a GPT Action
 * @throws ProtocolError `invalid_request` if the challenge is missing but required, is malformed, or has
 *   another method
 */
export const parseCodeChallenge = (
  query: URLSearchParams,
  requirement: 'required' | 'optional',
): CodeChallenge | undefined => {
  const challenge = query.get('code_challenge');
  const method = query.get('code_challenge_method');
  if (challenge === null && method === null) {
    if (requirement === 'required') throw authorizationError('pkce.missing');
    return undefined;
  }
  // A missing method means `plain` (RFC 7636 §4.3), so it is rejected too.
  if (method !== 'S256') throw authorizationError('pkce.method');
  // An empty challenge is not treated as absent: that would allow a downgrade.
  if (challenge === null || !isChallenge(challenge)) throw authorizationError('pkce.challenge');
  return challenge;
};

/**
 * Checks the verifier of a token request against the challenge of the code, in both directions (RFC 9700
 * §2.1.1).
 * @throws ProtocolError `invalid_grant` if only one of the two is present, or if they do not match
 */
export const verifyCodeVerifier = async (
  challenge: string | undefined,
  verifier: string | undefined,
): Promise<void> => {
  if (challenge === undefined && verifier === undefined) return;
  if (challenge === undefined || verifier === undefined || !verifierPattern.test(verifier)) {
    throw tokenEndpointError('code.pkce');
  }
  if (!(await timingSafeEqual(await computeDigest(verifier), challenge)))
    throw tokenEndpointError('code.pkce');
};

const isChallenge = (text: string): text is CodeChallenge => challengePattern.test(text);
