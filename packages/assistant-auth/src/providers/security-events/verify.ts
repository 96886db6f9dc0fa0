/** Signed tokens in which a provider says something unasked (RFC 7519, RFC 8417): whose they are, for whom, and from when. */

import { type CompactVerifyResult, compactVerify, createLocalJWKSet } from 'jose';
import type { Signal } from '../../oauth/security-event.ts';
import type { EpochSeconds, Seconds } from '../../oauth/time.ts';
import type { OidcIssuer } from '../issuer.ts';
import { issuerIn, underName } from '../issuer.ts';
import { ProviderError, type ProviderIo } from '../provider.ts';

/** What is asked of one kind of token. */
export interface TokenRules {
  /** Which `typ` it may bear besides `JWT`; it may bear none. */
  readonly type: string;
  /** How long after it was made it is still taken. */
  readonly oldest: Seconds;
  /** Whether `exp` counts: what tells of the past does not expire (RFC 8417 §2.2). */
  readonly expiry: 'heeded' | 'ignored';
  /** What the issuer calls itself there. Left out: as in its ID tokens. */
  readonly issuers?: readonly string[];
}

/** A token that was checked. */
export interface SaidByProvider extends Pick<Signal, 'jti' | 'neededUntil' | 'before'> {
  readonly claims: Readonly<Record<string, unknown>>;
}

/** How far the provider's clock and ours may be apart. */
const skew: Seconds = 30;
const longestId = 255;

/**
 * Checks a token: signature first, so that whatever else is wrong with it, the provider has said it.
 * @throws SignalError for a token that is not to be believed, ProviderError when that cannot be told
 */
export const readSigned = async (
  token: string,
  { party, names, discover, withKeys }: OidcIssuer,
  rules: TokenRules,
  io: ProviderIo,
): Promise<SaidByProvider> => {
  const { server, keysUrl } = await discover(io);
  const { issuer: name } = underName(server, names, issuerIn(token));
  const algorithms = server.id_token_signing_alg_values_supported ?? [];
  const { payload, protectedHeader } = await orSignalError(
    withKeys({ url: keysUrl, name }, io, (keys) =>
      compactVerify(token, createLocalJWKSet(keys), { algorithms }),
    ),
  );
  const claims = parseClaims(payload);
  const { iss, aud, jti } = claims;
  const issuers: readonly unknown[] = rules.issuers ?? [name];
  refuseIf(!issuers.includes(iss), 'issuer', 'it is from another issuer');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  refuseIf(!audiences.includes(party.clientId), 'audience', 'it is for somebody else');
  refuseIf(!isOfType(protectedHeader.typ, rules.type), 'content', 'it is a token of another kind');
  const saidAt = checkAge(claims, rules, io.now());
  if (!isName(jti)) throw new SignalError('content', 'it has no name that can be kept');
  return { claims, jti, before: saidAt + skew, neededUntil: saidAt + rules.oldest + skew + 1 };
};

/** Tells whether something may be the name of a token, of a session or of a person. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longestId && value.isWellFormed();

export const refuseIf = (wrong: boolean, fault: SignalFault, cause: string): void => {
  if (wrong) throw new SignalError(fault, cause);
};

const checkAge = (
  { iat, nbf = 0, exp }: SaidByProvider['claims'],
  { oldest, expiry }: TokenRules,
  now: EpochSeconds,
): EpochSeconds => {
  if (!Number.isSafeInteger(iat) || typeof iat !== 'number')
    throw new SignalError('content', 'it does not say when it was made');
  refuseIf(iat > now + skew, 'age', 'it is from the future');
  refuseIf(iat < now - oldest - skew, 'age', 'it is too old');
  refuseIf(typeof nbf !== 'number' || nbf > now + skew, 'age', 'it is not valid yet');
  const expired = exp !== undefined && (typeof exp !== 'number' || now >= exp + skew);
  refuseIf(expiry === 'heeded' && expired, 'age', 'it has expired');
  return iat;
};

/** Types are media types, written with their first part or without (RFC 7515 §4.1.9). */
const isOfType = (typ: unknown, expected: string): boolean =>
  typ === undefined ||
  (typeof typ === 'string' && ['jwt', expected].includes(typ.toLowerCase().replace(/^application\//, '')));

const parseClaims = (payload: Uint8Array): SaidByProvider['claims'] => {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null) return { ...claims };
  } catch {
    // Said below, like all that is no object.
  }
  throw new SignalError('unreadable', 'its claims cannot be read');
};

const faults: Readonly<Record<string, SignalFault>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'signature',
  ERR_JWKS_NO_MATCHING_KEY: 'key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key',
  ERR_JWKS_INVALID: 'key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

/** The library's errors, by their codes; whatever else is wrong with a token, it is none. */
const orSignalError = async (verifying: Promise<CompactVerifyResult>): Promise<CompactVerifyResult> => {
  try {
    return await verifying;
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const code = String(Object(error).code);
    throw new SignalError(faults[code] ?? 'unreadable', code);
  }
};

// Why a signal was not believed.

export class SignalError extends Error {
  override readonly name = 'SignalError';
  readonly fault: SignalFault;

  /** @param cause for the log: it holds nothing of the token */
  constructor(fault: SignalFault, cause: string) {
    super(cause);
    this.fault = fault;
  }
}

export type SignalFault =
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
