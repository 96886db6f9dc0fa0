/** What every endpoint shares: the host and method it answers for, a request id, and that whatever is thrown becomes a response. */

import type { BrokerContext } from '../context.ts';
import { allowAnyOrigin, endpointPreflight, isPreflight } from '../http/cors.ts';
import {
  problemResponse,
  publicDocument,
  publicSvg,
  toHeadResponse,
  withAllowHeader,
} from '../http/responses.ts';
import { findAddressBlock } from '../limits/rate-limits.ts';
import { describeCause, formatStack, ProtocolError } from '../oauth/errors.ts';
import type { LogEntry } from '../oauth/log.ts';
import { randomId } from '../oauth/secrets.ts';
import { ProviderError } from '../providers/provider.ts';
import { StorageUnavailable } from '../storage/broker-storage.ts';

/** One request on its way through an endpoint. */
export interface RequestContext {
  readonly request: Request;
  readonly url: URL;
  /** Shown to people as the reference id, and logged. */
  readonly requestId: string;
  /** Logs with the request id and the endpoint's name filled in. */
  log(entry: Omit<LogEntry, 'requestId' | 'endpoint'>): void;
}

export interface EndpointDefinition {
  readonly name: string;
  /** Those that it answers, everywhere or at an address. */
  readonly methods: readonly string[] | ((url: URL) => readonly string[]);
  handle(requestContext: RequestContext): Promise<Response>;
  /** How this endpoint says no. */
  respondToError(protocolError: ProtocolError, requestContext: RequestContext): Response;
}

/** An endpoint and its path. */
export interface MountedEndpoint {
  readonly path: string;
  readonly definition: EndpointDefinition;
}

type EndpointContext = Pick<BrokerContext, 'issuer' | 'log' | 'randomBytes'>;

/** Makes an endpoint that answers every request and never throws. */
export const createEndpoint =
  (definition: EndpointDefinition, { issuer, log, randomBytes }: EndpointContext) =>
  async (request: Request): Promise<Response> => {
    const requestId = randomId(randomBytes);
    const url = new URL(request.url);
    const requestContext: RequestContext = {
      request,
      url,
      requestId,
      log: (entry) => log({ ...entry, requestId, endpoint: definition.name }),
    };
    try {
      // The issuer is configuration: no header, forwarded or not, talks the broker into another one.
      if (url.origin !== issuer) throw new ProtocolError('request.host');
      if (!resolveMethods(definition, url).includes(request.method))
        throw new ProtocolError('request.method');
      return await definition.handle(requestContext);
    } catch (error) {
      const protocolError = toProtocolError(error);
      logProtocolError(protocolError, requestContext);
      const response = definition.respondToError(protocolError, requestContext);
      return protocolError.reason === 'request.method'
        ? withAllowHeader(resolveMethods(definition, url), response)
        : response;
    }
  };

/** Makes an endpoint that pages on any origin can call; they can also read its errors. It never throws. */
export const createCrossOriginEndpoint = (definition: EndpointDefinition, context: EndpointContext) => {
  const endpoint = createEndpoint(definition, context);
  return async (request: Request): Promise<Response> =>
    isPreflight(request)
      ? endpointPreflight(resolveMethods(definition, new URL(request.url)))
      : allowAnyOrigin(await endpoint(request));
};

const resolveMethods = ({ methods }: EndpointDefinition, url: URL): readonly string[] =>
  typeof methods === 'function' ? methods(url) : methods;

/** Gives whatever was thrown its place in the table of reasons. */
export const toProtocolError = (error: unknown): ProtocolError => {
  if (error instanceof ProtocolError) return error;
  if (error instanceof StorageUnavailable) return new ProtocolError('storage.unavailable', { cause: error });
  if (error instanceof ProviderError) return new ProtocolError(`provider.${error.kind}`, { cause: error });
  return new ProtocolError('unexpected', { cause: error });
};

export const logProtocolError = (
  protocolError: ProtocolError,
  requestContext: RequestContext,
  fields: { readonly clientId?: string; readonly provider?: string } = {},
): void => {
  requestContext.log({
    event: 'refused',
    reason: protocolError.reason,
    ...fields,
    ...describeErrorForLog(protocolError),
  });
};

/** What nobody foresaw is logged whole: there is no other trace of it. */
export const describeErrorForLog = ({ reason, cause }: ProtocolError): Pick<LogEntry, 'cause' | 'stack'> => {
  const stack = reason === 'unexpected' ? formatStack(cause) : undefined;
  return {
    ...(cause !== undefined && { cause: describeCause(cause) }),
    ...(stack !== undefined && { stack }),
  };
};

// What everybody may read, with GET or HEAD (RFC 9110 §9.3.2): reading it does nothing.

export const defineStaticDocument = (name: string, createResponse: () => Response): EndpointDefinition => ({
  name,
  methods: ['GET', 'HEAD'],
  respondToError: (protocolError) => problemResponse(protocolError),
  handle: async ({ request }) =>
    request.method === 'HEAD' ? toHeadResponse(createResponse()) : createResponse(),
});

/**
 * Limits the requests of each address block. Without the option `clientAddress`, or for a request whose address is unknown, nothing is
 * limited: all such requests would share one allowance, which anyone could use up.
 */
export const limitByAddress = (
  definition: EndpointDefinition,
  { limits, clientAddress }: Pick<BrokerContext, 'limits' | 'clientAddress'>,
): EndpointDefinition =>
  clientAddress === undefined
    ? definition
    : {
        ...definition,
        async handle(requestContext) {
          const addressBlock = findAddressBlock(clientAddress, requestContext.request);
          if (addressBlock !== undefined && (await limits.signIns.take(addressBlock)) === 'limited')
            throw new ProtocolError('sign-in.limited');
          return definition.handle(requestContext);
        },
      };

// Refuses prefetch requests, which a browser or a link scanner sends before the person opens the page (the `Sec-Purpose` header of Fetch): they would use up the sign-in. The browser would keep a 2xx response for the navigation; after a 503 it requests the page again.

/** Wraps an endpoint so that it responds to a prefetch request with 503 before it reads, counts or sets anything. */
export const refusePrefetch = (definition: EndpointDefinition): EndpointDefinition => ({
  ...definition,
  async handle(requestContext) {
    if (isPrefetch(requestContext.request)) throw new ProtocolError('request.prefetch');
    return definition.handle(requestContext);
  },
});

/** The standard header, and those that older browsers and Safari send in its place. */
const headers = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];

/** `prefetch`, also with parameters (`prefetch;prerender`); `preview` in Safari. */
const isPrefetch = (request: Request): boolean =>
  headers.some((name) => /\b(?:prefetch|prerender|preview)\b/i.test(request.headers.get(name) ?? ''));

// `GET` of a provider's mark: a file of its own, because the pages' policy lets pictures come from this origin alone.

export const iconEndpoint = (svg: string): EndpointDefinition =>
  defineStaticDocument('icon', () => publicSvg(svg));

// `GET` of the pages' stylesheet: a file of its own, because the pages' policy allows no style inside them.

export const stylesheetEndpoint = (css: string): EndpointDefinition =>
  defineStaticDocument('stylesheet', () => publicDocument(css, 'text/css; charset=utf-8'));
