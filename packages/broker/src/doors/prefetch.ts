/**
 * Refuses requests that a browser makes before the person opens the page (the `Sec-Purpose` header of Fetch). They would use up the
 * sign-in. A response with status 2xx would be kept and used for the navigation; after a 503 the browser requests the page again.
 */
import { Refusal } from '../protocol/errors.ts';
import type { EndpointPlan } from './endpoint.ts';

/** The same endpoint, which answers a request made in advance with 503 before it reads, counts or sets anything. */
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
