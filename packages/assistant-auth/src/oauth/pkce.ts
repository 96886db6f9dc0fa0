/** Proof Key for Code Exchange (RFC 7636), S256 only: `plain` does not exist here. */
import { encodeBase64url } from './base64url.ts';
import { Refusal } from './errors.ts';
import { sameSecret } from './secrets.ts';

/** A challenge: base64url of a SHA-256 digest, 43 characters. */
export type CodeChallenge = string & { readonly brand: unique symbol };

const challengeShape = /^[A-Za-z0-9_-]{43}$/;
const verifierShape = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Reads the challenge of an authorization request.
 * @param demand `required` for every client but a GPT Action, whose requests carry none
 * @throws Refusal `invalid_request` when it is missing though required, malformed, or of another method
 */
export const parseChallenge = (
  query: URLSearchParams,
  demand: 'required' | 'optional',
): CodeChallenge | undefined => {
  const challenge = query.get('code_challenge');
  const method = query.get('code_challenge_method');
  if (challenge === null && method === null) {
    if (demand === 'required') throw new Refusal('pkce.missing');
    return undefined;
  }
  // RFC 7636 §4.3 lets a missing method mean `plain`: refused like the word itself.
  if (method !== 'S256') throw new Refusal('pkce.method');
  // An empty challenge is a downgrade that hopes to be read as none.
  if (challenge === null || !isChallenge(challenge)) throw new Refusal('pkce.challenge');
  return challenge;
};

/**
 * Holds the verifier of a token request against the code's challenge, in both directions (RFC 9700 §2.1.1).
 * @throws Refusal `invalid_grant` when either comes without the other, or they do not belong together
 */
export const checkVerifier = async (
  challenge: string | undefined,
  verifier: string | undefined,
): Promise<void> => {
  if (challenge === undefined && verifier === undefined) return;
  if (challenge === undefined || verifier === undefined || !verifierShape.test(verifier)) {
    throw new Refusal('code.pkce');
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  if (!(await sameSecret(encodeBase64url(new Uint8Array(digest)), challenge))) throw new Refusal('code.pkce');
};

const isChallenge = (text: string): text is CodeChallenge => challengeShape.test(text);
