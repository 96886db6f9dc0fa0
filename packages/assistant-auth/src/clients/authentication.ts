/** Making sure who asks at an endpoint for programs, and counting those who fail (RFC 6749 §2.3.1, §10.10). */
import type { AddressBlockOf, Limits } from '../limits/rate-limits.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Parameters } from '../oauth/parameters.ts';
import { sameSecret } from '../oauth/secrets.ts';

interface AuthenticationContext {
  readonly limits: Pick<Limits, 'failedClients'>;
  readonly addressBlockOf: AddressBlockOf;
}

/** No registered id is longer. */
const longestId = 200;

/**
 * Finds out who asks. Counts failures alone, after the fact: whoever has the right secret comes in, however many guess
 * beside them.
 * @throws Refusal `invalid_client`, always the same; 429 after too many failures
 */
export const recognise = async <Party extends Prover>(
  { limits, addressBlockOf }: AuthenticationContext,
  request: Request,
  form: Credentials,
  find: (id: string) => Party | undefined,
): Promise<Party> => {
  const claim = readClaim(request.headers.get('authorization'), form);
  try {
    return await authenticate(claim, find);
  } catch (cause) {
    const key = failureKey(claim.id, addressBlockOf(request));
    if ((await limits.failedClients.take(key)) === 'allowed') throw cause;
    throw new Refusal('authentication.limited', { cause });
  }
};

/** By the id as it was claimed, known or not: a count that unknown ids shared would tell them from known ones. */
const failureKey = (claimedId: string, block = 'anywhere'): string =>
  `${block} ${claimedId.slice(0, longestId)}`;

/** The challenge that goes with a 401 here (RFC 7617). */
export const basicChallenge = (issuer: string): string => `Basic realm="${issuer}", charset="UTF-8"`;

// Client authentication (RFC 6749 §2.3): a secret in the form or as Basic, or none for public clients.

export const credentialParameters = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const;

export type Credentials = Parameters<(typeof credentialParameters)[number]>;

/** Who somebody claims to be, and the proof they gave. */
export interface Claim {
  readonly id: string;
  /** Unproven, and a secret if it is right. */
  readonly secret?: string;
}

/**
 * Reads who asks, by their own account.
 * @param authorization the Authorization header, if there is one
 * @throws Refusal `invalid_request` for credentials in two places; `invalid_client`, always the same, for all else
 */
export const readClaim = (authorization: string | null, form: Credentials): Claim =>
  authorization === null ? claimInForm(form) : claimInHeader(authorization, form);

/** Whoever can prove itself: a client, or a resource server. */
export type Prover =
  | { readonly authentication: 'none' }
  | { readonly authentication: 'client_secret'; readonly secrets: readonly string[] };

/**
 * Makes sure who asks.
 * @throws Refusal `invalid_client`, always the same
 */
export const authenticate = async <Party extends Prover>(
  claim: Claim,
  find: (id: string) => Party | undefined,
): Promise<Party> => {
  const party = find(claim.id);
  if (party === undefined) {
    // Spend the time of a comparison, so that ids cannot be told apart by it.
    await sameSecret(claim.secret ?? '', '');
    throw new Refusal('authentication.unknown-client');
  }
  await checkProof(party, claim.secret);
  return party;
};

const checkProof = async (party: Prover, secret: string | undefined): Promise<void> => {
  switch (party.authentication) {
    case 'none':
      if (secret !== undefined) throw new Refusal('authentication.method');
      return;
    case 'client_secret': {
      if (secret === undefined) throw new Refusal('authentication.method');
      const matches = await Promise.all(party.secrets.map((valid) => sameSecret(secret, valid)));
      if (!matches.includes(true)) throw new Refusal('authentication.secret');
    }
  }
};

const claimInForm = (form: Credentials): Claim => {
  // An assertion that we cannot check must fail; it must not fall back to what else was sent.
  if (form.client_assertion ?? form.client_assertion_type) throw new Refusal('authentication.method');
  if (form.client_id === undefined) throw new Refusal('authentication.missing');
  return form.client_secret === undefined
    ? { id: form.client_id }
    : { id: form.client_id, secret: form.client_secret };
};

const claimInHeader = (authorization: string, form: Credentials): Claim => {
  if (form.client_secret ?? form.client_assertion ?? form.client_assertion_type) {
    throw new Refusal('authentication.several');
  }
  const claim = parseBasic(authorization);
  if (form.client_id !== undefined && form.client_id !== claim.id)
    throw new Refusal('authentication.several');
  return claim;
};

/** RFC 7617, with id and secret form-encoded beforehand as RFC 6749 §2.3.1 has it. */
const parseBasic = (authorization: string): Claim => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw new Refusal('authentication.malformed');
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(':');
    if (colon < 1) throw new Refusal('authentication.malformed');
    // Ids and secrets have no blanks, so a plus sign stands for itself, whether or not the client encodes.
    const id = decodeURIComponent(pair.slice(0, colon));
    const secret = decodeURIComponent(pair.slice(colon + 1));
    // A client without a secret can send an empty password (RFC 6749 §2.3.1), as `curl -u app:` does.
    return secret === '' ? { id } : { id, secret };
  } catch (cause) {
    throw new Refusal('authentication.malformed', { cause });
  }
};
