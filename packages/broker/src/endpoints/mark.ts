/** `GET` of a provider's mark: a file of its own, because the pages' policy lets pictures come from this origin alone. */
import type { EndpointPlan } from '../doors/endpoint.ts';
import { problem, publicPicture } from '../http/respond.ts';

export const markEndpoint = (svg: string): EndpointPlan => ({
  name: 'mark',
  methods: ['GET'],
  refuse: (refusal) => problem(refusal),
  handle: async () => publicPicture(svg),
});
