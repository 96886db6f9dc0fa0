/** The sub-keys that an API in another process opens its tokens with. */

import { parseIssuer } from '../oauth/issuer.ts';
import { parseResource } from '../oauth/resource.ts';
import { parseKeyRing } from '../seal/key-ring.ts';
import { exportSubKeys } from '../seal/sealer.ts';
import { accessPurpose } from './sealers.ts';

export interface Audience {
  /** The broker's key ring; a secret. */
  readonly sealingKeys: string;
  readonly issuer: string;
  /** The API's identifier (RFC 8707), one of the broker's `resources`. */
  readonly resource: string;
}

/**
 * Derives the keys of one resource's access tokens, one for each key of the ring; a secret, which opens and can make tokens of
 * this resource and nothing else.
 * @throws ConfigurationError `sealingKeys`, `issuer` or `resource`
 */
export const audienceKeys = async ({ sealingKeys, issuer, resource }: Audience): Promise<string> =>
  exportSubKeys(
    parseKeyRing(sealingKeys),
    accessPurpose(parseIssuer(issuer), parseResource('resource', resource)),
  );
