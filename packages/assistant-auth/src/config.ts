/** The options of `createBroker`: their types, their defaults, and the checks that stop an invalid configuration at startup. */
import { type Client, createRegistry } from './clients/client.ts';
import { createIntrospectionClients, type IntrospectionClient } from './clients/introspection-client.ts';
import type { Admit, BrokerContext } from './context.ts';
import { consoleLog, systemClock, systemRandom, systemSleep } from './defaults.ts';
import {
  type AddressBlockOf,
  type Allowance,
  addressBlock,
  createLimits,
  createMemoryLimiter,
  type Limits,
  type RateLimiter,
} from './limits/rate-limits.ts';
import { ConfigurationError } from './oauth/errors.ts';
import { accountClientId, continueChoice } from './oauth/identifiers.ts';
import { type Issuer, isLoopback, parseIssuer } from './oauth/issuer.ts';
import { type Log, safeLogger } from './oauth/log.ts';
import { parseResources } from './oauth/resource.ts';
import { offlineAccess, scopeName } from './oauth/scope.ts';
import type { RandomBytes } from './oauth/secrets.ts';
import type { Clock, Milliseconds, Seconds } from './oauth/time.ts';
import type { IdentityProvider } from './providers/provider.ts';
import { parseKeyRing } from './seal/key-ring.ts';
import type { AccountFeature } from './sign-in/callback.ts';
import { admitEverybody } from './sign-in/resolve-user.ts';
import type { LateRefresh, Ledger } from './storage/broker-storage.ts';
import { type AfterResponse, createCleanup, sweptOnWrite } from './storage/cleanup.ts';
import { createRevocationWatch } from './storage/revocation-cache.ts';
import { createResealing } from './tokens/key-rotation.ts';
import { type Lifetimes, parseLifetimes } from './tokens/lifetimes.ts';
import { createVault } from './tokens/sealers.ts';
import { type Branding, parseBranding } from './ui/branding.ts';
import { defaultPages, type Pages } from './ui/pages.ts';

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
  readonly resourceServers?: readonly IntrospectionClient[];
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

/**
 * Checks all options and builds what the endpoints share.
 * @throws ConfigurationError naming the option that is missing, unsafe or contradicts another
 */
export const resolveOptions = (
  options: BrokerOptions,
): { readonly context: BrokerContext; readonly sweep: () => Promise<void> } => {
  const { now = systemClock, randomBytes = systemRandom, afterResponse = ignoreWork } = options;
  const log = safeLogger(options.log ?? consoleLog, consoleLog);
  const issuer = parseIssuer(options.issuer);
  const resources = parseResources(options.resources, issuer);
  const ring = parseKeyRing(options.sealingKeys);
  const vault = createVault(ring, issuer, resources, randomBytes);
  const sweep = createCleanup({
    ...{ ledger: options.ledger, ring, now, auditRetention: parseAuditRetention(options.auditRetention) },
    reseal: createResealing({ ledger: options.ledger, vault, ring, now }),
  });
  const ledger =
    options.sweepEvery === undefined
      ? options.ledger
      : sweptOnWrite(options.ledger, { every: options.sweepEvery, sweep, afterResponse, now, log });
  const registry = createRegistry(options.clients, issuer);
  const outside = {
    // Called as a plain function: Workers refuse fetch as a method of something else.
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    now,
    allowLoopbackHttp: isLoopback(new URL(issuer)),
  };
  const context: BrokerContext = {
    ...{ issuer, resources, registry, ledger, vault, log, now, randomBytes, afterResponse },
    introspectionClients: createIntrospectionClients(
      options.resourceServers ?? [],
      (id) => id === accountClientId || registry.find(id) !== undefined,
      resources,
    ),
    lifetimes: parseLifetimes(options.lifetimes),
    lateRefresh: parseLateRefresh(options.lateRefresh),
    sleep: options.sleep ?? systemSleep,
    scopes: parseScopes(options.scopes, registry.clients),
    providers: parseProviders(options.providers, issuer),
    pages: { ...defaultPages, ...options.pages },
    branding: parseBranding({ name: new URL(issuer).host, ...options.branding }),
    admit: options.admit ?? admitEverybody,
    revocations: createRevocationWatch(ledger, now),
    limits: createLimits(options.limits, now, log),
    addressBlockOf: blockOf(options.clientAddress),
    providerIo: { ...outside, patience: 10_000 },
    // A client waits for its refresh, and Claude for no more than 30 seconds.
    recheckIo: { ...outside, patience: 3_000 },
  };
  return { context, sweep };
};

const ignoreWork: AfterResponse = () => {};

const blockOf =
  (clientAddress: BrokerOptions['clientAddress']): AddressBlockOf =>
  (request) => {
    const address = clientAddress?.(request);
    return address === undefined ? undefined : addressBlock(address);
  };

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

/**
 * Makes a rate limiter that counts in this process, for example for `protect`.
 * @param now left out: the system's clock
 * @throws ConfigurationError `limits` for an allowance that is not made of whole numbers from 1 on
 */
export const memoryLimiter = (allowance: Allowance, now: Clock = systemClock): RateLimiter =>
  createMemoryLimiter(allowance, now);
