/**
 * The sub-path export `assistant-auth/resource-server`: the guard of an API in another process. It opens tokens of one
 * resource with that resource's sub-keys, and has nothing else of the broker: no key ring, no storage, no provider.
 */

import { consoleLog, systemClock, systemRandom } from './defaults.ts';
import type { Clock } from './oauth/identifiers.ts';
import { type Log, safeLogger } from './oauth/log.ts';
import { parseIssuer, parseResource } from './oauth/resource.ts';
import { createProtect, type ProtectOptions, type ProtectResult } from './protect.ts';
import { createDerivedKeyOpener } from './seal/sealer.ts';
import {
  createRevocationCache,
  type RevocationCache,
  type RevocationSource,
} from './storage/revocation-cache.ts';
import { accessToken } from './tokens/sealed-types.ts';
import { createSealedTypeOpener } from './tokens/sealers.ts';

export { type Cors, corsHeaders } from './http/cors.ts';
export type { RateLimiter } from './limits/rate-limits.ts';
export { type RevocableToken, type RevocationPage, StorageUnavailable } from './storage/broker-storage.ts';
export type { Access } from './tokens/sealed-types.ts';
export type { ProtectOptions, ProtectResult, RevocationSource };

export interface IntrospectionClientOptions {
  /** The broker's origin, which the challenge names. */
  readonly issuer: string;
  /** This API's identifier (RFC 8707) among the broker's `resources`. Calls to another origin than its own are refused. */
  readonly resource: string;
  /** The sub-keys of this resource, as `npm run keys -- audience` prints them. Secret: who has them can make tokens for it. */
  readonly keys: string;
  /**
   * Where revocations are read. What cannot answer throws `StorageUnavailable`, which is bridged for a minute. Left out: a
   * revoked token goes on here until it expires.
   */
  readonly revocations?: RevocationSource;
  /** Left out: one line of JSON per event on the console. */
  readonly log?: Log;
  readonly now?: Clock;
}

export interface IntrospectionClient {
  /** Returns the caller, or the finished response to send instead (401, 403, 421, 429, 503, or 204 for a CORS preflight). */
  protect(request: Request, requirement?: Omit<ProtectOptions, 'resource'>): Promise<ProtectResult>;
}

/**
 * Builds the guard. Build it once per process: it keeps imported keys and the revocation memory.
 * @throws ConfigurationError naming the option that is missing, malformed or not meant for this place
 */
export const createResourceServer = (options: IntrospectionClientOptions): IntrospectionClient => {
  const { revocations, now = systemClock } = options;
  const log = safeLogger(options.log ?? consoleLog, consoleLog);
  const resource = parseResource('resource', options.resource);
  const protect = createProtect({
    ...{ log, now },
    issuer: parseIssuer(options.issuer),
    origin: new URL(resource).origin,
    resources: [resource],
    sealers: {
      access: new Map([
        [resource, createSealedTypeOpener(createDerivedKeyOpener(options.keys), accessToken)],
      ]),
    },
    revocations: revocations === undefined ? noRevocations : createRevocationCache(revocations, now),
    randomBytes: systemRandom,
  });
  return { protect };
};

const noRevocations: RevocationCache = { isRevoked: () => false };
