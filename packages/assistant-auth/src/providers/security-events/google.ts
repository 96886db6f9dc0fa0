/**
 * Reads Google's security events about user accounts (RISC, as security event tokens of RFC 8417).
 */

import type {
  RequestedRevocation,
  RevocationScope,
  SecurityEvent,
  SecurityEventTarget,
  TokenIdentifiers,
} from '../../oauth/identifiers.ts';
import { computeDigest, encodeBase64url } from '../../oauth/secrets.ts';
import type { OidcIssuer } from '../issuer.ts';
import { isIdentifier, type ProviderIo, SecurityEventError } from '../provider.ts';
import { refuseEventIf, verifySecurityEventToken } from './verify.ts';

/** Google retries delivery for some time, which it does not document. */
const maxAge = 7 * 86_400;

const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';

/** What each event revokes, if anything. */
const scopeByEventType: ReadonlyMap<string, RevocationScope | undefined> = new Map([
  [`${risc}sessions-revoked`, 'identity'],
  [`${oauth}tokens-revoked`, 'identity'],
  [`${oauth}token-revoked`, 'identity'],
  [`${risc}account-disabled`, 'identity'],
  [`${risc}account-purged`, 'identity'],
  // Someone else may have the password, so the user must sign in again. Grants of clients are kept: a recheck
  // revokes them if the provider rejects the stored token.
  [`${risc}account-credential-change-required`, 'sessions'],
  [`${risc}account-enabled`, undefined],
  [`${risc}verification`, undefined],
]);

/**
 * Reads an event. The keys are those of the ID tokens:
 * https://accounts.google.com/.well-known/risc-configuration has the same `jwks_uri`.
 * @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now
 * @see https://developers.google.com/identity/protocols/risc
 */
export const readGoogleEvent = async (
  token: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<SecurityEvent> => {
  // Google's documentation has both spellings.
  const issuers = [issuer.config.issuer, `${issuer.config.issuer}/`];
  // A subject can be that of an ID token, which can have the name without `https://`.
  const subjectIssuers = [...issuers, new URL(issuer.config.issuer).host];
  const { claims, ...verified } = await verifySecurityEventToken(
    token,
    issuer,
    { type: 'secevent+jwt', maxAge, expiry: 'ignored', issuers },
    io,
  );
  const { events: claimed } = claims;
  const events = typeof claimed === 'object' ? Object.entries({ ...claimed }) : [];
  refuseEventIf(events.length === 0, 'content', 'it has no event');
  const known = events.find(([type]) => scopeByEventType.has(type))?.[0] ?? 'unknown';
  const revocations: RequestedRevocation[] = [];
  for (const [type, event] of events) {
    const revocationScope = scopeByEventType.get(type);
    const target = revocationScope && (await parseTarget(event, subjectIssuers));
    if (revocationScope !== undefined && target !== undefined) revocations.push({ target, revocationScope });
  }
  return { ...verified, type: known.slice(known.lastIndexOf('/') + 1), revocations };
};

/**
 * Returns `undefined` if no identity can be found by the subject: it has no `sub`, or an unknown kind of
 * token identifier.
 */
const parseTarget = async (
  event: unknown,
  issuers: readonly unknown[],
): Promise<SecurityEventTarget | undefined> => {
  const { subject_type: type, iss, sub, ...token } = Object(Object(event).subject);
  switch (type) {
    case 'iss-sub':
    case 'id_token_claims':
      refuseEventIf(iss !== undefined && !issuers.includes(iss), 'content', 'its subject has another issuer');
      return isIdentifier(sub) ? { kind: 'identity', subject: sub } : undefined;
    case 'oauth_token': {
      const name = await parseGoogleTokenIdentifier(token.token_identifier_alg, token.token);
      return name === undefined ? undefined : { kind: 'token', identifier: name };
    }
    default:
      throw new SecurityEventError('content', 'its subject is missing or not valid');
  }
};

// Google's identifiers of refresh tokens. Only digests of them are stored, so that they disclose nothing
// about a token.

/** Computes both identifiers that Google can use for a token. */
export const computeGoogleTokenIdentifiers = async (refreshToken: string): Promise<TokenIdentifiers> => {
  const once = await crypto.subtle.digest('SHA-512', new TextEncoder().encode(refreshToken));
  const twice = new Uint8Array(await crypto.subtle.digest('SHA-512', once));
  return [
    await hashIdentifier('prefix', refreshToken.slice(0, 16)),
    await hashIdentifier(doubleHash, encodeBase64url(twice)),
  ];
};

/** Returns the identifier as it is stored, or `undefined` for an unknown algorithm. */
export const parseGoogleTokenIdentifier = async (
  algorithm: unknown,
  identifier: unknown,
): Promise<string | undefined> => {
  if (typeof identifier !== 'string') return undefined;
  switch (algorithm) {
    case 'prefix':
      return hashIdentifier('prefix', identifier);
    case doubleHash:
      // Google does not document whether this is base64 or base64url, with or without padding.
      return hashIdentifier(
        doubleHash,
        identifier.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
      );
    default:
      return undefined;
  }
};

const doubleHash = 'hash_base64_sha512_sha512';

const hashIdentifier = (algorithm: string, identifier: string): Promise<string> =>
  computeDigest(`${algorithm} ${identifier}`);
