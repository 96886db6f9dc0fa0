/** Creates the broker: checks the options, and lists every endpoint with its path. */
import { authorizeEndpoint } from './authorization/authorize.ts';
import { authorizationCallback } from './authorization/complete.ts';
import { consentEndpoint } from './authorization/consent.ts';
import { acceptsAnyGpt } from './clients/client.ts';
import { type BrokerOptions, resolveOptions } from './config.ts';
import { paths } from './context.ts';
import {
  createCrossOriginEndpoint,
  createEndpoint,
  type EndpointDefinition,
  iconEndpoint,
  limitByAddress,
  refusePrefetch,
  stylesheetEndpoint,
} from './endpoint/handler.ts';
import { introspectionEndpoint } from './introspection.ts';
import { metadataEndpoint } from './metadata.ts';
import { createProtect, type ProtectOptions, type ProtectResult } from './protect.ts';
import { revocationEndpoint } from './revocation.ts';
import { backchannelLogoutEndpoint, eventsEndpoint } from './security-event-endpoints.ts';
import { callbackEndpoint } from './sign-in/callback.ts';
import { tokenEndpoint } from './token-endpoint/endpoint.ts';
import { iconPath } from './ui/layout.ts';

/** Handles one request. It never throws. */
export type Endpoint = (request: Request) => Promise<Response>;

/** An endpoint and its path, for all methods. A path that ends in `/*` matches every path below it. */
export interface Route {
  readonly path: string;
  readonly endpoint: Endpoint;
}

/** The broker of one deployment. */
export interface Broker {
  /** Every endpoint with its path. Mount all of them, in any router. */
  readonly routes: readonly Route[];
  /** Verifies the access token of a call to an API. Only the revocation cache reads storage. */
  protect(request: Request, options?: ProtectOptions): Promise<ProtectResult>;
  /**
   * Deletes expired data, records which keys are in the ring, and reseals up to a hundred stored upstream
   * tokens with the first key. Call it on a schedule, or set `cleanupInterval`.
   */
  cleanup(): Promise<void>;
}

/**
 * Creates the broker of one deployment. Create it once per process or isolate, because it caches derived keys
 * and revocations.
 * @throws ConfigurationError with the name of the option that is missing, malformed or unsafe, or that
 *   contradicts another
 */
export const createBroker = (options: BrokerOptions): Broker => {
  const { context, cleanup } = resolveOptions(options);
  const { account } = options;
  for (const client of context.clients.values())
    if (acceptsAnyGpt(client)) context.log({ event: 'unrestricted-gpt', clientId: client.id });
  const mount = (path: string, definition: EndpointDefinition): Route => ({
    path,
    endpoint: createEndpoint(definition, context),
  });
  const mountCrossOrigin = (path: string, definition: EndpointDefinition): Route => ({
    path,
    endpoint: createCrossOriginEndpoint(definition, context),
  });
  const mountPage = (path: string, definition: EndpointDefinition): Route =>
    mount(path, refusePrefetch(limitByAddress(definition, context)));
  const providers = [...context.providers.values()];
  const callbacks = { ...account?.callbacks(context), authorize: authorizationCallback(context) };
  return {
    routes: [
      mountPage(paths.authorize, authorizeEndpoint(context)),
      mountPage(paths.consent, consentEndpoint(context)),
      mount(paths.stylesheet, stylesheetEndpoint(context.pages.stylesheet)),
      ...providers.flatMap(({ id, icon }) =>
        icon === undefined ? [] : [mount(iconPath(paths.icons, id), iconEndpoint(icon))],
      ),
      mountPage(`${paths.callback}/*`, callbackEndpoint(context, callbacks)),
      mountCrossOrigin(paths.token, tokenEndpoint(context)),
      mountCrossOrigin(paths.revocation, revocationEndpoint(context)),
      mount(paths.introspection, introspectionEndpoint(context)),
      ...(account?.endpoints(context) ?? []).map(({ path, definition }) => mountPage(path, definition)),
      ...(providers.some(({ readLogoutToken }) => readLogoutToken !== undefined)
        ? [mount(`${paths.backchannelLogout}/*`, backchannelLogoutEndpoint(context))]
        : []),
      ...(providers.some(({ securityEvents }) => securityEvents !== undefined)
        ? [mount(`${paths.events}/*`, eventsEndpoint(context))]
        : []),
      mountCrossOrigin(paths.metadata, metadataEndpoint(context)),
    ],
    protect: createProtect({ ...context, origin: context.issuer }),
    cleanup,
  };
};
