/** The composition root: the only file that knows every room. */
import { accountClient, accountPaths } from './account/context.ts';
import { accountRoutes } from './account/index.ts';
import { authorizeEndpoint } from './authorization/authorize.ts';
import { consentEndpoint } from './authorization/consent.ts';
import { createRegistry, isUnpinned } from './clients/client.ts';
import { createResourceServers } from './clients/introspection-client.ts';
import {
  type Broker,
  type BrokerOptions,
  parseAuditRetention,
  parseLateRefresh,
  parseProviders,
  parseResources,
  parseScopes,
  type Route,
} from './config.ts';
import { logToConsole, surelyLogging, systemClock, systemRandom, systemSleep } from './defaults.ts';
import {
  createCrossOriginEndpoint,
  createEndpoint,
  type EndpointPlan,
  limitByAddress,
  refusePrefetch,
} from './endpoint/handler.ts';
import { markEndpoint, stylesheetEndpoint } from './endpoint/static-files.ts';
import { introspectionEndpoint } from './introspection.ts';
import {
  type AddressBlockOf,
  type Allowance,
  addressBlock,
  createLimits,
  createMemoryLimiter,
  type RateLimiter,
} from './limits/rate-limits.ts';
import { metadataEndpoint } from './metadata.ts';
import { accountClientId } from './oauth/identifiers.ts';
import { type Issuer, isLoopback, parseIssuer } from './oauth/issuer.ts';
import type { Log } from './oauth/log.ts';
import { type RandomBytes, randomId } from './oauth/secrets.ts';
import type { Clock } from './oauth/time.ts';
import { createProtect } from './protect.ts';
import { revocationEndpoint } from './revocation.ts';
import { parseKeyRing } from './seal/key-ring.ts';
import { backchannelLogoutEndpoint, eventsEndpoint } from './security-event-endpoints.ts';
import { callbackEndpoint } from './sign-in/callback.ts';
import { admitEverybody } from './sign-in/resolve-user.ts';
import type { Ledger } from './storage/broker-storage.ts';
import { type AfterResponse, createUpkeep, sweptOnWrite } from './storage/cleanup.ts';
import { createRevocationWatch } from './storage/revocation-cache.ts';
import { tokenEndpoint } from './token-endpoint/endpoint.ts';
import { parseLifetimes } from './tokens/lifetimes.ts';
import { createVault, type Vault } from './tokens/sealers.ts';
import { parseBranding } from './ui/branding.ts';
import { defaultPages } from './ui/pages.ts';

const authorizePath = '/authorize';
const consentPath = '/authorize/consent';
const stylesheetPath = '/authorize/style.css';
const markPath = (provider: string): string => `/authorize/marks/${provider}.svg`;
const callbackPath = '/callback';
const tokenPath = '/token';
const revocationPath = '/revoke';
const introspectionPath = '/introspect';
const accountPath = '/account';
const backchannelLogoutPath = '/backchannel-logout';
const eventsPath = '/events';
const metadataPath = '/.well-known/oauth-authorization-server';

/**
 * Builds the broker of one deployment. Build it once per process or isolate: it keeps derived keys and the revocation memory.
 * @throws ConfigurationError naming the option that is missing, unsafe or contradicts another
 */
export const createBroker = (options: BrokerOptions): Broker => {
  const rooms = furnish(options);
  for (const { id } of rooms.registry.clients.filter(isUnpinned))
    rooms.log({ event: 'unpinned-gpt', clientId: id });
  const mount = (path: string, plan: EndpointPlan): Route => ({
    path,
    endpoint: createEndpoint(plan, rooms),
  });
  const mountCrossOrigin = (path: string, plan: EndpointPlan): Route => ({
    path,
    endpoint: createCrossOriginEndpoint(plan, rooms),
  });
  const mountPage = (path: string, plan: EndpointPlan): Route =>
    mount(path, refusePrefetch(limitByAddress(plan, rooms)));
  const providers = [...rooms.providers.values()];
  return {
    routes: [
      mountPage(authorizePath, authorizeEndpoint(rooms)),
      mountPage(consentPath, consentEndpoint(rooms)),
      mount(stylesheetPath, stylesheetEndpoint(rooms.pages.stylesheet)),
      ...providers.flatMap(({ id, mark }) =>
        mark === undefined ? [] : [mount(markPath(id), markEndpoint(mark))],
      ),
      mountPage(`${callbackPath}/*`, callbackEndpoint(rooms)),
      mountCrossOrigin(tokenPath, tokenEndpoint(rooms)),
      mountCrossOrigin(revocationPath, revocationEndpoint(rooms)),
      mount(introspectionPath, introspectionEndpoint(rooms)),
      ...accountRoutes(rooms).map(({ path, plan }) => mountPage(path, plan)),
      ...(providers.some(({ readLogoutToken }) => readLogoutToken !== undefined)
        ? [mount(`${backchannelLogoutPath}/*`, backchannelLogoutEndpoint(rooms))]
        : []),
      ...(providers.some(({ events }) => events !== undefined)
        ? [mount(`${eventsPath}/*`, eventsEndpoint(rooms))]
        : []),
      mountCrossOrigin(metadataPath, metadataEndpoint(rooms)),
    ],
    protect: createProtect({ ...rooms, origin: rooms.issuer }),
    sweep: rooms.upkeep,
  };
};

/** Parses every option, and lays out all that the endpoints stand on. */
const furnish = (options: BrokerOptions) => {
  const { now = systemClock, randomBytes = systemRandom } = options;
  const log = surelyLogging(options.log ?? logToConsole);
  const issuer = parseIssuer(options.issuer);
  const resources = parseResources(options.resources, issuer);
  const { ledger, upkeep, vault } = keepingOf(options, { issuer, resources, now, randomBytes, log });
  const registry = createRegistry(options.clients, issuer);
  const outside = {
    // Called as a plain function: Workers refuse fetch as a method of something else.
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    now,
    allowLoopbackHttp: isLoopback(new URL(issuer)),
  };
  return {
    ...{ issuer, ledger, log, now, randomBytes, registry, resources, upkeep, vault },
    ...{ authorizePath, consentPath, stylesheetPath, markPath, tokenPath, revocationPath, introspectionPath },
    ...{ accountPath, confirmLinkPath: accountPaths(accountPath).confirmLink },
    account: accountClient(accountClientId, issuer, accountPath),
    userData: {
      onExportUser: options.onExportUser ?? (async () => undefined),
      onDeleteUser: options.onDeleteUser ?? (async () => {}),
    },
    resourceServers: createResourceServers(
      options.resourceServers ?? [],
      (id) => id === accountClientId || registry.find(id) !== undefined,
      resources,
    ),
    lifetimes: parseLifetimes(options.lifetimes),
    lateRefresh: parseLateRefresh(options.lateRefresh),
    afterResponse: options.afterResponse ?? goesOnByItself,
    sleep: options.sleep ?? systemSleep,
    scopes: parseScopes(options.scopes, registry.clients),
    providers: parseProviders(options.providers, issuer),
    pages: { ...defaultPages, ...options.pages },
    branding: parseBranding({ name: new URL(issuer).host, ...options.branding }),
    admit: options.admit ?? admitEverybody,
    revocations: createRevocationWatch(ledger, now),
    limits: createLimits(options.limits, now, log),
    addressBlockOf: blockOf(options.clientAddress),
    callbackUri: (provider: string) => `${issuer}${callbackPath}/${provider}`,
    drawRequestId: () => randomId(randomBytes),
    providerIo: { ...outside, patience: 10_000 },
    // A client waits for its refresh, and Claude for no more than 30 seconds.
    checkIo: { ...outside, patience: 3_000 },
  };
};

/**
 * Makes a rate limiter that counts in this process, for example for `protect`.
 * @param now left out: the system's clock
 * @throws ConfigurationError `limits` for an allowance that is not made of whole numbers from 1 on
 */
export const memoryLimiter = (allowance: Allowance, now: Clock = systemClock): RateLimiter =>
  createMemoryLimiter(allowance, now);

/** What seals, what stores, and what keeps both in order: the publisher's ledger does so itself where that was asked for. */
const keepingOf = (
  options: BrokerOptions,
  { issuer, resources, now, randomBytes, log }: KeepingRooms,
): { readonly vault: Vault; readonly ledger: Ledger; readonly upkeep: () => Promise<void> } => {
  const { ledger, sweepEvery: every, afterResponse = goesOnByItself } = options;
  const ring = parseKeyRing(options.sealingKeys);
  const vault = createVault(ring, issuer, resources, randomBytes);
  const auditRetention = parseAuditRetention(options.auditRetention);
  const upkeep = createUpkeep({ ledger, vault, ring, auditRetention, now });
  if (every === undefined) return { vault, ledger, upkeep };
  return { vault, ledger: sweptOnWrite(ledger, { every, upkeep, afterResponse, now, log }), upkeep };
};

interface KeepingRooms {
  readonly issuer: Issuer;
  readonly resources: readonly string[];
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
}

const goesOnByItself: AfterResponse = () => {};

const blockOf =
  (clientAddress: BrokerOptions['clientAddress']): AddressBlockOf =>
  (request) => {
    const address = clientAddress?.(request);
    return address === undefined ? undefined : addressBlock(address);
  };
