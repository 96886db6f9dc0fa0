/** `GET` of the pages' stylesheet: a file of its own, because the pages' policy allows no style inside them. */

import type { EndpointPlan } from '../doors/endpoint.ts';
import { problem, publicDocument } from '../http/respond.ts';

export const stylesheetEndpoint = (css: string): EndpointPlan => ({
  name: 'stylesheet',
  methods: ['GET'],
  refuse: (refusal) => problem(refusal),
  handle: async () => publicDocument(css, 'text/css; charset=utf-8'),
});
