/** What everybody may read, with GET or HEAD (RFC 9110 §9.3.2): reading it does nothing. */
import { headOf, problem } from '../http/respond.ts';
import type { EndpointPlan } from './endpoint.ts';

export const documentEndpoint = (name: string, publish: () => Response): EndpointPlan => ({
  name,
  methods: ['GET', 'HEAD'],
  refuse: (refusal) => problem(refusal),
  handle: async ({ request }) => (request.method === 'HEAD' ? headOf(publish()) : publish()),
});
