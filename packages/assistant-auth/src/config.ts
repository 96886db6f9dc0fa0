/** The face in types: what a publisher passes to `createBroker`, and what comes back. */

import type { UserData } from './account/context.ts';
import type { Client } from './clients/client.ts';
import type { ResourceServer } from './clients/introspection-client.ts';
import type { Limits } from './limits/rate-limits.ts';
import { ConfigurationError } from './oauth/errors.ts';
import { continueChoice } from './oauth/identifiers.ts';
import { type Issuer, isLoopback } from './oauth/issuer.ts';
import type { Log } from './oauth/log.ts';
import { canonicalResource, parseResourceIdentifier } from './oauth/resource.ts';
import { offlineAccess, scopeName } from './oauth/scope.ts';
import type { RandomBytes } from './oauth/secrets.ts';
import type { Clock, Milliseconds, Seconds } from './oauth/time.ts';
import type { Protection, Requirement } from './protect.ts';
import type { IdentityProvider } from './providers/provider.ts';
import type { Admit } from './sign-in/resolve-user.ts';
import type { LateRefresh, Ledger } from './storage/broker-storage.ts';
import type { AfterResponse } from './storage/cleanup.ts';
import type { Lifetimes } from './tokens/lifetimes.ts';
import type { Branding } from './ui/branding.ts';
import type { Pages } from './ui/pages.ts';

export interface BrokerOptions {
  /** The broker's own origin, for example `https://words.example`: no path; http only on loopback. */
  readonly issuer: string;
  /** The key ring: keys written `<id>.<base64url of 32 bytes>`, separated by spaces. The first key seals, all keys open. Secret. */
  readonly sealingKeys: string;
  /**
   * Lists every scope that exists, with a description that completes "it will be able to". `offline_access` is added if a client can get
   * refresh tokens. `openid` is not allowed, because the broker issues no ID tokens.
   */
  readonly scopes: Readonly<Record<string, string>>;
  /**
   * Lists the identifiers (RFC 8707) of the guarded APIs; the first is the default. They must be absolute https URLs (http only on
   * loopback). The case of scheme and host, the default port and `/` as the whole path make no difference (RFC 3986 §6.2.2.1, §6.2.3).
   * Default: the issuer.
   */
  readonly resources?: readonly [string, ...string[]];
  readonly clients: readonly Client[];
  /** APIs in other processes that may ask about the tokens they are sent. Left out: none. */
  readonly resourceServers?: readonly ResourceServer[];
  readonly providers: readonly IdentityProvider[];
  readonly ledger: Ledger;
  /** Maps a verified identity to a user of the publisher's, or refuses it. Left out: everybody, as our own users. */
  readonly admit?: Admit;
  /** Replaces individual limits or the rate limiters that count them. Default: see `Limits`; each process counts separately. */
  readonly limits?: Partial<Limits>;
  /**
   * Tells a caller's network address, from where only the platform can have written it; never from `X-Forwarded-For`, which
   * anybody can send. Left out, or `undefined`: sign-ins are not limited, and failed clients are counted without it.
   */
  readonly clientAddress?: (request: Request) => string | undefined;
  /**
   * Gives what the publisher keeps of a user, as JSON, for the file with all their data that a person may ask for. Left out: nothing
   * beside the broker's own.
   */
  readonly onExportUser?: UserData['onExportUser'];
  /**
   * Deletes what the publisher keeps of a user, before the broker deletes the account. When it throws, nothing else is deleted and
   * the person can try again, so it may be called twice. Access tokens live for up to ten seconds more: a write
   * must make sure that its user is still there.
   */
  readonly onDeleteUser?: UserData['onDeleteUser'];
  /** In seconds; every bound is checked. */
  readonly lifetimes?: Partial<Lifetimes>;
  /**
   * Decides what happens if a client presents a replaced refresh token after the grace period of 120 seconds and its successor was never
   * used. Either the response with the successor was lost, or the token was stolen (RFC 9700 §4.14.2). `recover`: the client gets new
   * tokens, and the successor becomes invalid; presenting the successor then revokes the grant. `revoke`: the grant is revoked at once.
   * Default: `recover`.
   */
  readonly lateRefresh?: LateRefresh;
  readonly branding?: Partial<Branding>;
  /** Replaces whole pages. */
  readonly pages?: Partial<Pages>;
  /**
   * Seconds between two sweeps that writes of this process start by themselves, 60 to 86400, for a platform without a schedule.
   * Left out: none; call `sweep`.
   */
  readonly sweepEvery?: Seconds;
  /** How long a ledger's audit is kept, in seconds: a day to 400 days. Left out: 90 days. */
  readonly auditRetention?: Seconds;
  /**
   * Keeps work going after a response, and if the client disconnects before it: `waitUntil` on Cloudflare, which otherwise stops such
   * work. Set it there: rechecks at providers depend on it. Default: nothing, for platforms that stop no work.
   */
  readonly afterResponse?: AfterResponse;
  /** Left out: one line of JSON per event on the console. */
  readonly log?: Log;
  readonly fetch?: typeof fetch;
  readonly now?: Clock;
  readonly randomBytes?: RandomBytes;
  /** Waits between attempts to store the outcome of a recheck or an upstream token, in milliseconds. Default: `setTimeout`. */
  readonly sleep?: (duration: Milliseconds) => Promise<void>;
}

/** Answers one request. It never throws. */
export type Endpoint = (request: Request) => Promise<Response>;

/** Where an endpoint is mounted, for all methods; a path that ends in `/*` takes everything below it. */
export interface Route {
  readonly path: string;
  readonly endpoint: Endpoint;
}

export interface Broker {
  /** Every endpoint with its path: mount them all, in any router. */
  readonly routes: readonly Route[];
  /** Tells who calls a guarded API, without reading storage on a busy isolate. */
  protect(request: Request, requirement?: Requirement): Promise<Protection>;
  /**
   * Deletes expired data, records which keys are in the ring, and reseals up to a hundred stored upstream tokens with the first key.
   * Call it on a schedule, or set `sweepEvery`.
   */
  sweep(): Promise<void>;
}

// The options that concern several rooms at once, parsed and held against each other.

const day: Seconds = 86_400;
const offlineAccessSentence = 'stay connected until you end it';

/**
 * Adds `offline_access` to the scopes if a client can get refresh tokens, and checks that the scopes of each client exist.
 * @throws ConfigurationError `scopes` for a malformed name, an empty description or `openid`, `clients.<id>.scopes` for an unknown one
 */
export const parseScopes = (
  described: Readonly<Record<string, string>>,
  clients: readonly Client[],
): ReadonlyMap<string, string> => {
  const refreshes = clients.some(
    (client) => client.offlineAccess === 'always' || client.scopes.includes(offlineAccess),
  );
  const scopes = new Map(
    Object.entries({ ...(refreshes ? { [offlineAccess]: offlineAccessSentence } : {}), ...described }),
  );
  for (const [name, sentence] of scopes) {
    if (!scopeName.test(name))
      throw new ConfigurationError('scopes', `must not contain space, comma, quote or backslash: ${name}`);
    // A client that is granted `openid` must get an ID token (OpenID Connect Core §3.1.3.3), and this server issues none.
    if (name === 'openid') throw new ConfigurationError('scopes', 'must not contain openid.');
    if (sentence.trim() === '')
      throw new ConfigurationError('scopes', `must have a sentence for each scope: ${name}`);
  }
  for (const client of clients) {
    const unknown = client.scopes.find((scope) => !scopes.has(scope));
    if (unknown !== undefined)
      throw new ConfigurationError(`clients.${client.id}.scopes`, `must be declared in scopes: ${unknown}`);
  }
  return scopes;
};

/**
 * Checks how long the audit is kept.
 * @returns 90 days when left out
 * @throws ConfigurationError `auditRetention` unless it is whole and a day to 400 days
 */
export const parseAuditRetention = (given: Seconds = 90 * day): Seconds => {
  if (Number.isInteger(given) && given >= day && given <= 400 * day) return given;
  const bounds = `from ${day} to ${400 * day}`;
  throw new ConfigurationError('auditRetention', `must be a whole number of seconds ${bounds}.`);
};

/**
 * Checks the option `lateRefresh`.
 * @returns the value; by default `recover`
 * @throws ConfigurationError `lateRefresh` for any other value
 */
export const parseLateRefresh = (given: LateRefresh = 'recover'): LateRefresh => {
  if (given === 'recover' || given === 'revoke') return given;
  throw new ConfigurationError('lateRefresh', 'must be recover or revoke.');
};

/**
 * Parses resource identifiers (RFC 8707 §2): absolute https URLs without a fragment; http only on loopback.
 * @returns their canonical forms; by default the issuer
 * @throws ConfigurationError `resources` for a malformed identifier, or for two that are equivalent
 */
export const parseResources = (
  given: readonly [string, ...string[]] | undefined,
  issuer: Issuer,
): readonly [string, ...string[]] => {
  const [first = issuer, ...others] = (given ?? [issuer]).map((text) => parseResource('resources', text));
  const resources = [first, ...others] as const;
  const repeated = resources.find((resource, at) => resources.indexOf(resource) < at);
  if (repeated !== undefined)
    throw new ConfigurationError('resources', `must be different; two of them are ${repeated}`);
  return resources;
};

/**
 * Parses one resource identifier.
 * @returns its canonical form, from which keys are derived
 * @throws ConfigurationError with the name of the option
 */
export const parseResource = (option: string, text: string): string => {
  const resource = parseResourceIdentifier(text);
  const url = resource === undefined ? null : URL.parse(resource);
  const isAllowed = url !== null && (url.protocol === 'https:' || isLoopback(url));
  // Clients send the identifier as a URL parser writes it, so one that the parser changes could never be requested.
  if (resource !== undefined && isAllowed && canonicalResource(url.href) === resource) return resource;
  throw new ConfigurationError(
    option,
    `must be absolute, normalized https URLs without user information or a fragment: ${text}`,
  );
};

/**
 * Checks the providers together. Plain http is for stand-ins, and stand-ins are for a broker on loopback.
 * @throws ConfigurationError `providers` for none, a bad or repeated id, or an http address beyond that
 */
export const parseProviders = (
  given: readonly IdentityProvider[],
  issuer: Issuer,
): ReadonlyMap<string, IdentityProvider> => {
  const providers = new Map(given.map((provider) => [provider.id, provider]));
  if (providers.size === 0) throw new ConfigurationError('providers', 'must hold at least one.');
  if (providers.size < given.length) throw new ConfigurationError('providers', 'must have different ids.');
  const local = isLoopback(new URL(issuer));
  for (const { id, configuredUrls } of given) {
    if (!/^[a-z0-9-]{1,32}$/.test(id) || id === continueChoice)
      throw new ConfigurationError(
        'providers',
        `must have ids of a-z, 0-9 and hyphen, not ${continueChoice}: ${id}`,
      );
    for (const configured of configuredUrls) {
      const url = URL.parse(configured);
      if (url?.protocol === 'https:' || (local && url !== null && isLoopback(url))) continue;
      throw new ConfigurationError(`providers.${id}`, `must use https: ${configured}`);
    }
  }
  return providers;
};
