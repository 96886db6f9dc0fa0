/** Creates the broker: checks the options, and gives every endpoint its path. */
import { authorizeEndpoint } from './authorization/authorize.ts';
import { authorizationCallback } from './authorization/complete.ts';
import { consentEndpoint } from './authorization/consent.ts';
import { isUnpinned } from './clients/client.ts';
import { type BrokerOptions, resolveOptions } from './config.ts';
import { paths } from './context.ts';
import {
  createCrossOriginEndpoint,
  createEndpoint,
  type EndpointPlan,
  limitByAddress,
  refusePrefetch,
} from './endpoint/handler.ts';
import { markEndpoint, stylesheetEndpoint } from './endpoint/static-files.ts';
import { introspectionEndpoint } from './introspection.ts';
import { metadataEndpoint } from './metadata.ts';
import { createProtect, type Protection, type Requirement } from './protect.ts';
import { revocationEndpoint } from './revocation.ts';
import { backchannelLogoutEndpoint, eventsEndpoint } from './security-event-endpoints.ts';
import { callbackEndpoint } from './sign-in/callback.ts';
import { tokenEndpoint } from './token-endpoint/endpoint.ts';
import { iconPath } from './ui/layout.ts';

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

/**
 * Creates the broker of one deployment. Create it once per process or isolate: it keeps derived keys and the revocation cache.
 * @throws ConfigurationError naming the option that is missing, unsafe or contradicts another
 */
export const createBroker = (options: BrokerOptions): Broker => {
  const { context, sweep } = resolveOptions(options);
  const { account } = options;
  for (const { id } of context.registry.clients.filter(isUnpinned))
    context.log({ event: 'unpinned-gpt', clientId: id });
  const mount = (path: string, plan: EndpointPlan): Route => ({
    path,
    endpoint: createEndpoint(plan, context),
  });
  const mountCrossOrigin = (path: string, plan: EndpointPlan): Route => ({
    path,
    endpoint: createCrossOriginEndpoint(plan, context),
  });
  const mountPage = (path: string, plan: EndpointPlan): Route =>
    mount(path, refusePrefetch(limitByAddress(plan, context)));
  const providers = [...context.providers.values()];
  const callbacks = { authorize: authorizationCallback(context), ...account?.callbacks(context) };
  return {
    routes: [
      mountPage(paths.authorize, authorizeEndpoint(context)),
      mountPage(paths.consent, consentEndpoint(context)),
      mount(paths.stylesheet, stylesheetEndpoint(context.pages.stylesheet)),
      ...providers.flatMap(({ id, mark }) =>
        mark === undefined ? [] : [mount(iconPath(paths.icons, id), markEndpoint(mark))],
      ),
      mountPage(`${paths.callback}/*`, callbackEndpoint(context, callbacks)),
      mountCrossOrigin(paths.token, tokenEndpoint(context)),
      mountCrossOrigin(paths.revocation, revocationEndpoint(context)),
      mount(paths.introspection, introspectionEndpoint(context)),
      ...(account?.endpoints(context) ?? []).map(({ path, plan }) => mountPage(path, plan)),
      ...(providers.some(({ readLogoutToken }) => readLogoutToken !== undefined)
        ? [mount(`${paths.backchannelLogout}/*`, backchannelLogoutEndpoint(context))]
        : []),
      ...(providers.some(({ events }) => events !== undefined)
        ? [mount(`${paths.events}/*`, eventsEndpoint(context))]
        : []),
      mountCrossOrigin(paths.metadata, metadataEndpoint(context)),
    ],
    protect: createProtect({ ...context, origin: context.issuer }),
    sweep,
  };
};
