/** Signed tokens in which a provider says something unasked (RFC 7519, RFC 8417): whose they are, for whom, and from when. */
import { type CompactVerifyResult, compactVerify, createLocalJWKSet } from 'jose';
import type { EpochSeconds, Seconds, SecurityEvent, SecurityEventTarget } from '../../oauth/identifiers.ts';
import { type OidcIssuer, readUnverifiedIssuer, withIssuer } from '../issuer.ts';
import { ProviderError, type ProviderIo } from '../provider.ts';

/** What is asked of one kind of token. */
export interface SecurityEventTokenRules {
  /** Which `typ` it may bear besides `JWT`; it may bear none. */
  readonly type: string;
  /** How long after it was made it is still taken. */
  readonly maxAge: Seconds;
  /** Whether `exp` counts: what tells of the past does not expire (RFC 8417 §2.2). */
  readonly expiry: 'enforced' | 'ignored';
  /** What the issuer calls itself there. Left out: as in its ID tokens. */
  readonly issuers?: readonly string[];
}

/** A token that was checked. */
export interface VerifiedEvent extends Pick<SecurityEvent, 'jti' | 'retainUntil' | 'signedInBefore'> {
  readonly claims: Readonly<Record<string, unknown>>;
}

/** How far the provider's clock and ours may be apart. */
const clockSkew: Seconds = 30;
const maxIdentifierLength = 255;

/**
 * Checks a token: signature first, so that whatever else is wrong with it, the provider has said it.
 * @throws SecurityEventError for a token that is not to be believed, ProviderError when that cannot be told
 */
export const verifySecurityEventToken = async (
  token: string,
  { config, tenantIssuers, discover, verifyWithKeys }: OidcIssuer,
  rules: SecurityEventTokenRules,
  io: ProviderIo,
): Promise<VerifiedEvent> => {
  const { server, jwksUri } = await discover(io);
  const { issuer } = withIssuer(server, tenantIssuers, readUnverifiedIssuer(token));
  const algorithms = server.id_token_signing_alg_values_supported ?? [];
  const { payload, protectedHeader } = await withSecurityEventError(
    verifyWithKeys({ url: jwksUri, issuer }, io, (keys) =>
      compactVerify(token, createLocalJWKSet(keys), { algorithms }),
    ),
  );
  const claims = parseClaims(payload);
  const { iss, aud, jti } = claims;
  const issuers: readonly unknown[] = rules.issuers ?? [issuer];
  refuseIf(!issuers.includes(iss), 'issuer', 'it is from another issuer');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  refuseIf(!audiences.includes(config.clientId), 'audience', 'it is for somebody else');
  refuseIf(!hasTokenType(protectedHeader.typ, rules.type), 'content', 'it is a token of another kind');
  const issuedAt = validateTimes(claims, rules, io.now());
  if (!isIdentifier(jti)) throw new SecurityEventError('content', 'it has no name that can be kept');
  return {
    claims,
    jti,
    signedInBefore: issuedAt + clockSkew,
    retainUntil: issuedAt + rules.maxAge + clockSkew + 1,
  };
};

/** Tells whether something may be the name of a token, of a session or of a person. */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= maxIdentifierLength && value.isWellFormed();

export const refuseIf = (wrong: boolean, fault: SecurityEventFault, cause: string): void => {
  if (wrong) throw new SecurityEventError(fault, cause);
};

const validateTimes = (
  { iat, nbf = 0, exp }: VerifiedEvent['claims'],
  { maxAge, expiry }: SecurityEventTokenRules,
  now: EpochSeconds,
): EpochSeconds => {
  if (!Number.isSafeInteger(iat) || typeof iat !== 'number')
    throw new SecurityEventError('content', 'it does not say when it was made');
  refuseIf(iat > now + clockSkew, 'age', 'it is from the future');
  refuseIf(iat < now - maxAge - clockSkew, 'age', 'it is too old');
  refuseIf(typeof nbf !== 'number' || nbf > now + clockSkew, 'age', 'it is not valid yet');
  const expired = exp !== undefined && (typeof exp !== 'number' || now >= exp + clockSkew);
  refuseIf(expiry === 'enforced' && expired, 'age', 'it has expired');
  return iat;
};

/** Types are media types, written with their first part or without (RFC 7515 §4.1.9). */
const hasTokenType = (typ: unknown, expected: string): boolean =>
  typ === undefined ||
  (typeof typ === 'string' && ['jwt', expected].includes(typ.toLowerCase().replace(/^application\//, '')));

const parseClaims = (payload: Uint8Array): VerifiedEvent['claims'] => {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null) return { ...claims };
  } catch {
    // Said below, like all that is no object.
  }
  throw new SecurityEventError('unreadable', 'its claims cannot be read');
};

const faultByErrorCode: Readonly<Record<string, SecurityEventFault>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'signature',
  ERR_JWKS_NO_MATCHING_KEY: 'key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key',
  ERR_JWKS_INVALID: 'key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

/** The library's errors, by their codes; whatever else is wrong with a token, it is none. */
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

// Why a signal was not believed.

export class SecurityEventError extends Error {
  override readonly name = 'SecurityEventError';
  readonly fault: SecurityEventFault;

  /** @param cause for the log: it holds nothing of the token */
  constructor(fault: SecurityEventFault, cause: string) {
    super(cause);
    this.fault = fault;
  }
}

export type SecurityEventFault =
  /** It is no signed token. */
  | 'unreadable'
  /** No key of the provider's is of its name. */
  | 'key'
  | 'signature'
  | 'issuer'
  | 'audience'
  /** Too old, or not yet. */
  | 'age'
  /** It does not say what such a token has to say. */
  | 'content';

// Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): a person has signed out at the issuer.

/** Issuers send it at once; an hour leaves room for trying again. */
const rules: SecurityEventTokenRules = { type: 'logout+jwt', maxAge: 3600, expiry: 'enforced' };

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** @throws SecurityEventError for a token that is not to be believed, ProviderError when that cannot be told */
export const readLogoutToken = async (
  token: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<SecurityEvent> => {
  const { claims, ...verified } = await verifySecurityEventToken(token, issuer, rules, io);
  const { events } = claims;
  const event: unknown = Object(events)[logoutEvent];
  refuseIf(typeof event !== 'object' || event === null, 'content', 'it tells of no logout');
  // An ID token may hold anything an issuer likes, but no logout token holds this (§2.4).
  refuseIf('nonce' in claims, 'content', 'it holds a nonce');
  const revocationScope = issuer.config.logoutEndsGrants ? 'grants' : 'online-grants';
  return {
    ...verified,
    type: 'logout',
    revocations: [{ target: parseTarget(claims), revocationScope: revocationScope }],
  };
};

const parseTarget = ({ sub: subject, sid }: VerifiedEvent['claims']): SecurityEventTarget => {
  const named = [subject, sid].filter((name) => name !== undefined);
  refuseIf(
    named.length === 0 || !named.every(isIdentifier),
    'content',
    'it names neither person nor session',
  );
  if (!isIdentifier(sid)) return { kind: 'identity', subject: String(subject) };
  return { kind: 'session', sid, ...(isIdentifier(subject) && { subject }) };
};
