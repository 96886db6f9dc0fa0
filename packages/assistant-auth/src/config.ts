/**
 * The options of `createBroker`: their types, their defaults, and the checks that reject an invalid
 * configuration at startup.
 */

import type { Client } from './clients/client.ts';
import { parseScopes } from './clients/declared-scopes.ts';
import { createIntrospectionClients, type IntrospectionClient } from './clients/introspection-client.ts';
import { createClientRegistry, indexClients } from './clients/registry.ts';
import {
  type BrokerContext,
  defaultPages,
  type Pages,
  type RefreshUser,
  type ResolveUser,
} from './context.ts';
import { consoleLog, systemClock, systemSleep } from './defaults.ts';
import type { ClientSource, ClientSourceContext, ConnectedClientSource } from './endpoint/client-source.ts';
import { createCountingEventLog } from './endpoint/event-log.ts';
import {
  type Allowance,
  createLimits,
  createMemoryLimiter,
  type Limits,
  type RateLimiter,
} from './limits/rate-limits.ts';
import { ConfigurationError, parseSeconds, rejectUnknownOptions } from './oauth/errors.ts';
import {
  accountClientId,
  type Clock,
  continueChoice,
  type Milliseconds,
  type Seconds,
} from './oauth/identifiers.ts';
import type { Log, OnEvent } from './oauth/log.ts';
import { type Issuer, isLoopback, parseIssuer, parseResources } from './oauth/resource.ts';
import { type RandomBytes, systemRandom } from './oauth/secrets.ts';
import type { IdentityProvider } from './providers/provider.ts';
import { parseKeyRing } from './seal/key-ring.ts';
import type { AccountFeature } from './sign-in/callback.ts';
import { acceptEveryIdentity } from './sign-in/resolve-user.ts';
import type { BrokerStorage, LateRefresh } from './storage/broker-storage.ts';
import { createCleanup, createCleanupStarter, type WaitUntil } from './storage/cleanup.ts';
import { createRevocationCache } from './storage/revocation-cache.ts';
import { createResealer } from './tokens/key-rotation.ts';
import { type Lifetimes, parseLifetimes } from './tokens/lifetimes.ts';
import { createSealers } from './tokens/sealers.ts';
import { type PageOptions, parseLocalizedBranding } from './ui/branding.ts';

/** The options of `createBroker`. */
export interface BrokerOptions extends PageOptions {
  /** The broker's own origin without a path, for example `https://words.example`. http only on loopback. */
  readonly issuer: string;
  /**
   * The key ring: keys written `<id>.<base64url of 32 bytes>`, separated by spaces. The first key seals, all
   * keys open. Secret.
   */
  readonly sealingKeys: string;
  /**
   * Lists every scope that exists, with a description that completes "it will be able to". `offline_access`
   * is added if a client can get refresh tokens. `openid` is not allowed, because the broker issues no ID
   * tokens. If the pages have several languages, each scope has a description by language:
   * `{ score: { en: 'see your score', de: 'deinen Punktestand sehen' } }`.
   */
  readonly scopes: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /**
   * Lists the identifiers (RFC 8707) of the protected APIs; the first is the default. It must not be that of
   * an MCP server if a client can omit PKCE there: `gptAction`, or `staticClient` with `pkce`. They must be
   * absolute https URLs (http only on loopback). The case of scheme and host, the default port and `/` as the
   * whole path make no difference (RFC 3986 §6.2.2.1, §6.2.3). The broker serves the metadata (RFC 9728) of
   * those on its own origin that have no query. Default: the issuer.
   */
  readonly resources?: readonly [string, ...string[]];
  /**
   * The clients that can request tokens, created by `gptAction`, by `staticClient`, and by `mcpClients` of
   * `assistant-auth/mcp-clients`. With `mcpClients()`, clients that are not in the configuration can request
   * tokens, too: those with a metadata document, and those that register themselves.
   */
  readonly clients: readonly (Client | ClientSource)[];
  /** APIs in other processes that can use the introspection endpoint. Default: none. */
  readonly introspectionClients?: readonly IntrospectionClient[];
  /** The identity providers that users can sign in with. At least one. */
  readonly providers: readonly IdentityProvider[];
  /** Stores users, identities, grants and revocations. */
  readonly storage: BrokerStorage;
  /**
   * Maps a verified identity to one of the publisher's users, or refuses it. Default: accepts every identity,
   * and the broker assigns the user IDs.
   */
  readonly resolveUser?: ResolveUser;
  /**
   * Decides at each refresh whether the user can still use the client, and with which claims; costs one more
   * storage round trip. Default: refreshes keep the claims that `resolveUser` returned at the sign-in.
   */
  readonly refreshUser?: RefreshUser;
  /**
   * Replaces individual rate limiters or the limit on sign-ins per user. Default: the defaults of
   * {@link Limits}; each process has its own default rate limiters.
   */
  readonly limits?: Partial<Limits>;
  /**
   * Returns the IP address that a request came from, from a source that only the platform can set; never from
   * `X-Forwarded-For`, which anyone can send. If it is absent or returns `undefined`, sign-ins are not
   * limited by address, and failed authentication is counted without the address. Default: none.
   */
  readonly clientAddress?: (request: Request) => string | undefined;
  /**
   * Replaces individual lifetimes, in seconds. Values out of bounds are rejected at startup. Default: the
   * defaults of {@link Lifetimes}.
   */
  readonly lifetimes?: Partial<Lifetimes>;
  /**
   * Decides what happens if a client presents a replaced refresh token after the grace period
   * (`lifetimes.refreshGrace`) and its successor was never used. Either the response with the successor was
   * lost, or the token was stolen (RFC 9700 §4.14.2). `recover`: the client gets new tokens, and the
   * successor becomes invalid; presenting the successor then revokes the grant. `revoke`: the grant is
   * revoked at once. Default: `recover`, or `revoke` without a grace period, where `recover` is not allowed.
   */
  readonly lateRefresh?: LateRefresh;
  /** The account page, created by `accountPages()` from `assistant-auth/account`. Default: none. */
  readonly account?: AccountFeature;
  /** Replaces individual pages. Default: `defaultPages`. */
  readonly pages?: Partial<Pages>;
  /**
   * The minimum time between two cleanups that requests start, in seconds: from 60 to 86400. A sign-in or a
   * token request that succeeds starts a cleanup, unless this process has started one within that time. For
   * platforms without a schedule. Default: no request starts a cleanup; call `cleanup` on a schedule.
   */
  readonly cleanupInterval?: Seconds;
  /**
   * How long the entries of the audit log are kept, if the storage has one, in seconds: from a day to 400
   * days. Default: 90 days.
   */
  readonly auditRetention?: Seconds;
  /**
   * Keeps work running after the response is sent or the client has disconnected: `waitUntil` on Cloudflare,
   * which otherwise stops such work. Set it there, because rechecks at providers depend on it.
   * Default: does nothing, for platforms that do not stop work.
   */
  readonly waitUntil?: WaitUntil;
  /** Receives the log events. Default: writes one line of JSON per event to the console. */
  readonly log?: Log;
  /**
   * Receives the same events as `log`, after it, for example for metrics. It gets no secret, token, code or
   * user ID, but what strangers send can be part of an event. What it throws or rejects is logged as
   * `event-hook-failed`; no request fails or waits for it, and `waitUntil` keeps its promise running. Default:
   * none.
   * @example
   * ```ts
   * import type { OnEvent } from 'assistant-auth';
   *
   * interface Env {
   *   METRICS: { writeDataPoint(point: { indexes: string[]; blobs: string[] }): void };
   * }
   *
   * // On Cloudflare: one data point per event in Workers Analytics Engine.
   * export const countEvents =
   *   (env: Env): OnEvent =>
   *   ({ event, reason = '', endpoint = '' }) =>
   *     env.METRICS.writeDataPoint({ indexes: [event], blobs: [event, reason, endpoint] });
   * ```
   */
  readonly onEvent?: OnEvent;
  /** Sends the requests to providers. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Returns the current time in whole seconds. Default: the system clock. */
  readonly now?: Clock;
  /** Returns cryptographically secure random bytes. Default: `crypto.getRandomValues`. */
  readonly randomBytes?: RandomBytes;
  /**
   * Waits between attempts to store the outcome of a recheck or an upstream token, in milliseconds. Default:
   * `setTimeout`.
   */
  readonly sleep?: (duration: Milliseconds) => Promise<void>;
}

/** The parts that `createBroker` puts together. */
export interface ResolvedOptions {
  readonly context: BrokerContext;
  /** Finds clients that are not in the configuration. Absent without `mcpClients()`. */
  readonly clientSource: ConnectedClientSource | undefined;
  readonly cleanup: () => Promise<void>;
}

/**
 * Checks all options and builds the context that the endpoints share.
 * @throws ConfigurationError with the name of the option that is missing, malformed or unsafe, or that
 *   contradicts another
 */
export const resolveOptions = (options: BrokerOptions): ResolvedOptions => {
  // Names every option: what is left does not exist.
  const { sealingKeys, storage, providers, account, lifetimes, lateRefresh, cleanupInterval, ...rest } =
    options;
  const {
    resolveUser = acceptEveryIdentity,
    refreshUser,
    limits,
    clientAddress,
    introspectionClients = [],
    ...others
  } = rest;
  const { pages = {}, auditRetention = 90 * day, scopes, branding, languages, texts, ...runtime } = others;
  const { now = systemClock, randomBytes = systemRandom, sleep = systemSleep, ...platform } = runtime;
  const { waitUntil = ignoreWork, log: receiveLog = consoleLog, onEvent, ...identifiers } = platform;
  const { issuer: issuerUrl, resources: resourceUrls, clients: registered, ...network } = identifiers;
  const { fetch: send = callFetch, ...unknown } = network;
  rejectUnknownOptions('', unknown);
  for (const [name, value] of Object.entries({ storage, scopes, clients: registered, providers }))
    if (value === undefined) throw new ConfigurationError(name, 'is required.');
  rejectUnknownOptions('pages.', pages, defaultPages);
  const { log, storeRefusals } = createCountingEventLog({
    ...{ log: receiveLog, onEvent, waitUntil, storage, now },
  });
  const issuer = parseIssuer(issuerUrl);
  const resources = parseResources(resourceUrls, issuer);
  const ring = parseKeyRing(sealingKeys);
  const sealers = createSealers(ring, issuer, resources, randomBytes);
  const cleanup = createCleanup({
    ...{ storage, ring, now, storeRefusals },
    auditRetention: parseSeconds('auditRetention', auditRetention, day, 400 * day),
    reseal: createResealer({ storage, sealers, ring, now }),
  });
  const { clients, source } = separateClients(registered);
  const localizedBranding = parseLocalizedBranding(
    { ...options, branding: { name: new URL(issuer).host, ...branding } },
    { ...account?.texts, ...source?.texts },
  );
  const resolved = resolveClients(clients, source, {
    ...{ issuer, resources, storage, ring, now, randomBytes, log, fetch: send },
    scopes: parseScopes(scopes, localizedBranding.tags, clients, source),
  });
  const parsedLifetimes = parseLifetimes(lifetimes);
  const sharedIo = { fetch: send, now, allowLoopbackHttp: isLoopback(new URL(issuer)) };
  const context: BrokerContext = {
    ...{ issuer, resources, storage, sealers, log, now, randomBytes, waitUntil, sleep },
    ...{ clients: resolved.clients, scopes: resolved.scopes, branding: localizedBranding },
    ...{ resolveUser, refreshUser, clientAddress, sessions: account?.createSessions(storage) },
    introspectionClients: createIntrospectionClients(
      introspectionClients,
      (id) => id === accountClientId || resolved.clients.configured.has(id),
      resources,
    ),
    lifetimes: parsedLifetimes,
    lateRefresh: parseLateRefresh(lateRefresh, parsedLifetimes),
    providers: parseProviders(providers, issuer),
    pages: { ...defaultPages, ...account?.pages, ...pages },
    revocations: createRevocationCache(storage, now),
    startCleanupIfDue:
      cleanupInterval === undefined
        ? undefined
        : createCleanupStarter(cleanupInterval, { cleanup, now, log }),
    limits: createLimits(limits, now, log),
    providerIo: { ...sharedIo, timeoutMs: 10_000 },
    // A client waits for the response to its refresh; Claude waits for at most 30 seconds.
    recheckIo: { ...sharedIo, timeoutMs: 3_000 },
  };
  return { context, clientSource: resolved.clientSource, cleanup };
};

/**
 * Separates the clients in the configuration from the client source.
 * @throws ConfigurationError `clients` for two client sources
 */
const separateClients = (given: readonly (Client | ClientSource)[]) => {
  const isSource = (entry: Client | ClientSource): entry is ClientSource => entry.kind === 'mcp-clients';
  const [source, ...more] = given.filter(isSource);
  if (more.length > 0) throw new ConfigurationError('clients', 'must contain mcpClients() only once.');
  return { clients: given.filter((entry): entry is Client => !isSource(entry)), source };
};

/**
 * Builds the registry of the clients, and connects the client source.
 * @throws ConfigurationError `clients` for two clients with the same ID; `mcpClients.<option>`
 */
const resolveClients = (
  clients: readonly Client[],
  source: ClientSource | undefined,
  context: ClientSourceContext,
) => {
  const configured = indexClients(clients, context.issuer);
  const clientSource = source?.connect(context);
  const { scopes } = context;
  return { clients: createClientRegistry(configured, clientSource?.find), scopes, clientSource };
};

const ignoreWork: WaitUntil = () => {};

// Workers reject `fetch` if it is called as a method of another object.
const callFetch: typeof fetch = (...args: Parameters<typeof fetch>) => fetch(...args);

const day: Seconds = 86_400;

/**
 * Checks the option `lateRefresh`. Without a grace period, every replaced token is late, so with `recover`
 * each of several refreshes at the same time would succeed.
 * @returns the value; by default `recover`, or `revoke` without a grace period
 * @throws ConfigurationError `lateRefresh` for any other value, or for `recover` without a grace period
 */
const parseLateRefresh = (
  input: LateRefresh | undefined,
  { refreshGrace }: Pick<Lifetimes, 'refreshGrace'>,
): LateRefresh => {
  if (input === 'revoke' || (input === undefined && refreshGrace === 0)) return 'revoke';
  if ((input === undefined || input === 'recover') && refreshGrace > 0) return 'recover';
  throw new ConfigurationError(
    'lateRefresh',
    'must be recover or revoke; revoke if lifetimes.refreshGrace is 0.',
  );
};

/**
 * Checks the providers and indexes them by ID. http is allowed only if both the provider and the broker are
 * on loopback, as with fake providers.
 * @throws ConfigurationError `providers` if there is none, or for a malformed or repeated ID;
 *   `providers.<id>` for a URL that must use https; `providers.<id>.subjectNamespace`
 */
export const parseProviders = (
  input: readonly IdentityProvider[],
  issuer: Issuer,
): ReadonlyMap<string, IdentityProvider> => {
  const providers = new Map(input.map((provider) => [provider.id, provider]));
  if (providers.size === 0) throw new ConfigurationError('providers', 'must contain at least one provider.');
  if (providers.size < input.length) throw new ConfigurationError('providers', 'must have unique IDs.');
  const isLocal = isLoopback(new URL(issuer));
  for (const { id, configuredUrls, subjectNamespace } of input) {
    if (!/^[a-z0-9-]{1,32}$/.test(id) || id === continueChoice)
      throw new ConfigurationError(
        'providers',
        `must have IDs of 1 to 32 characters (a-z, 0-9 and hyphens) other than ${continueChoice}: ${id}`,
      );
    for (const configuredUrl of configuredUrls) {
      const url = URL.parse(configuredUrl);
      if (url?.protocol === 'https:' || (isLocal && url !== null && isLoopback(url))) continue;
      throw new ConfigurationError(`providers.${id}`, `must use https: ${configuredUrl}`);
    }
    if (!isSubjectNamespace(subjectNamespace))
      throw new ConfigurationError(
        `providers.${id}.subjectNamespace`,
        'must be a well-formed string of 1 to 512 characters.',
      );
  }
  return providers;
};

const isSubjectNamespace = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= 512 && value.isWellFormed();

/**
 * Creates a rate limiter that counts in this process, for example for `protect`. A key can use its whole
 * allowance at once; what it has used is refilled evenly over the period. The limiter keeps at most 10,000
 * keys, one to three megabytes, and drops the key whose last allowed request is the oldest.
 * @param allowance how many requests each key is allowed
 * @param now returns the current time in whole seconds. Default: the system clock
 * @throws ConfigurationError `limits` if `limit` or `period` is not a whole number or is out of bounds
 * @example
 * ```ts
 * import { type Broker, memoryLimiter } from 'assistant-auth';
 *
 * // At most 600 calls per minute for each user.
 * const limiter = memoryLimiter({ limit: 600, period: 60 });
 *
 * export const authenticate = (broker: Broker, request: Request) =>
 *   broker.protect(request, { scopes: ['score'], limiter });
 * ```
 */
export const memoryLimiter = (allowance: Allowance, now: Clock = systemClock): RateLimiter =>
  createMemoryLimiter(allowance, now);
