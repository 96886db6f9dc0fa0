/** Creates the broker: checks the options, and lists every endpoint with its path. */
import { authorizeEndpoint } from './authorization/authorize.ts';
import { authorizationCallback } from './authorization/complete.ts';
import { consentEndpoint } from './authorization/consent.ts';
import { acceptsAnyGpt } from './clients/client.ts';
import { type BrokerOptions, type ResolvedOptions, resolveOptions } from './config.ts';
import { type BrokerContext, paths } from './context.ts';
import { logRefusedCall } from './endpoint/event-log.ts';
import {
  createCrossOriginEndpoint,
  createEndpoint,
  type Endpoint,
  type EndpointDefinition,
  iconEndpoint,
  limitByAddress,
  type RequestOptions,
  refusePrefetch,
  stylesheetEndpoint,
} from './endpoint/handler.ts';
import { problemResponse } from './http/responses.ts';
import { introspectionEndpoint } from './introspection.ts';
import { listResourceMetadataPaths, metadataEndpoint, resourceMetadataEndpoint } from './metadata.ts';
import { requestError } from './oauth/protocol-error.ts';
import { createProtect, type ProtectOptions, type ProtectResult } from './protect.ts';
import { revocationEndpoint } from './revocation.ts';
import { backchannelLogoutEndpoint, eventsEndpoint } from './security-event-endpoints.ts';
import { callbackEndpoint } from './sign-in/callback.ts';
import { tokenEndpoint } from './token-endpoint/endpoint.ts';
import { iconPath } from './ui/layout.ts';
import { renderStylesheet } from './ui/stylesheet.ts';

/** The context that a platform passes to `fetch`, as far as the broker uses it. */
export interface ExecutionContext {
  /** Keeps work running after the response is sent. */
  waitUntil(work: Promise<unknown>): void;
}

/** The broker of one deployment. */
export interface Broker {
  /** The broker's own origin, without a trailing slash. */
  readonly issuer: string;
  /**
   * Handles a request to one of the broker's endpoints: metadata, authorization, callbacks, token,
   * revocation, introspection, the files of the pages and, if they are configured, the account page and
   * security events. The issuer's origin must serve these paths. This method never throws.
   * @param request the request, with the URL that the client requested
   * @param options what the platform knows about this request; overrides the options of `createBroker`
   * @returns the complete response, or `undefined` if the path is not one of the broker's, so that the app
   *   handles the request. A request to one of the broker's paths on an origin other than the issuer gets a
   *   421 response
   */
  handle(request: Request, options?: RequestOptions): Promise<Response | undefined>;
  /**
   * Handles a request like `handle`, for a server that serves nothing else: a request to any other path gets
   * a 404 response. Its parameters are those of the `fetch` handler of a Worker. It does not use `this`, so
   * you can pass the function alone.
   * @param request the request, with the URL that the client requested
   * @param environment not used, because the broker gets its configuration from `createBroker`
   * @param context its `waitUntil` keeps work running after the response; it overrides the option of
   *   `createBroker`. Leave it out on platforms without it
   * @returns the complete response
   */
  fetch(request: Request, environment?: unknown, context?: ExecutionContext): Promise<Response>;
  /**
   * Verifies the access token of a call to an API (RFC 6750): that the broker issued it for this API, that it
   * has neither expired nor been revoked, and that it has all required scopes. Only the revocation cache
   * reads storage. This method never throws.
   * @param request the call. Only its method, URL and headers are read; the body stays unread
   * @param options the API that is called, and what the call must meet
   * @returns the user, the client, the grant and the scopes of the call, or the complete response to send
   *   instead
   */
  protect(request: Request, options?: ProtectOptions): Promise<ProtectResult>;
  /**
   * Deletes expired data, records which keys are in the ring, reseals up to a hundred stored upstream tokens
   * with the first key, and stores how many requests this process has refused. Call it on a schedule, for
   * example once an hour, or set `cleanupInterval`.
   * @throws StorageUnavailable if storage cannot be reached; the next cleanup continues
   */
  cleanup(): Promise<void>;
}

/**
 * Creates the broker of one deployment. Create it once per process or isolate, because it caches derived keys
 * and revocations.
 * @param options the configuration of the deployment
 * @throws ConfigurationError with the name of the option that is missing, malformed or unsafe, or that
 *   contradicts another
 * @example
 * ```ts
 * import { createBroker, google, gptAction } from 'assistant-auth';
 * import { d1Storage } from 'assistant-auth/d1';
 *
 * const broker = createBroker({
 *   issuer: 'https://words.example',
 *   sealingKeys: env.SEALING_KEYS,
 *   storage: d1Storage(env.DB),
 *   scopes: { score: 'see and increase your score' },
 *   clients: [
 *     gptAction({ id: 'gpt', name: 'Words', secrets: [env.GPT_CLIENT_SECRET], scopes: ['score'] }),
 *   ],
 *   providers: [
 *     google({ clientId: env.GOOGLE_CLIENT_ID, clientSecret: env.GOOGLE_CLIENT_SECRET }),
 *   ],
 * });
 *
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     const response = await broker.handle(request);
 *     if (response !== undefined) return response;
 *     const auth = await broker.protect(request, { scopes: ['score'] });
 *     if (!auth.ok) return auth.response;
 *     return Response.json({ user: auth.user.id });
 *   },
 * };
 * ```
 */
export const createBroker = (options: BrokerOptions): Broker => {
  const { context, clientSource, cleanup } = resolveOptions(options);
  const { account } = options;
  for (const client of context.clients.configured.values())
    if (acceptsAnyGpt(client)) context.log({ event: 'unrestricted-gpt', clientId: client.id });
  const routes = createRoutes({ context, clientSource }, account);
  const handle: Broker['handle'] = async (request, requestOptions) =>
    findEndpoint(routes, readPathname(request.url))?.(request, requestOptions);
  return {
    issuer: context.issuer,
    handle,
    async fetch(request, _environment, executionContext) {
      const response = await handle(request, readExecutionContext(executionContext));
      return response ?? refuseUnknownPath(context);
    },
    protect: createProtect({
      ...context,
      origin: context.issuer,
      metadataPaths: listResourceMetadataPaths(context),
    }),
    cleanup,
  };
};

/** The endpoints by path. A path that ends in `/` stands for every path below it. */
type Routes = ReadonlyMap<string, Endpoint>;

/** Lists every endpoint with its path. */
export const createRoutes = (
  { context, clientSource }: Pick<ResolvedOptions, 'context' | 'clientSource'>,
  account: BrokerOptions['account'],
): Routes => {
  const mount = (definition: EndpointDefinition) => createEndpoint(definition, context);
  const mountCrossOrigin = (definition: EndpointDefinition) => createCrossOriginEndpoint(definition, context);
  const mountPage = (definition: EndpointDefinition) =>
    mount(refusePrefetch(limitByAddress(definition, context)));
  const providers = [...context.providers.values()];
  const callbacks = { ...account?.callbacks(context), authorize: authorizationCallback(context) };
  return new Map([
    [paths.authorize, mountPage(authorizeEndpoint(context))],
    [paths.consent, mountPage(consentEndpoint(context))],
    [
      paths.stylesheet,
      mount(
        stylesheetEndpoint(
          renderStylesheet((account?.stylesheet ?? '') + context.pages.stylesheet, context.branding.colors),
        ),
      ),
    ],
    ...providers.flatMap(({ id, icon }): [string, Endpoint][] =>
      icon === undefined ? [] : [[iconPath(paths.icons, id), mount(iconEndpoint(icon))]],
    ),
    [`${paths.callback}/`, mountPage(callbackEndpoint(context, callbacks))],
    [paths.token, mountCrossOrigin(tokenEndpoint(context))],
    [paths.revocation, mountCrossOrigin(revocationEndpoint(context))],
    [paths.introspection, mount(introspectionEndpoint(context))],
    ...(account?.endpoints(context) ?? []).map(({ path, definition }): [string, Endpoint] => [
      path,
      mountPage(definition),
    ]),
    ...(providers.some(({ readLogoutToken }) => readLogoutToken !== undefined)
      ? [[`${paths.backchannelLogout}/`, mount(backchannelLogoutEndpoint(context))] as const]
      : []),
    ...(providers.some(({ securityEvents }) => securityEvents !== undefined)
      ? [[`${paths.events}/`, mount(eventsEndpoint(context))] as const]
      : []),
    [paths.metadata, mountCrossOrigin(metadataEndpoint(context, clientSource))],
    ...(clientSource?.endpoints ?? []).map(({ path, definition }): [string, Endpoint] => [
      path,
      mountCrossOrigin(definition),
    ]),
    ...[...listResourceMetadataPaths(context)].map(([resource, path]): [string, Endpoint] => [
      path,
      mountCrossOrigin(resourceMetadataEndpoint(context, resource)),
    ]),
  ]);
};

/** Returns the path of a URL in its serialized form, which takes a fraction of the time of parsing it. */
const readPathname = (url: string): string => {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
};

/** Finds the endpoint of a path, or of the folder that it is in. */
const findEndpoint = (routes: Routes, pathname: string): Endpoint | undefined =>
  routes.get(pathname) ?? routes.get(pathname.slice(0, pathname.indexOf('/', 1) + 1));

const refuseUnknownPath = (context: BrokerContext): Response => {
  const protocolError = requestError('request.path');
  logRefusedCall(protocolError, 'fetch', context);
  return problemResponse(protocolError);
};

/** Only Workers pass a context as the third argument; other platforms pass nothing, or something else. */
const readExecutionContext = (context: ExecutionContext | undefined): RequestOptions =>
  typeof context?.waitUntil === 'function' ? { waitUntil: (work) => context.waitUntil(work) } : {};
