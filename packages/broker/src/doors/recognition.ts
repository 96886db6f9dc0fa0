/** Making sure who asks at an endpoint for programs, and counting those who fail (RFC 6749 §2.3.1, §10.10). */
import { authenticate, type Credentials, type Prover, readClaim } from '../clients/authenticate.ts';
import type { AddressBlockOf } from '../limits/address-block.ts';
import type { Limits } from '../limits/limits.ts';
import { Refusal } from '../protocol/errors.ts';

export interface RecognitionRooms {
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
  { limits, addressBlockOf }: RecognitionRooms,
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
