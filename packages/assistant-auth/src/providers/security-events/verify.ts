/**
 * Verifies the signed tokens that providers send to the broker: security event tokens (RFC 7519, RFC 8417)
 * and logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6).
 */
import type { CompactVerifyResult } from 'jose';
import type { EpochSeconds, Seconds, SecurityEvent, SecurityEventTarget } from '../../oauth/identifiers.ts';
import { readUnverifiedClaims } from '../../oauth/jwt.ts';
import { type OidcIssuer, selectIssuer } from '../issuer.ts';
import {
  isIdentifier,
  ProviderError,
  type ProviderIo,
  SecurityEventError,
  type SecurityEventFault,
} from '../provider.ts';

/** The rules for one kind of token. */
export interface SecurityEventTokenRules {
  /** The `typ` that is allowed besides `JWT`. `typ` can also be absent. */
  readonly type: string;
  /** How long after its `iat` a token is accepted. */
  readonly maxAge: Seconds;
  /** Whether `exp` is checked. An event in the past does not expire (RFC 8417 §2.2). */
  readonly expiry: 'enforced' | 'ignored';
  /** The issuers that are allowed. Default: the issuer of the ID tokens. */
  readonly issuers?: readonly string[];
}

/** A verified token. */
export interface VerifiedEvent extends Pick<SecurityEvent, 'jti' | 'retainUntil' | 'signedInBefore'> {
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The maximum difference between the provider's clock and ours. */
const clockSkew: Seconds = 30;

/**
 * Verifies a token, the signature first, so that a token that fails a later check is known to come from the
 * provider.
 * @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now
 */
export const verifySecurityEventToken = async (
  token: string,
  { config, issuerNames, discover, verifySignature }: OidcIssuer,
  rules: SecurityEventTokenRules,
  io: ProviderIo,
): Promise<VerifiedEvent> => {
  const metadata = await discover(io);
  const { iss: claimedIssuer }: VerifiedEvent['claims'] = readUnverifiedClaims(token) ?? {};
  const issuer = selectIssuer(metadata, issuerNames, claimedIssuer);
  const { payload, protectedHeader } = await withSecurityEventError(
    verifySignature(token, { issuer, metadata }, io),
  );
  const claims = parseClaims(payload);
  const { iss, aud, jti } = claims;
  const issuers: readonly unknown[] = rules.issuers ?? [issuer];
  refuseEventIf(!issuers.includes(iss), 'issuer', 'it is from another issuer');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  refuseEventIf(!audiences.includes(config.clientId), 'audience', 'it is for another audience');
  refuseEventIf(!hasTokenType(protectedHeader.typ, rules.type), 'content', 'it is a token of another type');
  const issuedAt = validateTimes(claims, rules, io.now());
  if (!isIdentifier(jti)) throw new SecurityEventError('content', 'its jti is missing or not valid');
  return {
    claims,
    jti,
    signedInBefore: issuedAt + clockSkew,
    retainUntil: issuedAt + rules.maxAge + clockSkew + 1,
  };
};

export const refuseEventIf = (wrong: boolean, fault: SecurityEventFault, cause: string): void => {
  if (wrong) throw new SecurityEventError(fault, cause);
};

const validateTimes = (
  { iat, nbf = 0, exp }: VerifiedEvent['claims'],
  { maxAge, expiry }: SecurityEventTokenRules,
  now: EpochSeconds,
): EpochSeconds => {
  if (!Number.isSafeInteger(iat) || typeof iat !== 'number')
    throw new SecurityEventError('content', 'its iat is missing or not valid');
  refuseEventIf(iat > now + clockSkew, 'age', 'its iat is in the future');
  refuseEventIf(iat < now - maxAge - clockSkew, 'age', 'it is too old');
  refuseEventIf(typeof nbf !== 'number' || nbf > now + clockSkew, 'age', 'it is not valid yet');
  const expired = exp !== undefined && (typeof exp !== 'number' || now >= exp + clockSkew);
  refuseEventIf(expiry === 'enforced' && expired, 'age', 'it has expired');
  return iat;
};

/** Types are media types, with or without `application/` (RFC 7515 §4.1.9). */
const hasTokenType = (typ: unknown, expected: string): boolean =>
  typ === undefined ||
  (typeof typ === 'string' && ['jwt', expected].includes(typ.toLowerCase().replace(/^application\//, '')));

const parseClaims = (payload: Uint8Array): VerifiedEvent['claims'] => {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null) return { ...claims };
  } catch {
    // Reported below, like every value that is not an object.
  }
  throw new SecurityEventError('unreadable', 'its claims are not a JSON object');
};

const faultByErrorCode: Readonly<Record<string, SecurityEventFault>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'signature',
  ERR_JWKS_NO_MATCHING_KEY: 'key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key',
  ERR_JWKS_INVALID: 'key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

/** Maps errors of `jose` by their codes. Any other error means that the token is not readable. */
const withSecurityEventError = async (
  verification: Promise<CompactVerifyResult>,
): Promise<CompactVerifyResult> => {
  try {
    return await verification;
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const code = String(Object(error).code);
    throw new SecurityEventError(faultByErrorCode[code] ?? 'unreadable', code);
  }
};

// Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): a user has signed out at the issuer.

/** Issuers send a logout token immediately. An hour leaves time for retries. */
const logoutTokenRules: SecurityEventTokenRules = { type: 'logout+jwt', maxAge: 3600, expiry: 'enforced' };

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now */
export const readLogoutToken = async (
  token: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<SecurityEvent> => {
  const { claims, ...verified } = await verifySecurityEventToken(token, issuer, logoutTokenRules, io);
  const { events } = claims;
  const event: unknown = Object(events)[logoutEvent];
  refuseEventIf(typeof event !== 'object' || event === null, 'content', 'it has no logout event');
  // A logout token never has a nonce (§2.4), so an ID token with this event is not accepted as one.
  refuseEventIf('nonce' in claims, 'content', 'it has a nonce');
  const revocationScope = issuer.config.logoutEndsGrants ? 'grants' : 'online-grants';
  return {
    ...verified,
    type: 'logout',
    revocations: [{ target: parseTarget(claims), revocationScope }],
  };
};

const parseTarget = ({ sub: subject, sid }: VerifiedEvent['claims']): SecurityEventTarget => {
  const named = [subject, sid].filter((name) => name !== undefined);
  refuseEventIf(named.length === 0 || !named.every(isIdentifier), 'content', 'it has no valid sub or sid');
  if (!isIdentifier(sid)) return { kind: 'identity', subject: String(subject) };
  return { kind: 'session', sid, ...(isIdentifier(subject) && { subject }) };
};
