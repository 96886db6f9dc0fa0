/** The composition root: the only file that knows every room. */
import { createRegistry, isUnpinned } from './clients/registry.ts';
import { createResourceServers } from './clients/resource-server.ts';
import { createEndpoint, type EndpointPlan } from './doors/endpoint.ts';
import { limitByAddress } from './doors/limit-by-address.ts';
import { authorizeEndpoint } from './endpoints/authorize.ts';
import { backchannelLogoutEndpoint } from './endpoints/backchannel-logout.ts';
import { callbackEndpoint } from './endpoints/callback.ts';
import { consentEndpoint } from './endpoints/consent.ts';
import { eventsEndpoint } from './endpoints/events.ts';
import { introspectionEndpoint } from './endpoints/introspection.ts';
import { markEndpoint } from './endpoints/mark.ts';
import { metadataEndpoint } from './endpoints/metadata.ts';
import { createProtect } from './endpoints/protect.ts';
import { revocationEndpoint } from './endpoints/revocation.ts';
import { stylesheetEndpoint } from './endpoints/stylesheet.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import type { Ledger } from './ledger/ledger.ts';
import { createRevocationWatch } from './ledger/revocation-watch.ts';
import { type AddressBlockOf, addressBlock } from './limits/address-block.ts';
import { createLimits } from './limits/limits.ts';
import { createMemoryLimiter } from './limits/memory-limiter.ts';
import type { Allowance, RateLimiter } from './limits/rate-limiter.ts';
import type { Broker, BrokerOptions, Route } from './options.ts';
import { parseBranding } from './pages/branding.ts';
import { defaultPages } from './pages/pages.ts';
import type { Log } from './protocol/log.ts';
import { isLoopback, parseIssuer } from './protocol/origin.ts';
import { randomId } from './protocol/random.ts';
import type { Clock } from './protocol/time.ts';
import { parseKeyRing } from './seal/key-ring.ts';
import { parseProviders, parseResources, parseScopes } from './settings.ts';
import { admitEverybody } from './sign-in/admission.ts';
import { logToConsole, surelyLogging, systemClock, systemRandom } from './surroundings.ts';
import { type AfterResponse, sweptOnWrite } from './sweeping.ts';
import { parseLifetimes } from './tokens/lifetimes.ts';
import { createVault } from './tokens/vault.ts';

const authorizePath = '/authorize';
const consentPath = '/authorize/consent';
const stylesheetPath = '/authorize/style.css';
const markPath = (provider: string): string => `/authorize/marks/${provider}.svg`;
const callbackPath = '/callback';
const tokenPath = '/token';
const revocationPath = '/revoke';
const introspectionPath = '/introspect';
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
  const providers = [...rooms.providers.values()];
  return {
    routes: [
      mount(authorizePath, limitByAddress(authorizeEndpoint(rooms), rooms)),
      mount(consentPath, limitByAddress(consentEndpoint(rooms), rooms)),
      mount(stylesheetPath, stylesheetEndpoint(rooms.pages.stylesheet)),
      ...providers.flatMap(({ id, mark }) =>
        mark === undefined ? [] : [mount(markPath(id), markEndpoint(mark))],
      ),
      mount(`${callbackPath}/*`, limitByAddress(callbackEndpoint(rooms), rooms)),
      mount(tokenPath, tokenEndpoint(rooms)),
      mount(revocationPath, revocationEndpoint(rooms)),
      mount(introspectionPath, introspectionEndpoint(rooms)),
      ...(providers.some(({ readLogoutToken }) => readLogoutToken !== undefined)
        ? [mount(`${backchannelLogoutPath}/*`, backchannelLogoutEndpoint(rooms))]
        : []),
      ...(providers.some(({ events }) => events !== undefined)
        ? [mount(`${eventsPath}/*`, eventsEndpoint(rooms))]
        : []),
      mount(metadataPath, metadataEndpoint(rooms)),
    ],
    protect: createProtect({ ...rooms, origin: rooms.issuer }),
    sweep: () => rooms.ledger.sweep(rooms.now()),
  };
};

/** Parses every option, and lays out all that the endpoints stand on. */
const furnish = (options: BrokerOptions) => {
  const { now = systemClock, randomBytes = systemRandom } = options;
  const log = surelyLogging(options.log ?? logToConsole);
  const ledger = ledgerOf(options, now, log);
  const issuer = parseIssuer(options.issuer);
  const resources = parseResources(options.resources, issuer);
  const registry = createRegistry(options.clients, issuer);
  const outside = {
    // Called as a plain function: Workers refuse fetch as a method of something else.
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    now,
    allowLoopbackHttp: isLoopback(new URL(issuer)),
  };
  return {
    ...{ issuer, ledger, log, now, randomBytes, registry, resources },
    ...{ authorizePath, consentPath, stylesheetPath, markPath, tokenPath, revocationPath, introspectionPath },
    resourceServers: createResourceServers(
      options.resourceServers ?? [],
      (id) => registry.find(id) !== undefined,
      resources,
    ),
    vault: createVault(parseKeyRing(options.sealingKeys), issuer, resources, randomBytes),
    lifetimes: parseLifetimes(options.lifetimes),
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
 */
export const memoryLimiter = (allowance: Allowance, now: Clock = systemClock): RateLimiter =>
  createMemoryLimiter(allowance, now);

/** The publisher's ledger, which sweeps itself where that was asked for. */
const ledgerOf = (options: BrokerOptions, now: Clock, log: Log): Ledger => {
  const { ledger, sweepEvery: every, afterResponse = goesOnByItself } = options;
  return every === undefined ? ledger : sweptOnWrite(ledger, { every, afterResponse, now, log });
};

const goesOnByItself: AfterResponse = () => {};

const blockOf =
  (clientAddress: BrokerOptions['clientAddress']): AddressBlockOf =>
  (request) => {
    const address = clientAddress?.(request);
    return address === undefined ? undefined : addressBlock(address);
  };
