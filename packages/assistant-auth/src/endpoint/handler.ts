/**
 * What all endpoints share: checks of host and method, a request ID, error responses, limits by address,
 * refusal of prefetch requests, static documents, and writes that are retried after the response. Everything
 * that is thrown becomes a `ProtocolError` here (`createEndpoint`, `toProtocolError`): a `ProviderError`
 * becomes `provider.<kind>`, `StorageUnavailable` becomes `storage.unavailable`, and any other error becomes
 * `unexpected`. Each endpoint's `respondToError` builds the response: the table in `endpoint/README.md` has
 * the kind of response and the file for each endpoint.
 */

import type { BrokerContext } from '../context.ts';
import { allowAnyOrigin, endpointPreflight, isPreflight } from '../http/cors.ts';
import { requireOrigin } from '../http/request.ts';
import {
  problemResponse,
  publicDocument,
  publicSvg,
  toHeadResponse,
  withAllowHeader,
} from '../http/responses.ts';
import { type RateLimitResult, toAddressBlock } from '../limits/rate-limits.ts';
import { describeCause, formatStack } from '../oauth/errors.ts';
import type { Milliseconds } from '../oauth/identifiers.ts';
import type { LogEntry } from '../oauth/log.ts';
import { authorizationError, callbackError, ProtocolError, requestError } from '../oauth/protocol-error.ts';
import { randomId } from '../oauth/secrets.ts';
import { ProviderError } from '../providers/provider.ts';
import { StorageUnavailable } from '../storage/broker-storage.ts';
import type { WaitUntil } from '../storage/cleanup.ts';

/** A request, its ID and its log. */
export interface RequestContext {
  readonly request: Request;
  /** Logged, and shown on error pages as the reference. */
  readonly requestId: string;
  /** Logs an event, and adds the request ID and the name of the endpoint. */
  log(entry: Omit<LogEntry, 'requestId' | 'endpoint'>): void;
  /** Keeps work running after the response. */
  waitUntil(work: Promise<void>): void;
  /** Returns the address block that the request came from, or `undefined` if the address is unknown. */
  findAddressBlock(): string | undefined;
}

/** What the platform knows about one request. Both values override the options of `createBroker`. */
export interface RequestOptions {
  /**
   * Keeps work running after the response is sent or the client has disconnected, for example `waitUntil` of
   * the request's context on Cloudflare. Default: the option of `createBroker`.
   */
  readonly waitUntil?: WaitUntil;
  /**
   * The IP address that the request came from: IPv4 or IPv6, without a port. It must come from the connection
   * or from a header that only your own proxy can set. Default: the option of `createBroker`.
   */
  readonly clientAddress?: string | undefined;
}

/** An endpoint without the checks that all endpoints share. */
export interface EndpointDefinition {
  /** The name in the log. */
  readonly name: string;
  /** The allowed methods, or a function that returns them for a URL. */
  readonly methods: readonly string[] | ((url: URL) => readonly string[]);
  handle(requestContext: RequestContext): Promise<Response>;
  /**
   * Returns the ID of what a genuine request belongs to, such as a login transaction, so that
   * `limitByAddress` counts the request separately. If it returns `undefined`, the request is not counted.
   * Reads no storage.
   * @throws ProtocolError if the request is not genuine
   */
  findOwner?(requestContext: RequestContext): Promise<string | undefined>;
  /** Builds the error response. */
  respondToError(protocolError: ProtocolError, requestContext: RequestContext): Response;
}

/** An endpoint and its path. */
export interface MountedEndpoint {
  readonly path: string;
  readonly definition: EndpointDefinition;
}

/** Handles one request to one path. It never throws. */
export type Endpoint = (request: Request, options?: RequestOptions) => Promise<Response>;

type EndpointContext = Pick<BrokerContext, 'issuer' | 'log' | 'randomBytes' | 'waitUntil' | 'clientAddress'>;

/** Creates an endpoint that responds to every request and never throws. */
export const createEndpoint =
  (definition: EndpointDefinition, context: EndpointContext): Endpoint =>
  async (request, options = {}) => {
    const { issuer, log } = context;
    const requestId = randomId(context.randomBytes);
    const requestContext: RequestContext = {
      request,
      requestId,
      log: (entry) => log({ ...entry, requestId, endpoint: definition.name }, requestContext.waitUntil),
      waitUntil(work) {
        // Called as a method, because that of a Worker's context fails without its `this`.
        if (options.waitUntil !== undefined) options.waitUntil(work);
        else context.waitUntil(work);
      },
      findAddressBlock() {
        const address = options.clientAddress ?? context.clientAddress?.(request);
        return address === undefined ? undefined : toAddressBlock(address);
      },
    };
    try {
      // The issuer comes from the configuration. No header can change it, not even `X-Forwarded-Host`.
      requireOrigin(request, issuer);
      if (!resolveMethods(definition, request).includes(request.method)) throw requestError('request.method');
      return await definition.handle(requestContext);
    } catch (error) {
      const protocolError = toProtocolError(error);
      logProtocolError(protocolError, requestContext);
      const response = definition.respondToError(protocolError, requestContext);
      return protocolError.reason === 'request.method'
        ? withAllowHeader(resolveMethods(definition, request), response)
        : response;
    }
  };

/**
 * Creates an endpoint that pages on any origin can call, and whose errors they can read. It responds to CORS
 * preflights, and never throws. Its other responses must be created with `corsHeaders`: adding them takes longer
 * than everything else that a token request does with its response.
 */
export const createCrossOriginEndpoint = (
  definition: EndpointDefinition,
  context: EndpointContext,
): Endpoint => {
  const endpoint = createEndpoint(definition, context);
  return async (request, options) => {
    if (isPreflight(request)) return endpointPreflight(resolveMethods(definition, request));
    const response = await endpoint(request, options);
    return response.ok ? response : allowAnyOrigin(response);
  };
};

/** Returns the broker's context with the log and `waitUntil` of one request. */
export const bindToRequest = <Context extends Pick<BrokerContext, 'log' | 'waitUntil'>>(
  context: Context,
  { log, waitUntil }: RequestContext,
): Context => ({ ...context, log, waitUntil });

const resolveMethods = ({ methods }: EndpointDefinition, request: Request): readonly string[] =>
  typeof methods === 'function' ? methods(new URL(request.url)) : methods;

/** Converts any thrown value into a `ProtocolError`. */
export const toProtocolError = (error: unknown): ProtocolError =>
  error instanceof ProviderError
    ? callbackError(`provider.${error.kind}`, { cause: error })
    : toRequestError(error);

/** Like `toProtocolError`, for code that sends no request to a provider. */
export const toRequestError = (error: unknown): ProtocolError => {
  if (error instanceof ProtocolError) return error;
  if (error instanceof StorageUnavailable) return requestError('storage.unavailable', { cause: error });
  return requestError('unexpected', { cause: error });
};

export const logProtocolError = (
  protocolError: ProtocolError,
  requestContext: RequestContext,
  fields: { readonly clientId?: string; readonly provider?: string } = {},
): void => {
  const { reason, clientId } = protocolError;
  requestContext.log({
    event: 'refused',
    reason,
    ...(clientId !== undefined && { clientId }),
    ...fields,
    ...describeErrorForLog(protocolError),
  });
};

/** Logs that a page was not shown as configured. The request itself was not refused because of that. */
export const logPageFailure = (cause: unknown, requestContext: RequestContext): void =>
  requestContext.log({ event: 'page-failed', ...describeErrorForLog(requestError('unexpected', { cause })) });

/**
 * Returns the cause for the log, and for an unexpected error also the stack: there is no other trace of it.
 */
export const describeErrorForLog = ({ reason, cause }: ProtocolError): Pick<LogEntry, 'cause' | 'stack'> => {
  const stack = reason === 'unexpected' ? formatStack(cause) : undefined;
  return {
    ...(cause !== undefined && { cause: describeCause(cause) }),
    ...(stack !== undefined && { stack }),
  };
};

/** Defines an endpoint for a public document, for GET and HEAD (RFC 9110 §9.3.2). */
export const defineStaticDocument = (name: string, createResponse: () => Response): EndpointDefinition => ({
  name,
  methods: ['GET', 'HEAD'],
  respondToError: (protocolError) => problemResponse(protocolError),
  handle: async ({ request }) =>
    request.method === 'HEAD' ? toHeadResponse(createResponse()) : createResponse(),
});

/**
 * Limits the requests of each address block. Those of a sign-in or a session that is already in progress are
 * counted separately, so that others at the same address can't stop it. A request whose address is unknown is
 * not limited: all such requests would share one allowance, which anyone could use up.
 */
export const limitByAddress = (
  definition: EndpointDefinition,
  context: BrokerContext,
): EndpointDefinition => ({
  ...definition,
  async handle(requestContext) {
    const { pageRequests } = context.limits;
    const addressBlock = requestContext.findAddressBlock();
    if (addressBlock !== undefined) {
      const own = await takeOwnAllowance(definition, requestContext, addressBlock, context);
      if (own !== 'allowed' && (await pageRequests.take(addressBlock)) === 'limited')
        throw authorizationError(own === 'limited' ? 'sign-in.limited' : 'address.limited');
    }
    return definition.handle(requestContext);
  },
});

/**
 * Counts a request that is counted separately. An attacker can collect many genuine forms, so those of an
 * address also share ten times its allowance, in ten parts.
 * @returns `undefined` if the request is not counted separately
 */
const takeOwnAllowance = async (
  definition: EndpointDefinition,
  requestContext: RequestContext,
  addressBlock: string,
  context: BrokerContext,
): Promise<RateLimitResult | undefined> => {
  const { limits, sessions } = context;
  const take = async (owner: string): Promise<RateLimitResult> =>
    (await limits.requestsPerSignIn.take(owner)) === 'limited'
      ? 'limited'
      : limits.pageRequests.take(`${owner.charCodeAt(0) % 10} ${addressBlock}`);
  try {
    if (definition.findOwner !== undefined) {
      const owner = await definition.findOwner(requestContext);
      return owner === undefined ? 'allowed' : await take(owner);
    }
  } catch (error) {
    // The endpoint finds the same problem, and responds to it.
    if (!(error instanceof ProtocolError)) throw error;
  }
  const session = await sessions?.identify(requestContext.request, context);
  return session === undefined ? undefined : take(session);
};

/**
 * Wraps an endpoint so that it responds to a prefetch request with 503 before it reads, counts or sets
 * anything. A browser or a link scanner sends such a request before the user opens the page (the
 * `Sec-Purpose` header of Fetch), and at the callback it would use up the provider's code. The browser would
 * keep a 2xx response for the navigation; after a 503 it requests the page again.
 */
export const refusePrefetch = (definition: EndpointDefinition): EndpointDefinition => ({
  ...definition,
  async handle(requestContext) {
    if (isPrefetch(requestContext.request)) throw requestError('request.prefetch');
    return definition.handle(requestContext);
  },
});

/** The standard header, and those that older browsers and Safari send instead. */
const headers = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];

/** Returns whether one of these headers contains `prefetch`, `prerender` or (in Safari) `preview`. */
const isPrefetch = (request: Request): boolean =>
  headers.some((name) => /\b(?:prefetch|prerender|preview)\b/i.test(request.headers.get(name) ?? ''));

/**
 * Serves the icon of a provider as a file, because the CSP of the pages allows images only from this origin.
 */
export const iconEndpoint = (svg: string): EndpointDefinition =>
  defineStaticDocument('icon', () => publicSvg(svg));

/** Serves the stylesheet of the pages as a file, because their CSP allows no inline styles. */
export const stylesheetEndpoint = (css: string): EndpointDefinition =>
  defineStaticDocument('stylesheet', () => publicDocument(css, 'text/css; charset=utf-8'));

// Work that continues after the response, or after the client disconnects.

type BackgroundContext = Pick<BrokerContext, 'waitUntil' | 'sleep' | 'log'>;

/** `deferred`: storage is unavailable, and the write is retried in the background. */
export type WriteResult<Outcome> =
  /**
   * `isRepeated`: the first attempt may have succeeded too, so `outcome` may be that of a write that was
   * already made.
   */
  | { readonly kind: 'written'; readonly outcome: Outcome; readonly isRepeated: boolean }
  | { readonly kind: 'deferred' };

/**
 * The pauses before the retries in the background. Their sum is less than the 30 seconds that Workers allow
 * after a response.
 */
const retryDelays: readonly Milliseconds[] = [1_000, 4_000, 15_000];

/**
 * Writes what the broker can't get again, such as the refresh token with which a provider replaced the
 * stored one. While storage is unavailable, retries at once, and then for a while in the background.
 * @param write must be idempotent, because the response of a write that succeeded may have been lost
 * @throws any error of the first two attempts except StorageUnavailable; later errors are logged
 */
export const writeWithRetry = async <Outcome>(
  context: BackgroundContext,
  write: () => Promise<Outcome>,
): Promise<WriteResult<Outcome>> => {
  const first = await attempt(write);
  if (first.kind === 'written') return { ...first, isRepeated: false };
  const second = await attempt(write);
  if (second.kind === 'written') return { ...second, isRepeated: true };
  void keepAlive(context, retryInBackground(context, write));
  return second;
};

/**
 * Keeps work running even if the client disconnects and the platform stops the request.
 * @returns the work
 */
export const keepAlive = <Result>(
  { waitUntil, log }: Pick<BrokerContext, 'waitUntil' | 'log'>,
  work: Promise<Result>,
): Promise<Result> => {
  try {
    // The caller that waits for the work handles its error.
    waitUntil(work.then(noop, noop));
  } catch (cause) {
    log({ event: 'wait-until-failed', cause: describeCause(cause) });
  }
  return work;
};

const noop = (): void => {};

const retryInBackground = async <Outcome>(
  { sleep, log }: BackgroundContext,
  write: () => Promise<Outcome>,
): Promise<void> => {
  try {
    for (const delay of retryDelays) {
      await sleep(delay);
      const result = await attempt(write);
      if (result.kind === 'written') return;
    }
    log({ event: 'write-failed', cause: 'storage was unavailable at every attempt' });
  } catch (cause) {
    log({ event: 'write-failed', cause: describeCause(cause) });
  }
};

const attempt = async <Outcome>(
  write: () => Promise<Outcome>,
): Promise<{ readonly kind: 'written'; readonly outcome: Outcome } | { readonly kind: 'deferred' }> => {
  try {
    return { kind: 'written', outcome: await write() };
  } catch (error) {
    if (error instanceof StorageUnavailable) return { kind: 'deferred' };
    throw error;
  }
};
