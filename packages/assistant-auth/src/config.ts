/** The options of `createBroker`: their types, their defaults, and the checks that stop an invalid configuration at startup. */

import { type Client, createClientRegistry } from './clients/client.ts';
import { createIntrospectionClients, type IntrospectionClient } from './clients/introspection-client.ts';
import { type BrokerContext, defaultPages, type Pages, type ResolveUser } from './context.ts';
import { consoleLog, systemClock, systemRandom, systemSleep } from './defaults.ts';
import {
  type Allowance,
  createLimits,
  createMemoryLimiter,
  type Limits,
  type RateLimiter,
} from './limits/rate-limits.ts';
import { ConfigurationError } from './oauth/errors.ts';
import {
  accountClientId,
  type Clock,
  continueChoice,
  type Milliseconds,
  type Seconds,
} from './oauth/identifiers.ts';
import { type Log, safeLogger } from './oauth/log.ts';
import { type Issuer, isLoopback, parseIssuer, parseResources } from './oauth/resource.ts';
import { offlineAccessScope, scopeNamePattern } from './oauth/scope.ts';
import type { RandomBytes } from './oauth/secrets.ts';
import type { IdentityProvider } from './providers/provider.ts';
import { parseKeyRing } from './seal/key-ring.ts';
import type { AccountFeature } from './sign-in/callback.ts';
import { acceptEveryIdentity } from './sign-in/resolve-user.ts';
import type { BrokerStorage, LateRefresh } from './storage/broker-storage.ts';
import { cleanUpOnWrite, createCleanup, type WaitUntil } from './storage/cleanup.ts';
import { createRevocationCache } from './storage/revocation-cache.ts';
import { createKeyRotation } from './tokens/key-rotation.ts';
import { type Lifetimes, parseLifetimes } from './tokens/lifetimes.ts';
import { createSealers } from './tokens/sealers.ts';
import { type Branding, parseBranding } from './ui/branding.ts';

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
  readonly introspectionClients?: readonly IntrospectionClient[];
  readonly providers: readonly IdentityProvider[];
  readonly storage: BrokerStorage;
  /** Maps a verified identity to a user of the publisher's, or refuses it. Left out: everybody, as our own users. */
  readonly resolveUser?: ResolveUser;
  /** Replaces individual limits or the rate limiters that count them. Default: see `Limits`; each process counts separately. */
  readonly limits?: Partial<Limits>;
  /**
   * Tells a caller's network address, from where only the platform can have written it; never from `X-Forwarded-For`, which
   * anybody can send. Left out, or `undefined`: sign-ins are not limited, and failed clients are counted without it.
   */
  readonly clientAddress?: (request: Request) => string | undefined;
  /** In seconds; every bound is checked. */
  readonly lifetimes?: Partial<Lifetimes>;
  /**
   * Decides what happens if a client presents a replaced refresh token after the grace period of 120 seconds and its successor was never
   * used. Either the response with the successor was lost, or the token was stolen (RFC 9700 §4.14.2). `recover`: the client gets new
   * tokens, and the successor becomes invalid; presenting the successor then revokes the grant. `revoke`: the grant is revoked at once.
   * Default: `recover`.
   */
  readonly lateRefresh?: LateRefresh;
  /** The account page, created by `accountPages()` from `assistant-auth/account`. Default: none. */
  readonly account?: AccountFeature;
  readonly branding?: Partial<Branding>;
  /** Replaces whole pages. */
  readonly pages?: Partial<Pages>;
  /**
   * Seconds between two sweeps that writes of this process start by themselves, 60 to 86400, for a platform without a schedule.
   * Left out: none; call `cleanup`.
   */
  readonly cleanupInterval?: Seconds;
  /** How long a ledger's audit is kept, in seconds: a day to 400 days. Left out: 90 days. */
  readonly auditRetention?: Seconds;
  /**
   * Keeps work going after a response, and if the client disconnects before it: `waitUntil` on Cloudflare, which otherwise stops such
   * work. Set it there: rechecks at providers depend on it. Default: nothing, for platforms that stop no work.
   */
  readonly waitUntil?: WaitUntil;
  /** Left out: one line of JSON per event on the console. */
  readonly log?: Log;
  readonly fetch?: typeof fetch;
  readonly now?: Clock;
  readonly randomBytes?: RandomBytes;
  /** Waits between attempts to store the outcome of a recheck or an upstream token, in milliseconds. Default: `setTimeout`. */
  readonly sleep?: (duration: Milliseconds) => Promise<void>;
}

/**
 * Checks all options and builds what the endpoints share.
 * @throws ConfigurationError naming the option that is missing, unsafe or contradicts another
 */
export const resolveOptions = (
  options: BrokerOptions,
): { readonly context: BrokerContext; readonly cleanup: () => Promise<void> } => {
  const { now = systemClock, randomBytes = systemRandom, waitUntil = ignoreWork } = options;
  const log = safeLogger(options.log ?? consoleLog, consoleLog);
  const issuer = parseIssuer(options.issuer);
  const resources = parseResources(options.resources, issuer);
  const ring = parseKeyRing(options.sealingKeys);
  const sealers = createSealers(ring, issuer, resources, randomBytes);
  const cleanup = createCleanup({
    ...{ storage: options.storage, ring, now, auditRetention: parseAuditRetention(options.auditRetention) },
    reseal: createKeyRotation({ storage: options.storage, sealers, ring, now }),
  });
  const storage =
    options.cleanupInterval === undefined
      ? options.storage
      : cleanUpOnWrite(options.storage, { interval: options.cleanupInterval, cleanup, waitUntil, now, log });
  const clients = createClientRegistry(options.clients, issuer);
  const outside = {
    // Called as a plain function: Workers refuse fetch as a method of something else.
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    now,
    allowLoopbackHttp: isLoopback(new URL(issuer)),
  };
  const context: BrokerContext = {
    ...{ issuer, resources, clients, storage, sealers, log, now, randomBytes, waitUntil },
    introspectionClients: createIntrospectionClients(
      options.introspectionClients ?? [],
      (id) => id === accountClientId || clients.has(id),
      resources,
    ),
    lifetimes: parseLifetimes(options.lifetimes),
    lateRefresh: parseLateRefresh(options.lateRefresh),
    sleep: options.sleep ?? systemSleep,
    scopes: parseScopes(options.scopes, [...clients.values()]),
    providers: parseProviders(options.providers, issuer),
    pages: { ...defaultPages, ...options.pages },
    branding: parseBranding({ name: new URL(issuer).host, ...options.branding }),
    resolveUser: options.resolveUser ?? acceptEveryIdentity,
    revocations: createRevocationCache(storage, now),
    limits: createLimits(options.limits, now, log),
    clientAddress: options.clientAddress,
    providerIo: { ...outside, timeoutMs: 10_000 },
    // A client waits for its refresh, and Claude for no more than 30 seconds.
    recheckIo: { ...outside, timeoutMs: 3_000 },
  };
  return { context, cleanup };
};

const ignoreWork: WaitUntil = () => {};

const day: Seconds = 86_400;
const offlineAccessDescription = 'stay connected until you end it';

/**
 * Adds `offline_access` to the scopes if a client can get refresh tokens, and checks that the scopes of each client exist.
 * @throws ConfigurationError `scopes` for a malformed name, an empty description or `openid`, `clients.<id>.scopes` for an unknown one
 */
export const parseScopes = (
  descriptions: Readonly<Record<string, string>>,
  clients: readonly Client[],
): ReadonlyMap<string, string> => {
  const canRefresh = clients.some(
    (client) => client.offlineAccess === 'always' || client.scopes.includes(offlineAccessScope),
  );
  const scopes = new Map(
    Object.entries({
      ...(canRefresh ? { [offlineAccessScope]: offlineAccessDescription } : {}),
      ...descriptions,
    }),
  );
  for (const [name, description] of scopes) {
    if (!scopeNamePattern.test(name))
      throw new ConfigurationError('scopes', `must not contain space, comma, quote or backslash: ${name}`);
    // A client that is granted `openid` must get an ID token (OpenID Connect Core §3.1.3.3), and this server issues none.
    if (name === 'openid') throw new ConfigurationError('scopes', 'must not contain openid.');
    if (description.trim() === '')
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
export const parseAuditRetention = (input: Seconds = 90 * day): Seconds => {
  if (Number.isInteger(input) && input >= day && input <= 400 * day) return input;
  const bounds = `from ${day} to ${400 * day}`;
  throw new ConfigurationError('auditRetention', `must be a whole number of seconds ${bounds}.`);
};

/**
 * Checks the option `lateRefresh`.
 * @returns the value; by default `recover`
 * @throws ConfigurationError `lateRefresh` for any other value
 */
const parseLateRefresh = (input: LateRefresh = 'recover'): LateRefresh => {
  if (input === 'recover' || input === 'revoke') return input;
  throw new ConfigurationError('lateRefresh', 'must be recover or revoke.');
};

/**
 * Checks the providers together. Plain http is for fake providers, and fake providers are for a broker on loopback.
 * @throws ConfigurationError `providers` for none, a bad or repeated id, or an http address beyond that
 */
export const parseProviders = (
  input: readonly IdentityProvider[],
  issuer: Issuer,
): ReadonlyMap<string, IdentityProvider> => {
  const providers = new Map(input.map((provider) => [provider.id, provider]));
  if (providers.size === 0) throw new ConfigurationError('providers', 'must hold at least one.');
  if (providers.size < input.length) throw new ConfigurationError('providers', 'must have different ids.');
  const isLocal = isLoopback(new URL(issuer));
  for (const { id, configuredUrls } of input) {
    if (!/^[a-z0-9-]{1,32}$/.test(id) || id === continueChoice)
      throw new ConfigurationError(
        'providers',
        `must have ids of a-z, 0-9 and hyphen, not ${continueChoice}: ${id}`,
      );
    for (const configuredUrl of configuredUrls) {
      const url = URL.parse(configuredUrl);
      if (url?.protocol === 'https:' || (isLocal && url !== null && isLoopback(url))) continue;
      throw new ConfigurationError(`providers.${id}`, `must use https: ${configuredUrl}`);
    }
  }
  return providers;
};

/**
 * Makes a rate limiter that counts in this process, for example for `protect`.
 * @param now left out: the system's clock
 * @throws ConfigurationError `limits` for an allowance that is not made of whole numbers from 1 on
 */
export const memoryLimiter = (allowance: Allowance, now: Clock = systemClock): RateLimiter =>
  createMemoryLimiter(allowance, now);
