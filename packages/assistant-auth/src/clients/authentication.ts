/**
 * Client authentication (RFC 6749 §2.3): a secret in the form or in Basic, an assertion (RFC 7523 §2.2), or
 * none for public clients. Limits failed attempts (§10.10).
 */
import type { Limits } from '../limits/rate-limits.ts';
import type { GrantId } from '../oauth/identifiers.ts';
import { readUnverifiedClaims } from '../oauth/jwt.ts';
import type { Parameters } from '../oauth/parameters.ts';
import { ProtocolError, tokenEndpointError } from '../oauth/protocol-error.ts';
import { digest, isSameDigest } from '../oauth/secrets.ts';
import type { ConfidentialClient, PrivateKeyJwtClient, VerifiedAssertion } from './client.ts';

interface AuthenticationRequest {
  readonly request: Request;
  /** Returns the address block that the request came from, if it is known. */
  findAddressBlock(): string | undefined;
}

/** Finds the parties that can authenticate. */
export interface Parties<Party> {
  find(id: string): Promise<Party | undefined>;
  /** Whether a public client, which does not authenticate, is accepted. Default: `true`. */
  readonly allowPublic?: boolean;
}

/** A party that has authenticated. */
export interface Authenticated<Party> {
  readonly party: Party;
  /** The assertion that it authenticated with. It must be recorded, so that it can't be used again. */
  readonly assertion?: VerifiedAssertion;
}

/** In characters. The IDs of clients that registered themselves are longer, and differ before this point. */
const maxIdLength = 200;

/**
 * Authenticates the caller. Failed verifications are counted afterwards, so a caller with the right secret is
 * never refused, however many others guess.
 * @throws ProtocolError `invalid_request` for credentials in two places; `invalid_client`, always with the
 *   same message, for all other failures; 429 after too many wrong credentials; 503 if the metadata or the
 *   keys of the client cannot be read
 */
export const authenticateClient = async <Party extends ClientAuthMethod>(
  { limits }: { readonly limits: Pick<Limits, 'failedAuthentications'> },
  authenticationRequest: AuthenticationRequest,
  form: CredentialParameters,
  parties: Parties<Party>,
): Promise<Authenticated<Party>> => {
  const credentials = parseClientCredentials(
    authenticationRequest.request.headers.get('authorization'),
    form,
  );
  try {
    return await verifyClientCredentials(credentials, parties);
  } catch (cause) {
    if (!(cause instanceof ProtocolError) || !/^authentication\.(?!keys)/.test(cause.reason)) throw cause;
    const key = failureKey(credentials.id, authenticationRequest.findAddressBlock());
    // An unknown ID is not logged, because it can be a secret that was sent as the ID by mistake.
    const clientId = cause.reason === 'authentication.unknown-client' ? undefined : credentials.id;
    if ((await limits.failedAuthentications.take(key)) !== 'allowed')
      throw tokenEndpointError('authentication.limited', { cause, clientId });
    const { reason, code, description, status } = cause;
    throw new ProtocolError(reason, [code, description, status], { cause: cause.cause, clientId });
  }
};

/**
 * Uses the claimed ID, whether it is registered or not: a shared counter for unknown IDs would reveal which
 * IDs are registered.
 */
const failureKey = (claimedId: string, block = 'anywhere'): string =>
  `${block} ${claimedId.slice(0, maxIdLength)}`;

/**
 * Limits the assertions that are used with one grant, because storage keeps the ID of each. The assertion of
 * a client without a grant must not reach storage: anyone can publish a metadata document and keys.
 * @throws ProtocolError `authentication.assertions-limited`
 */
export const limitAssertions = async (
  { limits }: { readonly limits: Pick<Limits, 'refreshesPerGrant'> },
  assertion: VerifiedAssertion | undefined,
  grantId: GrantId,
): Promise<void> => {
  if (assertion !== undefined && (await limits.refreshesPerGrant.take(grantId)) === 'limited')
    throw tokenEndpointError('authentication.assertions-limited');
};

/**
 * Records the assertion of a revocation or introspection request. A token request records its assertion in
 * the round trip that redeems the code or refreshes the grant.
 * @throws ProtocolError `authentication.assertion-replayed` or `authentication.assertions-limited`
 */
export const recordAssertion = async (
  context: { readonly storage: AssertionStorage; readonly limits: Pick<Limits, 'refreshesPerGrant'> },
  assertion: VerifiedAssertion | undefined,
  grantId: GrantId,
): Promise<void> => {
  await limitAssertions(context, assertion, grantId);
  if (assertion !== undefined && (await context.storage.recordAssertion(assertion)) === 'replayed')
    throw tokenEndpointError('authentication.assertion-replayed');
};

interface AssertionStorage {
  recordAssertion(assertion: VerifiedAssertion): Promise<'recorded' | 'replayed'>;
}

/** Returns the challenge for a 401 response to failed client authentication (RFC 7617). */
export const buildBasicChallenge = (issuer: string): string => `Basic realm="${issuer}", charset="UTF-8"`;

/** The form parameters that can contain credentials. */
export const credentialParameters = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const;

export type CredentialParameters = Parameters<(typeof credentialParameters)[number]>;

/** Credentials that have not been verified. */
export interface ClientCredentials {
  readonly id: string;
  /**
   * The secret that the client sent, not verified. With Basic, there can be two: as it was sent, and decoded.
   * Treat them as secret, because one may be correct.
   */
  readonly secrets?: readonly string[];
  /** A client assertion. Treat it as a secret, because it may be valid. */
  readonly assertion?: string;
}

/**
 * Parses client credentials, without verifying them.
 * @param authorization the `Authorization` header, if there is one
 * @throws ProtocolError `invalid_request` for credentials in two places; `invalid_client`, always with the
 *   same message, for all other failures
 */
export const parseClientCredentials = (
  authorization: string | null,
  form: CredentialParameters,
): ClientCredentials =>
  authorization === null ? parseFormCredentials(form) : parseHeaderCredentials(authorization, form);

/** How a client, or an API that uses introspection, authenticates. */
export type ClientAuthMethod =
  | { readonly authentication: 'none' }
  | {
      readonly authentication: 'client_secret';
      readonly secrets: readonly string[];
      readonly secretDigest?: Uint8Array | undefined;
    }
  | Pick<PrivateKeyJwtClient, 'authentication' | 'canBePublic' | 'verifyAssertion'>;

/**
 * Verifies client credentials.
 * @throws ProtocolError `invalid_client`, always with the same message, or 503 if the metadata or the keys of
 *   the client cannot be read
 */
export const verifyClientCredentials = async <Party extends ClientAuthMethod>(
  credentials: ClientCredentials,
  parties: Parties<Party>,
): Promise<Authenticated<Party>> => {
  const party = await parties.find(credentials.id);
  if (party === undefined) {
    // Compares anyway, so that an unknown ID takes about as long as a wrong secret.
    await hasSecret({ secrets: noSecrets }, credentials.secrets ?? noSecrets);
    throw tokenEndpointError('authentication.unknown-client');
  }
  const assertion = await verifyMethod(party, credentials);
  if (assertion !== undefined) return { party, assertion };
  if (parties.allowPublic === false && party.authentication !== 'client_secret')
    throw tokenEndpointError('authentication.method');
  return { party };
};

/**
 * Verifies the credentials with the method of the party. Credentials for another method are refused, and so
 * is an invalid assertion, even if the client can also be public.
 * @returns the assertion, if the method is `private_key_jwt`
 */
const verifyMethod = async (
  party: ClientAuthMethod,
  { secrets, assertion }: ClientCredentials,
): Promise<VerifiedAssertion | undefined> => {
  switch (party.authentication) {
    case 'none':
      if (secrets !== undefined || assertion !== undefined) throw tokenEndpointError('authentication.method');
      return undefined;
    case 'client_secret':
      if (secrets === undefined) throw tokenEndpointError('authentication.method');
      if (!(await hasSecret(party, secrets))) throw tokenEndpointError('authentication.secret');
      return undefined;
    case 'private_key_jwt':
      if (secrets !== undefined) throw tokenEndpointError('authentication.method');
      if (assertion !== undefined) return party.verifyAssertion(assertion);
      if (!party.canBePublic) throw tokenEndpointError('authentication.method');
      return undefined;
  }
};

const noSecrets = [''];

/** Compares every value with every secret, so that the time does not reveal which of them matches. */
const hasSecret = async (
  { secrets, secretDigest }: Pick<ConfidentialClient, 'secrets' | 'secretDigest'>,
  presented: readonly string[],
): Promise<boolean> => {
  const configured = await digestConfigured(secrets);
  const valid = secretDigest === undefined ? configured : [secretDigest, ...configured];
  let isValid = false;
  for (const secret of presented) {
    const sent = await digest(secret);
    for (const other of valid) isValid = isSameDigest(sent, other) || isValid;
  }
  return isValid;
};

/** The digests of configured secrets, each computed at its first use. */
const configuredDigests = new WeakMap<readonly string[], readonly Uint8Array[]>();

const digestConfigured = async (secrets: readonly string[]): Promise<readonly Uint8Array[]> => {
  const digests = configuredDigests.get(secrets) ?? (await Promise.all(secrets.map(digest)));
  configuredDigests.set(secrets, digests);
  return digests;
};

/** The only type of assertion (RFC 7523 §2.2). */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const parseFormCredentials = (form: CredentialParameters): ClientCredentials => {
  const { client_secret: secret, client_assertion: assertion } = form;
  const id = form.client_id ?? readSubject(assertion);
  if (form.client_assertion_type !== undefined || assertion !== undefined) {
    if (secret !== undefined) throw tokenEndpointError('authentication.multiple');
    // A malformed assertion must fail, and must not fall back to other credentials.
    if (id === undefined || assertion === undefined || form.client_assertion_type !== assertionType)
      throw tokenEndpointError('authentication.malformed');
    return { id, assertion };
  }
  if (id === undefined) throw tokenEndpointError('authentication.missing');
  return secret === undefined ? { id } : { id, secrets: [secret] };
};

/**
 * Returns the client that an assertion claims to be from, because `client_id` is optional with an assertion.
 */
const readSubject = (assertion = ''): string | undefined => {
  const { sub } = readUnverifiedClaims(assertion) ?? {};
  return typeof sub === 'string' ? sub : undefined;
};

const parseHeaderCredentials = (authorization: string, form: CredentialParameters): ClientCredentials => {
  if (form.client_secret ?? form.client_assertion ?? form.client_assertion_type) {
    throw tokenEndpointError('authentication.multiple');
  }
  const credentials = parseBasic(authorization);
  if (form.client_id !== undefined && form.client_id !== credentials.id)
    throw tokenEndpointError('authentication.multiple');
  return credentials;
};

/**
 * Parses Basic credentials (RFC 7617) whose ID and secret are form-encoded (RFC 6749 §2.3.1). Some clients do
 * not encode the secret, so the result also has the secret as it was sent. The ID is always decoded, because
 * one request must not name two clients.
 */
const parseBasic = (authorization: string): ClientCredentials => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw tokenEndpointError('authentication.malformed');
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(':');
    if (colon < 1) throw tokenEndpointError('authentication.malformed');
    // IDs and secrets contain no spaces, so `+` is literal, whether or not the client encodes it.
    const id = decodeURIComponent(pair.slice(0, colon));
    const sent = pair.slice(colon + 1);
    // A client without a secret can send an empty password (RFC 6749 §2.3.1), as `curl -u app:` does.
    return sent === '' ? { id } : { id, secrets: [...new Set([sent, decodeSecret(sent)])] };
  } catch (cause) {
    throw tokenEndpointError('authentication.malformed', { cause });
  }
};

/**
 * Decodes a secret. Returns it unchanged if it is not form-encoded, because it has a `%` that encodes
 * nothing.
 */
const decodeSecret = (sent: string): string => {
  try {
    return decodeURIComponent(sent);
  } catch {
    return sent;
  }
};
