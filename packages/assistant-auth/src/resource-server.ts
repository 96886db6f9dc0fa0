/**
 * Protects an API in another process. It opens the access tokens of one resource with keys that are derived
 * for that resource, and needs no key ring, no broker storage and no provider.
 * @module
 */

import { consoleLog, systemClock } from './defaults.ts';
import { createEventLog } from './endpoint/event-log.ts';
import { rejectUnknownOptions } from './oauth/errors.ts';
import type { Clock } from './oauth/identifiers.ts';
import type { Log, OnEvent } from './oauth/log.ts';
import { parseIssuer, parseResource } from './oauth/resource.ts';
import { systemRandom } from './oauth/secrets.ts';
import {
  type AuthorizedCall,
  createProtect,
  type ProtectOptions,
  type ProtectResult,
  type RefusedCall,
} from './protect.ts';
import { createDerivedKeyOpener } from './seal/sealer.ts';
import type { WaitUntil } from './storage/cleanup.ts';
import {
  createRevocationCache,
  type RevocationCache,
  type RevocationSource,
} from './storage/revocation-cache.ts';
import { accessToken } from './tokens/sealed-types.ts';
import { createSealedTypeOpener } from './tokens/sealers.ts';

export type { Cors } from './http/cors.ts';
export { corsHeaders } from './http/responses.ts';
export type { RateLimiter } from './limits/rate-limits.ts';
export { type RevocableToken, type RevocationPage, StorageUnavailable } from './storage/broker-storage.ts';
export type { AuthorizedCall, ProtectOptions, ProtectResult, RefusedCall, RevocationSource };

/** The options of `createResourceServer`. */
export interface ResourceServerOptions {
  /** The broker's origin, as in its option `issuer`. The challenge of a refused call contains it. */
  readonly issuer: string;
  /**
   * The identifier of this API (RFC 8707), one of the broker's `resources`. Calls to any origin other than
   * its own are refused.
   */
  readonly resource: string;
  /**
   * The keys derived for this resource, as `deriveResourceKeys` returns them. Secret: someone who has them
   * can create tokens for this API.
   */
  readonly keys: string;
  /**
   * Reads revocations. If it cannot, it must throw `StorageUnavailable`; revocations read before are then
   * used until they are a minute old. Default: none, so this API accepts a revoked token until it expires.
   */
  readonly revocations?: RevocationSource;
  /** Receives the log events. Default: writes one line of JSON per event to the console. */
  readonly log?: Log;
  /**
   * Receives the same events as `log`, after it, for example for metrics. What it throws or rejects is logged
   * as `event-hook-failed`, and affects no call. Default: none.
   */
  readonly onEvent?: OnEvent;
  /**
   * Keeps the work of `onEvent` running after the response is sent: `waitUntil` on Cloudflare. Default: does
   * nothing, for platforms that do not stop work.
   */
  readonly waitUntil?: WaitUntil;
  /** Returns the current time in whole seconds. Default: the system clock. */
  readonly now?: Clock;
}

/** Protects one API. */
export interface ResourceServer {
  /**
   * Verifies the access token of a call (RFC 6750): that the broker issued it for this API, that it has
   * neither expired nor been revoked, and that it has all required scopes. Never throws. Does not use `this`,
   * so you can pass the function alone.
   * @param request the call. Only its method, URL and headers are read; the body stays unread
   * @param options what the call must meet
   * @returns the user, the client, the grant and the scopes of the call, or the complete response to send
   *   instead
   */
  protect(request: Request, options?: Omit<ProtectOptions, 'resource'>): Promise<ProtectResult>;
}

/**
 * Creates the guard of one API. Create it once per process, because it caches imported keys and revocations.
 * @param options the API, its keys, and where revocations are read
 * @throws ConfigurationError with the name of the option that is missing or malformed
 * @example
 * ```ts
 * import { createResourceServer } from 'assistant-auth/resource-server';
 *
 * const server = createResourceServer({
 *   issuer: 'https://words.example',
 *   resource: 'https://scores.example',
 *   keys: env.RESOURCE_KEYS,
 * });
 *
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     const auth = await server.protect(request, { scopes: ['score'] });
 *     return auth.ok ? Response.json({ user: auth.user.id }) : auth.response;
 *   },
 * };
 * ```
 */
export const createResourceServer = (options: ResourceServerOptions): ResourceServer => {
  const { issuer, resource: given, keys, revocations, now = systemClock, ...others } = options;
  const { log: receiveLog = consoleLog, onEvent, waitUntil = ignoreWork, ...unknown } = others;
  rejectUnknownOptions('', unknown);
  const log = createEventLog({ log: receiveLog, onEvent, waitUntil });
  const resource = parseResource('resource', given);
  const protect = createProtect({
    ...{ log, now },
    issuer: parseIssuer(issuer),
    origin: new URL(resource).origin,
    resources: [resource],
    metadataPaths: new Map(),
    sealers: {
      access: new Map([[resource, createSealedTypeOpener(createDerivedKeyOpener(keys), accessToken)]]),
    },
    revocations: revocations === undefined ? noRevocations : createRevocationCache(revocations, now),
    randomBytes: systemRandom,
  });
  return { protect };
};

const ignoreWork: WaitUntil = () => {};

const noRevocations: RevocationCache = { isRevoked: () => false };
