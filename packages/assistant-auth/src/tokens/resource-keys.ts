/** The sub-keys that an API in another process opens its tokens with. */

import { parseIssuer } from '../oauth/issuer.ts';
import { parseResource } from '../oauth/resource.ts';
import { parseKeyRing } from '../seal/key-ring.ts';
import { exportDerivedKeys } from '../seal/sealer.ts';
import { accessTokenPurpose } from './sealers.ts';

export interface ResourceKeyOptions {
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
export const deriveResourceKeys = async ({
  sealingKeys,
  issuer,
  resource,
}: ResourceKeyOptions): Promise<string> =>
  exportDerivedKeys(
    parseKeyRing(sealingKeys),
    accessTokenPurpose(parseIssuer(issuer), parseResource('resource', resource)),
  );
