/**
 * Refuses prefetch requests, which a browser or a link scanner sends before the person opens the page (the `Sec-Purpose` header of
 * Fetch): they would use up the sign-in. The browser would keep a 2xx response for the navigation; after a 503 it requests the page again.
 */
import { Refusal } from '../protocol/errors.ts';
import type { EndpointPlan } from './endpoint.ts';

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
