/**
 * Client authentication (RFC 6749 §2.3): a secret in the form or in Basic, or none for public clients. Limits
 * failed attempts (§10.10).
 */
import type { Limits } from '../limits/rate-limits.ts';
import type { Parameters } from '../oauth/parameters.ts';
import { tokenEndpointError } from '../oauth/protocol-error.ts';
import { timingSafeEqual } from '../oauth/secrets.ts';

interface AuthenticationRequest {
  readonly request: Request;
  /** Returns the address block that the request came from, if it is known. */
  findAddressBlock(): string | undefined;
}

/** The parties that can authenticate, by ID. */
export type Parties<Party> = Pick<ReadonlyMap<string, Party>, 'get'>;

/** In characters. No registered ID is longer. */
const maxIdLength = 200;

/**
 * Authenticates the caller. Failed verifications are counted afterwards, so a caller with the right secret is
 * never refused, however many others guess.
 * @throws ProtocolError `invalid_request` for credentials in two places; `invalid_client`, always with the
 *   same message, for all other failures; 429 after too many wrong credentials
 */
export const authenticateClient = async <Party extends ClientAuthMethod>(
  { limits }: { readonly limits: Pick<Limits, 'failedAuthentications'> },
  authenticationRequest: AuthenticationRequest,
  form: CredentialParameters,
  parties: Parties<Party>,
): Promise<Party> => {
  const credentials = parseClientCredentials(
    authenticationRequest.request.headers.get('authorization'),
    form,
  );
  try {
    return await verifyClientCredentials(credentials, parties);
  } catch (cause) {
    const key = failureKey(credentials.id, authenticationRequest.findAddressBlock());
    if ((await limits.failedAuthentications.take(key)) === 'allowed') throw cause;
    throw tokenEndpointError('authentication.limited', { cause });
  }
};

/**
 * Uses the claimed ID, whether it is registered or not: a shared counter for unknown IDs would reveal which
 * IDs are registered.
 */
const failureKey = (claimedId: string, block = 'anywhere'): string =>
  `${block} ${claimedId.slice(0, maxIdLength)}`;

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
  /** Not verified. Treat it as a secret, because it may be the right one. */
  readonly secret?: string;
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
  | { readonly authentication: 'client_secret'; readonly secrets: readonly string[] };

/**
 * Verifies client credentials.
 * @throws ProtocolError `invalid_client`, always with the same message
 */
export const verifyClientCredentials = async <Party extends ClientAuthMethod>(
  credentials: ClientCredentials,
  parties: Parties<Party>,
): Promise<Party> => {
  const party = parties.get(credentials.id);
  if (party === undefined) {
    // Compares anyway, so that an unknown ID takes about as long as a wrong secret.
    await timingSafeEqual(credentials.secret ?? '', '');
    throw tokenEndpointError('authentication.unknown-client');
  }
  await verifySecret(party, credentials.secret);
  return party;
};

const verifySecret = async (party: ClientAuthMethod, secret: string | undefined): Promise<void> => {
  switch (party.authentication) {
    case 'none':
      if (secret !== undefined) throw tokenEndpointError('authentication.method');
      return;
    case 'client_secret': {
      if (secret === undefined) throw tokenEndpointError('authentication.method');
      const matches = await Promise.all(party.secrets.map((valid) => timingSafeEqual(secret, valid)));
      if (!matches.includes(true)) throw tokenEndpointError('authentication.secret');
    }
  }
};

const parseFormCredentials = (form: CredentialParameters): ClientCredentials => {
  // Client assertions are not supported: they must fail, and must not fall back to other credentials.
  if (form.client_assertion ?? form.client_assertion_type) throw tokenEndpointError('authentication.method');
  if (form.client_id === undefined) throw tokenEndpointError('authentication.missing');
  return form.client_secret === undefined
    ? { id: form.client_id }
    : { id: form.client_id, secret: form.client_secret };
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

/** Parses Basic credentials (RFC 7617) whose ID and secret are form-encoded (RFC 6749 §2.3.1). */
const parseBasic = (authorization: string): ClientCredentials => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw tokenEndpointError('authentication.malformed');
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(':');
    if (colon < 1) throw tokenEndpointError('authentication.malformed');
    // IDs and secrets contain no spaces, so `+` is literal, whether or not the client encodes it.
    const id = decodeURIComponent(pair.slice(0, colon));
    const secret = decodeURIComponent(pair.slice(colon + 1));
    // A client without a secret can send an empty password (RFC 6749 §2.3.1), as `curl -u app:` does.
    return secret === '' ? { id } : { id, secret };
  } catch (cause) {
    throw tokenEndpointError('authentication.malformed', { cause });
  }
};
