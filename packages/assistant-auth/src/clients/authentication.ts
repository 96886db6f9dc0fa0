/** Making sure who asks at an endpoint for programs, and counting those who fail (RFC 6749 §2.3.1, §10.10). */
import { findAddressBlock, type Limits } from '../limits/rate-limits.ts';
import { ProtocolError } from '../oauth/errors.ts';
import type { Parameters } from '../oauth/parameters.ts';
import { timingSafeEqual } from '../oauth/secrets.ts';

interface AuthenticationContext {
  readonly limits: Pick<Limits, 'failedAuthentications'>;
  readonly clientAddress: ((request: Request) => string | undefined) | undefined;
}

/** The parties that can authenticate, by ID. */
export type Parties<Party> = Pick<ReadonlyMap<string, Party>, 'get'>;

/** No registered id is longer. */
const longestId = 200;

/**
 * Finds out who asks. Counts failures alone, after the fact: whoever has the right secret comes in, however many guess
 * beside them.
 * @throws ProtocolError `invalid_client`, always the same; 429 after too many failures
 */
export const authenticateClient = async <Party extends ClientAuthMethod>(
  { limits, clientAddress }: AuthenticationContext,
  request: Request,
  form: CredentialParameters,
  parties: Parties<Party>,
): Promise<Party> => {
  const credentials = parseClientCredentials(request.headers.get('authorization'), form);
  try {
    return await verifyClientCredentials(credentials, parties);
  } catch (cause) {
    const key = failureKey(credentials.id, findAddressBlock(clientAddress, request));
    if ((await limits.failedAuthentications.take(key)) === 'allowed') throw cause;
    throw new ProtocolError('authentication.limited', { cause });
  }
};

/** By the id as it was claimed, known or not: a count that unknown ids shared would tell them from known ones. */
const failureKey = (claimedId: string, block = 'anywhere'): string =>
  `${block} ${claimedId.slice(0, longestId)}`;

/** The challenge that goes with a 401 here (RFC 7617). */
export const buildBasicChallenge = (issuer: string): string => `Basic realm="${issuer}", charset="UTF-8"`;

// Client authentication (RFC 6749 §2.3): a secret in the form or as Basic, or none for public clients.

export const credentialParameters = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const;

export type CredentialParameters = Parameters<(typeof credentialParameters)[number]>;

/** Who somebody claims to be, and the proof they gave. */
export interface ClientCredentials {
  readonly id: string;
  /** Unproven, and a secret if it is right. */
  readonly secret?: string;
}

/**
 * Reads who asks, by their own account.
 * @param authorization the Authorization header, if there is one
 * @throws ProtocolError `invalid_request` for credentials in two places; `invalid_client`, always the same, for all else
 */
export const parseClientCredentials = (
  authorization: string | null,
  form: CredentialParameters,
): ClientCredentials =>
  authorization === null ? parseFormCredentials(form) : parseHeaderCredentials(authorization, form);

/** Whoever can prove itself: a client, or a resource server. */
export type ClientAuthMethod =
  | { readonly authentication: 'none' }
  | { readonly authentication: 'client_secret'; readonly secrets: readonly string[] };

/**
 * Makes sure who asks.
 * @throws ProtocolError `invalid_client`, always the same
 */
export const verifyClientCredentials = async <Party extends ClientAuthMethod>(
  credentials: ClientCredentials,
  parties: Parties<Party>,
): Promise<Party> => {
  const party = parties.get(credentials.id);
  if (party === undefined) {
    // Spend the time of a comparison, so that ids cannot be told apart by it.
    await timingSafeEqual(credentials.secret ?? '', '');
    throw new ProtocolError('authentication.unknown-client');
  }
  await verifySecret(party, credentials.secret);
  return party;
};

const verifySecret = async (party: ClientAuthMethod, secret: string | undefined): Promise<void> => {
  switch (party.authentication) {
    case 'none':
      if (secret !== undefined) throw new ProtocolError('authentication.method');
      return;
    case 'client_secret': {
      if (secret === undefined) throw new ProtocolError('authentication.method');
      const matches = await Promise.all(party.secrets.map((valid) => timingSafeEqual(secret, valid)));
      if (!matches.includes(true)) throw new ProtocolError('authentication.secret');
    }
  }
};

const parseFormCredentials = (form: CredentialParameters): ClientCredentials => {
  // An assertion that we cannot check must fail; it must not fall back to what else was sent.
  if (form.client_assertion ?? form.client_assertion_type) throw new ProtocolError('authentication.method');
  if (form.client_id === undefined) throw new ProtocolError('authentication.missing');
  return form.client_secret === undefined
    ? { id: form.client_id }
    : { id: form.client_id, secret: form.client_secret };
};

const parseHeaderCredentials = (authorization: string, form: CredentialParameters): ClientCredentials => {
  if (form.client_secret ?? form.client_assertion ?? form.client_assertion_type) {
    throw new ProtocolError('authentication.multiple');
  }
  const credentials = parseBasic(authorization);
  if (form.client_id !== undefined && form.client_id !== credentials.id)
    throw new ProtocolError('authentication.multiple');
  return credentials;
};

/** RFC 7617, with id and secret form-encoded beforehand as RFC 6749 §2.3.1 has it. */
const parseBasic = (authorization: string): ClientCredentials => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw new ProtocolError('authentication.malformed');
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(':');
    if (colon < 1) throw new ProtocolError('authentication.malformed');
    // Ids and secrets have no blanks, so a plus sign stands for itself, whether or not the client encodes.
    const id = decodeURIComponent(pair.slice(0, colon));
    const secret = decodeURIComponent(pair.slice(colon + 1));
    // A client without a secret can send an empty password (RFC 6749 §2.3.1), as `curl -u app:` does.
    return secret === '' ? { id } : { id, secret };
  } catch (cause) {
    throw new ProtocolError('authentication.malformed', { cause });
  }
};
