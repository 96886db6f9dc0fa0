/** What every endpoint shares: the host and method it answers for, a request id, and that whatever is thrown becomes a response. */

import type { BrokerContext } from '../context.ts';
import { allowAnyOrigin, endpointPreflight, isPreflight } from '../http/cors.ts';
import { allowing, headOf, problem } from '../http/responses.ts';
import { describeCause, Refusal, stackOf } from '../oauth/errors.ts';
import type { LogEntry } from '../oauth/log.ts';
import { randomId } from '../oauth/secrets.ts';
import { ProviderError } from '../providers/provider.ts';
import { LedgerUnavailable } from '../storage/broker-storage.ts';

/** One request on its way through an endpoint. */
export interface Visit {
  readonly request: Request;
  readonly url: URL;
  /** Shown to people as the reference id, and logged. */
  readonly requestId: string;
  /** Logs with the request id and the endpoint's name filled in. */
  log(entry: Omit<LogEntry, 'requestId' | 'endpoint'>): void;
}

export interface EndpointPlan {
  readonly name: string;
  /** Those that it answers, everywhere or at an address. */
  readonly methods: readonly string[] | ((url: URL) => readonly string[]);
  handle(visit: Visit): Promise<Response>;
  /** How this endpoint says no. */
  refuse(refusal: Refusal, visit: Visit): Response;
}

/** An endpoint and its path. */
export interface MountedEndpoint {
  readonly path: string;
  readonly plan: EndpointPlan;
}

type EndpointContext = Pick<BrokerContext, 'issuer' | 'log' | 'randomBytes'>;

/** Makes an endpoint that answers every request and never throws. */
export const createEndpoint =
  (plan: EndpointPlan, { issuer, log, randomBytes }: EndpointContext) =>
  async (request: Request): Promise<Response> => {
    const requestId = randomId(randomBytes);
    const url = new URL(request.url);
    const visit: Visit = {
      request,
      url,
      requestId,
      log: (entry) => log({ ...entry, requestId, endpoint: plan.name }),
    };
    try {
      // The issuer is configuration: no header, forwarded or not, talks the broker into another one.
      if (url.origin !== issuer) throw new Refusal('request.host');
      if (!methodsAt(plan, url).includes(request.method)) throw new Refusal('request.method');
      return await plan.handle(visit);
    } catch (error) {
      const refusal = asRefusal(error);
      logRefusal(refusal, visit);
      const response = plan.refuse(refusal, visit);
      return refusal.reason === 'request.method' ? allowing(methodsAt(plan, url), response) : response;
    }
  };

/** Makes an endpoint that pages on any origin can call; they can also read its errors. It never throws. */
export const createCrossOriginEndpoint = (plan: EndpointPlan, context: EndpointContext) => {
  const endpoint = createEndpoint(plan, context);
  return async (request: Request): Promise<Response> =>
    isPreflight(request)
      ? endpointPreflight(methodsAt(plan, new URL(request.url)))
      : allowAnyOrigin(await endpoint(request));
};

const methodsAt = ({ methods }: EndpointPlan, url: URL): readonly string[] =>
  typeof methods === 'function' ? methods(url) : methods;

/** Gives whatever was thrown its place in the table of reasons. */
export const asRefusal = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  if (error instanceof LedgerUnavailable) return new Refusal('ledger.unavailable', { cause: error });
  if (error instanceof ProviderError) return new Refusal(`provider.${error.kind}`, { cause: error });
  return new Refusal('unexpected', { cause: error });
};

export const logRefusal = (
  refusal: Refusal,
  visit: Visit,
  about: { readonly clientId?: string; readonly provider?: string } = {},
): void => {
  visit.log({ event: 'refused', reason: refusal.reason, ...about, ...causeOf(refusal) });
};

/** What nobody foresaw is logged whole: there is no other trace of it. */
export const causeOf = ({ reason, cause }: Refusal): Pick<LogEntry, 'cause' | 'stack'> => {
  const stack = reason === 'unexpected' ? stackOf(cause) : undefined;
  return {
    ...(cause !== undefined && { cause: describeCause(cause) }),
    ...(stack !== undefined && { stack }),
  };
};

// What everybody may read, with GET or HEAD (RFC 9110 §9.3.2): reading it does nothing.

export const documentEndpoint = (name: string, publish: () => Response): EndpointPlan => ({
  name,
  methods: ['GET', 'HEAD'],
  refuse: (refusal) => problem(refusal),
  handle: async ({ request }) => (request.method === 'HEAD' ? headOf(publish()) : publish()),
});

// Keeps one network from going through a sign-in's endpoints more often than all of its people together would.

/** The same endpoint, for so many requests of one address block. */
export const limitByAddress = (
  plan: EndpointPlan,
  { limits, addressBlockOf }: Pick<BrokerContext, 'limits' | 'addressBlockOf'>,
): EndpointPlan => ({
  ...plan,
  async handle(visit) {
    const block = addressBlockOf(visit.request);
    // Where nobody's address is known, one allowance would be everybody's, and anybody could spend it.
    if (block !== undefined && (await limits.signIns.take(block)) === 'limited')
      throw new Refusal('sign-in.limited');
    return plan.handle(visit);
  },
});

// Refuses prefetch requests, which a browser or a link scanner sends before the person opens the page (the `Sec-Purpose` header of Fetch): they would use up the sign-in. The browser would keep a 2xx response for the navigation; after a 503 it requests the page again.

/** Wraps an endpoint so that it responds to a prefetch request with 503 before it reads, counts or sets anything. */
export const refusePrefetch = (plan: EndpointPlan): EndpointPlan => ({
  ...plan,
  async handle(visit) {
    if (isPrefetch(visit.request)) throw new Refusal('request.prefetch');
    return plan.handle(visit);
  },
});

/** The standard header, and those that older browsers and Safari send in its place. */
const headers = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];

/** `prefetch`, also with parameters (`prefetch;prerender`); `preview` in Safari. */
const isPrefetch = (request: Request): boolean =>
  headers.some((name) => /\b(?:prefetch|prerender|preview)\b/i.test(request.headers.get(name) ?? ''));
