/**
 * Client assertions, the authentication method `private_key_jwt` (RFC 7523 §3, OpenID Connect Core §9): JWTs
 * that a client signs with its own key. Storage checks that each one is used only once.
 */

import {
  type CompactVerifyResult,
  compactVerify,
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import type { VerifiedAssertion } from '../clients/client.ts';
import { paths } from '../context.ts';
import type { ClientSourceContext } from '../endpoint/client-source.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { asymmetricAlgorithms, type Claims } from '../oauth/jwt.ts';
import { mcpClientError } from '../oauth/protocol-error.ts';
import { canonicalResource } from '../oauth/resource.ts';
import type { ReadResult } from './document-cache.ts';
import { type DocumentKind, InvalidDocumentError } from './fetch-document.ts';

/** The keys of a client (RFC 7517 §5), as the value of `jwks` or the document at `jwks_uri`. */
export const keySetDocument: DocumentKind<JSONWebKeySet> = {
  maxBytes: 20_480,
  parse: (document) => parseKeySet(document),
};

/** More keys than a client needs, even during a rotation. */
const maxKeys = 20;

/** The members of a public key (RFC 7517 §4, RFC 7518 §6). Nothing else is kept. */
const keyMembers = ['kty', 'kid', 'use', 'alg', 'crv', 'n', 'e', 'x', 'y'] as const;

/** @throws InvalidDocumentError */
export const parseKeySet = (value: unknown): JSONWebKeySet => {
  const { keys } = Object(value);
  if (!Array.isArray(keys)) throw new InvalidDocumentError('its keys are not a JSON Web Key Set');
  return { keys: keys.slice(0, maxKeys).map(parseKey) };
};

const parseKey = (value: unknown): JWK => {
  const key: Readonly<Record<string, unknown>> = { ...Object(value) };
  return Object.fromEntries(
    keyMembers.flatMap((name) => (typeof key[name] === 'string' ? [[name, key[name]]] : [])),
  );
};

/** The client that an assertion must be from. */
export interface AssertionSigner {
  readonly clientId: string;
  /** The algorithm that the client always uses, if its metadata names one. */
  readonly algorithm: string | undefined;
  /**
   * Reads the keys. Only fresh keys are used, because the client may have withdrawn older ones.
   * @param notBefore reads them again if they were read before this time
   */
  readonly readKeys: (notBefore?: EpochSeconds) => Promise<ReadResult<JSONWebKeySet>>;
}

/** The maximum difference between the client's clock and ours. */
const clockSkew: Seconds = 30;

/** How far in the future an assertion can expire. Storage keeps its ID until then. */
const maxLifetime: Seconds = 3600;

/** Keys younger than this are not read again, however many invalid assertions arrive. */
const minKeyAge: Seconds = 10;

/**
 * Verifies an assertion. Does not check whether it was used before.
 * @throws ProtocolError `authentication.assertion` for one that is not valid, `authentication.keys` if the keys
 *   cannot be read
 */
export const verifyAssertion = async (
  assertion: string,
  signer: AssertionSigner,
  { issuer, now }: Pick<ClientSourceContext, 'issuer' | 'now'>,
): Promise<VerifiedAssertion> => {
  const { payload, protectedHeader } = await verifySignature(assertion, signer, now());
  const { typ = 'JWT' }: Readonly<Record<string, unknown>> = { ...protectedHeader };
  if (typeof typ !== 'string') throw invalidAssertion('its typ is not that of a client assertion');
  const isExplicitlyTyped = typ.toLowerCase().replace(/^application\//, '') === explicitType;
  refuseIf(!isExplicitlyTyped && typ.toUpperCase() !== 'JWT', 'its typ is not that of a client assertion');
  // `jose` accepts one critical extension, `b64`, which a JWT must not use (RFC 7797 §7).
  refuseIf(protectedHeader.crit !== undefined, 'it has a critical header extension');
  const claims = parseClaims(payload);
  const { iss, sub, aud } = claims;
  refuseIf(iss !== signer.clientId || sub !== signer.clientId, 'it is from another client');
  checkAudience(aud, issuer, isExplicitlyTyped);
  return { clientId: signer.clientId, ...checkTimes(claims, now()) };
};

/**
 * The `typ` of an assertion whose only audience is the issuer (draft-ietf-oauth-rfc7523bis §4). The audience of
 * others can also be the token endpoint, as in ChatGPT's.
 */
const explicitType = 'client-authentication+jwt';

const checkAudience = (aud: unknown, issuer: string, isExplicitlyTyped: boolean): void => {
  const audiences: readonly unknown[] = Array.isArray(aud) && !isExplicitlyTyped ? aud : [aud];
  const allowed = isExplicitlyTyped ? [issuer] : [issuer, issuer + paths.token];
  // Every audience must be this server: another server that the assertion is for could use it here.
  const isForUs = audiences.every(
    (audience) => typeof audience === 'string' && allowed.includes(canonicalResource(audience)),
  );
  refuseIf(!isForUs || audiences.length === 0, 'it is for another server');
};

/** Checks the times and the ID. */
const checkTimes = (
  { exp, iat = 0, nbf = 0, jti }: Claims,
  now: EpochSeconds,
): Pick<VerifiedAssertion, 'jti' | 'retainUntil'> => {
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number')
    throw invalidAssertion('a time is missing or not a number');
  refuseIf(now >= exp + clockSkew, 'it has expired');
  refuseIf(exp > now + maxLifetime + clockSkew, 'it expires too far in the future');
  refuseIf(iat > now + clockSkew || nbf > now + clockSkew, 'it is not valid yet');
  if (typeof jti !== 'string' || jti === '' || jti.length > 255 || !jti.isWellFormed())
    throw invalidAssertion('it has no usable jti');
  return { jti, retainUntil: Math.ceil(exp) + clockSkew };
};

const verifySignature = async (
  assertion: string,
  { readKeys, algorithm }: AssertionSigner,
  now: EpochSeconds,
): Promise<CompactVerifyResult> => {
  const algorithms = algorithm === undefined ? [...asymmetricAlgorithms] : [algorithm];
  const verify = async (notBefore?: EpochSeconds): Promise<CompactVerifyResult> => {
    const keys = await readKeys(notBefore);
    if (keys.kind !== 'fresh') throw mcpClientError('authentication.keys');
    try {
      return await verifyWithKeys(assertion, keys.value, algorithms);
    } catch (error) {
      // Errors of `jose` have a code; their messages can contain parts of the token.
      const { code = 'a key cannot be used' } = Object(error);
      throw invalidAssertion(`its signature could not be verified: ${code}`);
    }
  };
  try {
    return await verify();
  } catch (error) {
    if (Object(error).reason !== 'authentication.assertion') throw error;
    // The client may have a new key, with a new ID or with the old one.
    return verify(now - minKeyAge);
  }
};

/** How many keys are tried if the assertion does not say which one signed it. */
const maxTriedKeys = 4;

const verifyWithKeys = async (
  assertion: string,
  { keys }: JSONWebKeySet,
  algorithms: string[],
): Promise<CompactVerifyResult> => {
  const verify = (candidates: JWK[]) =>
    compactVerify(assertion, createLocalJWKSet({ keys: candidates }), { algorithms });
  try {
    return await verify(keys);
  } catch (error) {
    if (Object(error).code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') throw error;
    return await Promise.any(keys.slice(0, maxTriedKeys).map((key) => verify([key])));
  }
};

const parseClaims = (payload: Uint8Array): Claims => {
  try {
    return Object(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    throw invalidAssertion('it is not JSON');
  }
};

/** @param reason is logged */
const invalidAssertion = (reason: string) => mcpClientError('authentication.assertion', { cause: reason });

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw invalidAssertion(reason);
};
